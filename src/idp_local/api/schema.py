"""The executable schema: AppSync's scalars, its check of groups, and one resolver for every root field."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    build_schema,
    default_field_resolver,
    get_directive_values,
)
from idp_finetuning.deployment import RESOLVER_COUNT_LIMIT
from idp_local.api import resolver
from idp_local.api.responses import ERROR_TYPE
from idp_local.api.scalars import use_appsync_scalars
from idp_local.api.tokens import Caller
from idp_local.environment import CHECKOUT

_logger = logging.getLogger(__name__)

Invoke = Callable[[dict[str, Any]], dict[str, Any]]
"""Send an event to the resolver function: returns `{"result": ...}`, or `{"error": ...}` if the function failed."""


@dataclass
class Call:
    """What a resolver needs to know of the request, and how many have run for it."""

    caller: Caller
    invoke: Invoke
    resolved: int = 0


def executable_schema(sdl: str) -> GraphQLSchema:
    """Return the schema, to be executed with a Call as context; raises what graphql-core raises for a broken one."""
    prelude = (CHECKOUT / "graphql/prelude.graphql").read_text(encoding="utf-8")
    schema = build_schema(prelude + sdl)
    use_appsync_scalars(schema)
    roots = (schema.query_type, schema.mutation_type)
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
            for name, field in kind.fields.items():
                resolve = _resolve if kind in roots else default_field_resolver
                groups = _groups(schema, kind, field)
                field.resolve = resolve if groups is None else _guard(resolve, groups, f"{name} on type {kind.name}")
    return schema


def _groups(schema: GraphQLSchema, kind: GraphQLObjectType, field: GraphQLField) -> frozenset[str] | None:
    """Return the groups that may read the field, by its own directive or else its type's; None if all may."""
    directive = schema.get_directive("aws_auth")
    assert directive is not None  # noqa: S101 - supplied above
    for node in (field.ast_node, kind.ast_node):
        values = get_directive_values(directive, node) if node else None
        if values:
            return frozenset(values["cognito_groups"])
    return None


def _guard(resolve: Callable[..., Any], groups: frozenset[str], name: str) -> Callable[..., Any]:
    def guard(source: Any, info: GraphQLResolveInfo[Call], **arguments: Any) -> Any:
        if not groups & set(info.context.caller.groups):
            raise GraphQLError(f"Not Authorized to access {name}", extensions={ERROR_TYPE: "Unauthorized"})
        return resolve(source, info, **arguments)

    return guard


def _resolve(_source: Any, info: GraphQLResolveInfo[Call], **arguments: Any) -> Any:
    call = info.context
    call.resolved += 1
    if call.resolved > RESOLVER_COUNT_LIMIT:
        # AWS documents neither the type nor the words of the error, only that the field has one.
        raise GraphQLError(
            f"A request may have at most {RESOLVER_COUNT_LIMIT} fields that run a resolver.",
            extensions={ERROR_TYPE: "ResolverCountLimitReached"},
        )
    ctx = {"info": {"fieldName": info.field_name}, "args": arguments, "identity": call.caller.model_dump(mode="json")}
    try:
        return resolver.response(call.invoke(resolver.request(ctx)))
    except resolver.ResolverError as error:
        raise GraphQLError(error.message or "", extensions={ERROR_TYPE: error.error_type}) from None
    except Exception:
        # A defect of the runtime itself; graphql-core would show its text to the client.
        _logger.exception("The call of the resolver function failed")
        raise GraphQLError(resolver.INTERNAL_ERROR, extensions={ERROR_TYPE: "InternalError"}) from None
