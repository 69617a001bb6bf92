"""Warnings if the account is near Bedrock's quotas, before hours of work meet them."""

from __future__ import annotations

from idp_finetuning.adapters.account_limits import AccountLimits
from idp_finetuning.adapters.aws_calls import aws_calls
from idp_finetuning.adapters.bedrock import Bedrock
from idp_finetuning.adapters.lambda_handler import logger
from idp_finetuning.errors import FinetuningError
from idp_finetuning.nova.quotas import ListedQuota, known_quotas


def quota_warnings(bedrock: Bedrock, limits: AccountLimits) -> tuple[str, ...]:
    """Return the warnings of a job; a failing call is one too, because the job may well succeed."""
    try:
        with aws_calls():
            usage = bedrock.usage()
    except FinetuningError as error:
        return (f"How near this account is to Bedrock's quotas could not be checked: {error.message}",)
    return known_quotas().nearly_used_up(usage, _read_listed(limits))


def _read_listed(limits: AccountLimits) -> tuple[ListedQuota, ...] | None:
    """Return None and log why if Service Quotas cannot be asked."""
    try:
        with aws_calls():
            return limits.bedrock_quotas()
    except FinetuningError as error:
        logger.warning("Service Quotas could not be asked", extra={"reason": error.message})
        return None
