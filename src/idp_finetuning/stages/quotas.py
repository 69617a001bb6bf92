"""Warnings if the account is near Bedrock's quotas, before hours of work meet them."""

from __future__ import annotations

from idp_finetuning.adapters.aws_calls import aws_calls
from idp_finetuning.adapters.bedrock import Bedrock
from idp_finetuning.errors import FinetuningError
from idp_finetuning.nova.quotas import known_quotas


def quota_warnings(bedrock: Bedrock) -> tuple[str, ...]:
    """Return the warnings of a job; a failing call is one too, because the job may well succeed."""
    try:
        with aws_calls():
            return known_quotas().nearly_used_up(bedrock.usage())
    except FinetuningError as error:
        return (f"How near this account is to Bedrock's quotas could not be checked: {error.message}",)
