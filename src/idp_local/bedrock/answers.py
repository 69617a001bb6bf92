"""What a real account's Bedrock answered, as `make smoke` recorded it, and the switches that follow from it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from idp_local.bedrock.errors import Absence, Refusal
from idp_local.bedrock.foundation_models import Nova2HyperParameter
from idp_local.bedrock.s3 import SlashEcho
from idp_local.bedrock.switches import Switches

JOB_STATUSES = frozenset({"InProgress", "Completed", "Failed", "Stopping", "Stopped"})
DEPLOYMENT_STATUSES = frozenset({"Creating", "Active", "Failed"})
SMALL_SET = 8  # records of the jobs that ask whether so few are enough

_GET_JOB, _CREATE_JOB = "GetModelCustomizationJob", "CreateModelCustomizationJob"
_GET_DEPLOYMENT, _DELETE_DEPLOYMENT = "GetCustomModelDeployment", "DeleteCustomModelDeployment"


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class ServiceError(_Wire):
    """Code and message of a refusal."""

    code: str
    message: str


class Exchange(_Wire):
    """A call with its response or its error; `question` is what it was to find out."""

    question: str
    at: datetime
    operation: str
    request: dict[str, Any]
    response: dict[str, Any] | None = None
    error: ServiceError | None = None


class Answers(_Wire):
    """All calls in their order."""

    version: Literal[1] = 1
    region: str
    botocore: str
    exchanges: tuple[Exchange, ...] = ()

    def switches(self) -> Switches:
        """Return the switches that make the local Bedrock behave so; a question that was not asked keeps its default.

        Quotas and throttling are not asked: they depend on what else the account does.
        """
        found: dict[str, Any] = {
            "absent_job": self._code("absentJob", Absence),
            "absent_model": self._code("absentModel", Absence),
            "absent_deployment": self._code("absentDeployment", Absence),
            "token_replay": self._code("replay", Refusal),
            "mutating": self._code("deleteWhileCreating", Refusal),
            "deletions_refused": sum(one.error is not None for one in self.asked("delete")),
            "visible_after": self._lag(),
            "model_arn_after": self._model_arn_lag(),
            "s3_uri_echo": self._echo(),
            "first_job_statuses": _unlisted(self._statuses(_GET_JOB), JOB_STATUSES),
            "nova_2_refuses": self.refused_hyperparameters(),
            "nova_2_validation_set": self._passed_validation("validationFile"),
            "nova_2_minimum_records": SMALL_SET if self._passed_validation("smallSet") else None,
            **self._deployment_statuses(),
        }
        return Switches(**{name: value for name, value in found.items() if value is not None})

    def refused_hyperparameters(self) -> tuple[Nova2HyperParameter, ...]:
        """Return the hyperparameters that a refusal of a Create named."""
        names: tuple[Nova2HyperParameter, ...] = get_args(Nova2HyperParameter)
        refusals = [
            one.error.message
            for one in self.exchanges
            if one.operation == _CREATE_JOB and one.error and one.question != "unknownHyperParameter"
        ]
        # A refusal may also list the names that are valid.
        texts = [text.partition("Valid hyperparameters")[0] for text in refusals]
        return tuple(name for name in names if any(name in text for text in texts))

    def asked(self, question: str) -> Iterator[Exchange]:
        """Yield the calls of a question."""
        return (one for one in self.exchanges if one.question == question)

    def _code(self, question: str, codes: Any) -> str | None:
        error = next((one.error for one in self.asked(question)), None)
        return error.code if error and error.code in get_args(codes) else None

    def _responses(self, operation: str) -> Iterator[tuple[Exchange, dict[str, Any]]]:
        for one in self.exchanges:
            if one.operation == operation and one.response is not None:
                yield one, one.response

    def _statuses(self, operation: str) -> list[str]:
        return [response["status"] for _, response in self._responses(operation) if "status" in response]

    def _lag(self) -> float:
        """Return the longest time from a Create until all calls that looked for the resource found it."""
        longest = 0.0
        for number, created in enumerate(self.exchanges):
            if not created.operation.startswith("Create") or not created.response:
                continue
            arn = next(iter(created.response.values()))
            for looked in self.exchanges[number + 1 :]:
                if looked.operation.startswith("Delete") and arn in looked.request.values():
                    break
                if looked.question == "visible" and arn in looked.request.values() and looked.error:
                    longest = max(longest, (looked.at - created.at).total_seconds())
                if looked.question == "listed" and looked.request.get("nameContains") in created.request.values():
                    rows = [
                        row for value in (looked.response or {}).values() if isinstance(value, list) for row in value
                    ]
                    longest = max(longest, 0 if rows else (looked.at - created.at).total_seconds())
        return longest

    def _model_arn_lag(self) -> float:
        completed: dict[str, datetime] = {}
        for one, response in self._responses(_GET_JOB):
            if response.get("status") == "Completed" and "outputModelArn" not in response:
                completed.setdefault(response["jobArn"], one.at)
            elif response["jobArn"] in completed:
                return (one.at - completed[response["jobArn"]]).total_seconds()
        return 0.0

    def _echo(self) -> SlashEcho | None:
        given = {
            one.request["jobName"]: one.request["outputDataConfig"]["s3Uri"] for one, _ in self._responses(_CREATE_JOB)
        }
        pairs = {
            (given[response["jobName"]].endswith("/"), response["outputDataConfig"]["s3Uri"].endswith("/"))
            for _, response in self._responses(_GET_JOB)
            if response["jobName"] in given
        }
        if (False, True) in pairs:
            return "with slash"
        if (True, False) in pairs:
            return "without slash"
        return "as given" if pairs else None

    def _passed_validation(self, question: str) -> bool | None:
        """Return whether Bedrock's validation let the job of a question pass; None if it came to no end."""
        created = list(self.asked(question))
        if not created:
            return None
        names = {one.request["jobName"] for one in created if one.response}
        if not names:
            return False
        verdict = None
        for _, response in self._responses(_GET_JOB):
            if response["jobName"] in names:
                validation = response.get("statusDetails", {}).get("validationDetails", {}).get("status")
                if validation == "Completed":
                    return True
                if response["status"] == "Failed":
                    verdict = False
        return verdict

    def _deployment_statuses(self) -> dict[str, Any]:
        """Return the unlisted statuses: those seen before any deletion, and the first seen after one."""
        deletion = next(
            (one.at for one in self.exchanges if one.operation == _DELETE_DEPLOYMENT and not one.error), None
        )
        before: list[str] = []
        after: list[str] = []
        for one, response in self._responses(_GET_DEPLOYMENT):
            (after if deletion and one.at > deletion else before).append(response["status"])
        deleting = _unlisted(after, DEPLOYMENT_STATUSES)
        return {
            "last_deployment_statuses": _unlisted(before, DEPLOYMENT_STATUSES),
            "deletion_status": deleting[0] if deleting else None,
        }


def _unlisted(seen: list[str], listed: frozenset[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(status for status in seen if status not in listed))
