"""The GraphQL schema as AppSync can read it, and the fields that need resolvers."""

from __future__ import annotations

from graphql import (
    EnumValueDefinitionNode,
    Node,
    ObjectTypeDefinitionNode,
    StringValueNode,
    Visitor,
    parse,
    visit,
)

ROOT_TYPES = ("Query", "Mutation")


class _Descriptions(Visitor):
    """Collects the descriptions, and whether AppSync accepts a comment in place of each."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[StringValueNode, bool]] = []

    def enter(self, node: Node, *_: object) -> None:
        description = getattr(node, "description", None)
        if description:
            self.found.append((description, not isinstance(node, EnumValueDefinitionNode)))


def convert_for_appsync(schema: str) -> str:
    """Return the schema with its descriptions turned into comments.

    AppSync's parser rejects description strings, which fails the deployment. It shows comments as descriptions, but
    rejects them on enum values (https://github.com/aws/aws-appsync-community/issues/38 and 55).
    """
    collected = _Descriptions()
    visit(parse(schema), collected)
    for description, comment_allowed in reversed(collected.found):
        place = description.loc
        if place is None:
            continue
        lines = description.value.splitlines() if comment_allowed else []
        comment = "\n".join(f"# {line}".rstrip() for line in lines)
        # What follows a comment needs a line of its own.
        rest = schema[place.end :]
        schema = schema[: place.start] + comment + ("" if rest.lstrip(" ").startswith("\n") else "\n") + rest
    return schema


def root_fields(schema: str) -> list[tuple[str, str]]:
    """Return (type, field) of every query and mutation."""
    return [
        (definition.name.value, field.name.value)
        for definition in parse(schema).definitions
        if isinstance(definition, ObjectTypeDefinitionNode) and definition.name.value in ROOT_TYPES
        for field in definition.fields or ()
    ]
