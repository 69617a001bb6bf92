"""The guide's GraphQL operations, word for word."""

from __future__ import annotations

import re
from pathlib import Path

from graphql import FieldNode, OperationDefinitionNode, parse, print_ast

GUIDE = Path(__file__).parents[2] / "guide"


def operation(name: str) -> str:
    """One of the operations."""
    for definition in parse((GUIDE / "operations.graphql").read_text(encoding="utf-8")).definitions:
        assert isinstance(definition, OperationDefinitionNode)
        if definition.name and definition.name.value == name:
            return print_ast(definition)
    raise KeyError(name)


def selected(name: str) -> list[str]:
    """Names of the fields that an operation selects below its one field."""
    definition = parse(operation(name)).definitions[0]
    assert isinstance(definition, OperationDefinitionNode)
    field = definition.selection_set.selections[0]
    assert isinstance(field, FieldNode)
    assert field.selection_set
    return [node.name.value for node in field.selection_set.selections if isinstance(node, FieldNode)]


def command_line() -> list[tuple[str, str | None]]:
    """The guide's commands in its order, each with the output the guide shows for it."""
    page = (GUIDE / "command_line.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```bash\n(.*?)^```$(?:\n\n^```text\n(.*?)^```$)?", page, re.MULTILINE | re.DOTALL)
    return [(command.replace("\\\n", " "), output or None) for command, output in blocks]
