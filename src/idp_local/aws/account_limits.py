"""Lambda's GetAccountSettings and Service Quotas' ListServiceQuotas, which moto does not have."""

from __future__ import annotations

import json
from typing import Any

from moto.awslambda.responses import LambdaResponse
from moto.awslambda.urls import url_paths
from moto.servicequotas.exceptions import NoSuchResource
from moto.servicequotas.responses import ServiceQuotasResponse

from idp_local.environment import CONCURRENCY_LIMIT

# Names and figures as accounts show them; the code of the last was not in any listing we saw.
BEDROCK_QUOTAS = (
    ("L-CB5B847D", "Custom models per account", 100.0),
    ("L-0406044C", "(Model customization) Scheduled customization jobs", 10.0),
    ("L-0000000D", "Total custom model deployments", 10.0),
)


def answer_account_limits(concurrency: int = CONCURRENCY_LIMIT) -> None:
    """From now on moto says that this many functions may run at once, none of them reserved, and lists quotas."""

    def get_account_settings(_: LambdaResponse) -> str:
        limit = {"ConcurrentExecutions": concurrency, "UnreservedConcurrentExecutions": concurrency}
        return json.dumps({"AccountLimit": limit, "AccountUsage": {"FunctionCount": 0, "TotalCodeSize": 0}})

    def list_service_quotas(self: ServiceQuotasResponse) -> str:
        if json.loads(self.body)["ServiceCode"] != "bedrock":
            raise NoSuchResource
        return json.dumps({"Quotas": [_quota(*quota) for quota in BEDROCK_QUOTAS]})

    lambda_response: Any = LambdaResponse
    lambda_response.get_account_settings = get_account_settings
    url_paths[r"{0}/(?P<api_version>[^/]+)/account-settings/?$"] = LambdaResponse.dispatch
    service_quotas_response: Any = ServiceQuotasResponse
    service_quotas_response.list_service_quotas = list_service_quotas


def _quota(code: str, name: str, value: float) -> dict[str, Any]:
    return {
        "ServiceCode": "bedrock",
        "ServiceName": "Amazon Bedrock",
        "QuotaCode": code,
        "QuotaName": name,
        "Value": value,
        "Adjustable": True,
        "GlobalQuota": False,
    }
