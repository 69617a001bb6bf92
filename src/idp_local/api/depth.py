"""AppSync's limit of nested fields."""

from __future__ import annotations

from collections.abc import Mapping

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)
from idp_finetuning.deployment import QUERY_DEPTH_LIMIT
from idp_local.api.responses import ERROR_TYPE


def check_depth(document: DocumentNode) -> list[GraphQLError]:
    """Return an error for each operation that is nested too deeply; the document must be valid.

    AWS documents neither the type nor the words of the error.
    """
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    return [
        GraphQLError(
            f"The operation is nested {depth} levels deep; at most {QUERY_DEPTH_LIMIT} are allowed.",
            [operation],
            extensions={ERROR_TYPE: "QueryDepthLimitReached"},
        )
        for operation in document.definitions
        if isinstance(operation, OperationDefinitionNode)
        and (depth := _depth(operation.selection_set, fragments)) > QUERY_DEPTH_LIMIT
    ]


def _depth(selection: SelectionSetNode | None, fragments: Mapping[str, FragmentDefinitionNode]) -> int:
    depths = [0]
    for node in selection.selections if selection else ():
        if isinstance(node, FieldNode):
            depths.append(1 + _depth(node.selection_set, fragments))
        elif isinstance(node, InlineFragmentNode):
            depths.append(_depth(node.selection_set, fragments))
        elif isinstance(node, FragmentSpreadNode):
            depths.append(_depth(fragments[node.name.value].selection_set, fragments))
    return max(depths)
