"""Runs Lambda handlers as the workflow would: only with the variables the stack gives each, once or twice."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from idp_finetuning.deployment import FUNCTIONS, Variable
from tests.support.domain.api import ApiError

SPECS = {spec.name: spec for spec in FUNCTIONS}


class Pipeline:
    """The functions of the workflow, each run `times` times with the same event."""

    def __init__(self, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch, s3: Any, dynamodb: Any) -> None:
        self._variables = variables
        self._monkeypatch = monkeypatch
        self._s3 = s3
        self._dynamodb = dynamodb

    def run(self, function: str, event: dict[str, Any], *, times: int = 1) -> Any:
        """The last answer. Every run after the first has to leave and answer what the first did."""
        handler = self.handler(function)
        answer = handler(event, None)
        for _ in range(times - 1):
            before = self.state()
            assert handler(event, None) == answer
            assert self.state() == before
        return answer

    def handler(self, function: str) -> Any:
        """The function's handler, with the variables that the stack gives it."""
        spec = SPECS[function]
        for variable in Variable:
            self._monkeypatch.delenv(variable, raising=False)
        for variable in spec.variables:
            self._monkeypatch.setenv(variable, self._variables[variable])
        return importlib.import_module(f"lambdas.{spec.module}").handler

    def ask(self, field: str, **arguments: Any) -> Any:
        """The API's answer to author@example.com, or ApiError."""
        identity = {"sub": "sub-1", "username": "author@example.com", "groups": ["Author"]}
        answer = self.run("Resolver", {"field": field, "arguments": arguments, "identity": identity})
        if "error" in answer:
            raise ApiError(answer["error"]["type"], answer["error"]["message"])
        return answer["data"]

    def state(self) -> dict[str, Any]:
        """All objects and records; without `updatedAt`, which every write renews."""
        found: dict[str, Any] = {}
        for bucket in ("documents", "data"):
            for entry in self._s3.list_objects_v2(Bucket=bucket).get("Contents", []):
                found[f"{bucket}/{entry['Key']}"] = (entry["Size"], entry["ETag"])
        for table in ("t-jobs", "t-test-sets"):
            for item in self._dynamodb.scan(TableName=table)["Items"]:
                key = f"{table}/{item['id']['S']}/{item.get('item', {}).get('S')}"
                found[key] = {name: value for name, value in item.items() if name != "updatedAt"}
        return found
