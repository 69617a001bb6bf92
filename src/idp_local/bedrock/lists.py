"""Lists of resources: their filters, order and pages."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from idp_local.bedrock.account import CustomizationJob, CustomModel, Deployment, Resource
from idp_local.bedrock.errors import invalid

# Rows of a list without maxResults: the shapes allow up to 1,000 and name no default.
DEFAULT_PAGE = 100

Filters = Mapping[str, Callable[[Resource, Any], bool]]
"""For each filter member of a list request: whether a resource fits its value."""


def list_page(
    in_creation_order: list[Resource],
    request: Mapping[str, Any],
    filters: Filters[Resource],
    summary: Callable[[Resource], dict[str, Any]],
) -> tuple[list[dict[str, Any]], str | None]:
    """Return the summaries of one page and its nextToken; newest first unless sortOrder says Ascending.

    ValidationException for a nextToken that does not come from this list.
    """
    asked = [(filters[name], value) for name, value in request.items() if name in filters]
    kept = [resource for resource in in_creation_order if all(fits(resource, value) for fits, value in asked)]
    if request.get("sortOrder") != "Ascending":
        kept.reverse()
    start = 0
    if token := request.get("nextToken"):
        start = next((index for index, resource in enumerate(kept, 1) if _token(resource) == token), 0)
        if not start:
            raise invalid("The nextToken is not valid.")
    end = start + request.get("maxResults", DEFAULT_PAGE)
    return [summary(resource) for resource in kept[start:end]], _token(kept[end - 1]) if end < len(kept) else None


def _token(last: CustomizationJob | CustomModel | Deployment) -> str:
    return base64.urlsafe_b64encode(last.arn.encode()).decode()
