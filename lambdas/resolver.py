"""Resolver: every field of the API."""

from __future__ import annotations

from typing import Any

from idp_finetuning.adapters.lambda_handler import resolver_handler
from idp_finetuning.adapters.services import Services
from idp_finetuning.operations.dispatch import ResolverEvent, error_response, respond


def _respond(event: dict[str, Any], services: Services) -> Any:
    return respond(ResolverEvent.model_validate(event), services)


handler = resolver_handler(_respond, error_response)
