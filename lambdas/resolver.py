"""Resolver: every field of the API."""

from __future__ import annotations

from typing import Any

from idp_finetuning.adapters.lambda_handler import resolver_handler
from idp_finetuning.adapters.services import Services
from idp_finetuning.operations.dispatch import ResolverEvent, answer, error_answer


def _answer(event: dict[str, Any], services: Services) -> Any:
    return answer(ResolverEvent.model_validate(event), services)


handler = resolver_handler(_answer, error_answer)
