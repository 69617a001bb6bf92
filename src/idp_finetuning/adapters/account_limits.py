"""What AWS allows this account: Lambda's concurrency, and Bedrock's quotas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp_finetuning.nova.quotas import ListedQuota

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_service_quotas import ServiceQuotasClient


class AccountLimits:
    """Limits of the account in this Region, as Lambda and Service Quotas state them."""

    def __init__(self, lambda_: LambdaClient, service_quotas: ServiceQuotasClient) -> None:
        self._lambda = lambda_
        self._service_quotas = service_quotas

    def unreserved_concurrency(self) -> int | None:
        """Return how many functions without reserved concurrency may run at once; None if Lambda does not say.

        See botocore: lambda AccountLimit.
        """
        limit = self._lambda.get_account_settings().get("AccountLimit") or {}
        return limit.get("UnreservedConcurrentExecutions")

    def bedrock_quotas(self) -> tuple[ListedQuota, ...]:
        """Return Bedrock's quotas that have a value for this account; AWS lists no others."""
        pages = self._service_quotas.get_paginator("list_service_quotas").paginate(ServiceCode="bedrock")
        return tuple(
            ListedQuota(code=quota["QuotaCode"], name=quota["QuotaName"], most=int(quota["Value"]))
            for page in pages
            for quota in page.get("Quotas", [])
            if "QuotaCode" in quota and "QuotaName" in quota and "Value" in quota
        )
