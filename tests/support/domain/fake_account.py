"""Lambda's and Service Quotas' control planes, with answers and refusals that a test chooses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tests.support.domain.fake_bedrock import client_error
from tests.support.domain.service_model import AnyClient, problems

QuotaRow = tuple[str, str, float]  # code, name and value
NEW_ACCOUNT = 10
ORDINARY_ACCOUNT = 1000
QUOTAS: tuple[QuotaRow, ...] = (
    ("L-CB5B847D", "Custom models per account", 100.0),
    ("L-0406044C", "(Model customization) Scheduled customization jobs", 10.0),
    ("L-1234ABCD", "Total custom model deployments", 10.0),
)


class FakeLambda(AnyClient):  # type: ignore[misc]
    """Functions that are invoked in the background, by name and event, and the account's concurrency.

    `unreserved` None: Lambda does not say. `failure` is the error code with which the settings are refused.
    """

    def __init__(self) -> None:
        self.invoked: list[tuple[str, dict[str, Any]]] = []
        self.unreserved: int | None = ORDINARY_ACCOUNT
        self.failure: str | None = None

    def invoke(self, **request: Any) -> dict[str, Any]:
        """Lambda's Invoke."""
        assert problems("lambda", "Invoke", "input", request) == []
        assert request["InvocationType"] == "Event"
        self.invoked.append((request["FunctionName"], json.loads(request["Payload"])))
        return {"StatusCode": 202}

    def get_account_settings(self) -> dict[str, Any]:
        """Lambda's GetAccountSettings."""
        if self.failure:
            raise client_error("GetAccountSettings", self.failure)
        limit = {} if self.unreserved is None else {"UnreservedConcurrentExecutions": self.unreserved}
        answer = {"AccountLimit": {"ConcurrentExecutions": ORDINARY_ACCOUNT, **limit}}
        assert problems("lambda", "GetAccountSettings", "output", answer) == []
        return answer


class FakeServiceQuotas(AnyClient):  # type: ignore[misc]
    """Quotas of Bedrock, one a page; `failure` is the error code with which they are refused."""

    def __init__(self) -> None:
        self.quotas: tuple[QuotaRow, ...] = QUOTAS
        self.failure: str | None = None

    def get_paginator(self, operation: str) -> FakeServiceQuotas:
        """boto3's paginator of the one operation there is."""
        assert operation == "list_service_quotas"
        return self

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        """Service Quotas' ListServiceQuotas, page after page."""
        assert problems("service-quotas", "ListServiceQuotas", "input", request) == []
        assert request == {"ServiceCode": "bedrock"}
        if self.failure:
            raise client_error("ListServiceQuotas", self.failure)
        for code, name, value in self.quotas:
            page = {"Quotas": [{"ServiceCode": "bedrock", "QuotaCode": code, "QuotaName": name, "Value": value}]}
            assert problems("service-quotas", "ListServiceQuotas", "output", page) == []
            yield page
        yield {}
