"""Bedrock's control plane in memory; requests, answers and error names are held against botocore's model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from tests.support.domain.service_model import AnyClient, problems, service_model

PREFIX = "arn:aws:bedrock:us-east-1:123456789012:"
THEN = datetime(2026, 11, 22, 10, tzinfo=UTC)


def client_error(operation: str, code: str, message: str = "Bedrock's own words.") -> ClientError:
    """The error botocore raises where Bedrock answers with this code."""
    status = {"ThrottlingException": 429, "InternalServerException": 500}.get(code, 400)
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item, unused-ignore]
        operation,
    )


class FakeBedrock(AnyClient):  # type: ignore[misc]
    """Customization jobs, models and deployments by name; `calls` names every call, `failures` waits for them.

    A repeated clientRequestToken gets the ARN of the first, or, if `replay` says so, this error. `unlisted` names are
    in no list, `unseen` ARNs are not found by Get. Whoever asks for something by a name fails the test.
    """

    def __init__(self) -> None:
        self.jobs: dict[str, dict[str, Any]] = {}
        self.models: dict[str, str] = {}
        self.model_status: dict[str, str] = {}
        self.deployments: dict[str, dict[str, Any]] = {}
        self.calls: list[str] = []
        self.requests: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self.failures: defaultdict[str, list[str]] = defaultdict(list)
        self.created: list[str] = []
        self.lost_answers: set[str] = set()
        self.replay: str | None = None
        self.unlisted: set[str] = set()
        self.unseen: set[str] = set()
        self.tags: dict[str, list[dict[str, str]]] = {}
        self.before_call: Callable[[Callable[[], Any]], Any] = lambda call: call()
        self.lifecycles: dict[str, dict[str, Any]] = {}
        self.offered = ["amazon.nova-2-lite-v1:0:256k", "amazon.nova-lite-v1:0:300k", "amazon.nova-pro-v1:0:300k"]

    def _call(self, operation: str, request: dict[str, Any], work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        answer: dict[str, Any] = self.before_call(lambda: self._answer(operation, request, work))
        return answer

    def _answer(self, operation: str, request: dict[str, Any], work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        self.calls.append(operation)
        self.requests[operation].append(request)
        assert not (wrong := problems("bedrock", operation, "input", request)), wrong
        if self.failures[operation]:
            raise client_error(operation, self.failures[operation].pop(0))
        answer = work()
        # A status that botocore does not list yet is what Bedrock may show tomorrow.
        wrong = [problem for problem in problems("bedrock", operation, "output", answer) if "Status: " not in problem]
        assert not wrong, wrong
        if operation in self.lost_answers:
            self.lost_answers.discard(operation)
            raise client_error(operation, "InternalServerException")
        return answer

    @staticmethod
    def _refuse(operation: str, code: str) -> ClientError:
        declared = {shape.name for shape in service_model("bedrock").operation_model(operation).error_shapes}
        assert code in declared, f"{operation} never answers {code}"
        return client_error(operation, code)

    def list_foundation_models(self, **request: Any) -> dict[str, Any]:
        """Models of the account, all of one customization type."""
        return self._call(
            "ListFoundationModels",
            request,
            lambda: {
                "modelSummaries": [
                    {
                        "modelId": model,
                        "modelArn": f"arn:aws:bedrock:us-east-1::foundation-model/{model}",
                        **({"modelLifecycle": self.lifecycles[model]} if model in self.lifecycles else {}),
                    }
                    for model in self.offered
                ]
            },
        )

    def create_model_customization_job(self, **request: Any) -> dict[str, Any]:
        """A job in progress; its name is taken for ever."""

        def work() -> dict[str, Any]:
            name = request["jobName"]
            known = self.jobs.get(name)
            if known and known["clientRequestToken"] == request.get("clientRequestToken") and not self.replay:
                return {"jobArn": known["jobArn"]}
            if known:
                raise self._refuse("CreateModelCustomizationJob", self.replay or "ConflictException")
            number = f"{len(self.jobs):012d}"
            model = request["baseModelIdentifier"]
            self.jobs[name] = {
                "jobArn": f"{PREFIX}model-customization-job/{model}/{number}",
                "jobName": name,
                "clientRequestToken": request.get("clientRequestToken", name),
                "outputModelName": request["customModelName"],
                "roleArn": request["roleArn"],
                "status": "InProgress",
                "creationTime": THEN,
                "baseModelArn": f"arn:aws:bedrock:us-east-1::foundation-model/{model}",
                "trainingDataConfig": request["trainingDataConfig"],
                "validationDataConfig": request.get("validationDataConfig", {"validators": []}),
                "outputDataConfig": request["outputDataConfig"],
            }
            self.created.append(name)
            self.tags[self.jobs[name]["jobArn"]] = request.get("jobTags", [])
            self.tags[name] = request.get("customModelTags", [])
            return {"jobArn": self.jobs[name]["jobArn"]}

        return self._call("CreateModelCustomizationJob", request, work)

    def get_model_customization_job(self, **request: Any) -> dict[str, Any]:
        """By ARN."""
        return self._call("GetModelCustomizationJob", request, lambda: self._job(request["jobIdentifier"]))

    def stop_model_customization_job(self, **request: Any) -> dict[str, Any]:
        """Only what runs can be stopped."""

        def work() -> dict[str, Any]:
            job = self._job(request["jobIdentifier"], "StopModelCustomizationJob")
            if job["status"] in ("Completed", "Failed", "Stopping", "Stopped"):
                raise self._refuse("StopModelCustomizationJob", "ConflictException")
            job["status"] = "Stopping"
            return {}

        return self._call("StopModelCustomizationJob", request, work)

    def create_custom_model_deployment(self, **request: Any) -> dict[str, Any]:
        """A deployment being created; a taken name is a ValidationException, for no Conflict is declared."""

        def work() -> dict[str, Any]:
            name = request["modelDeploymentName"]
            known = self.deployments.get(name)
            if known and known["token"] == request.get("clientRequestToken") and not self.replay:
                return {"customModelDeploymentArn": known["customModelDeploymentArn"]}
            if known:
                raise self._refuse("CreateCustomModelDeployment", "ValidationException")
            arn = f"{PREFIX}custom-model-deployment/{len(self.deployments):012d}"
            self.deployments[name] = {
                "customModelDeploymentArn": arn,
                "modelDeploymentName": name,
                "token": request.get("clientRequestToken", name),
                "modelArn": request["modelArn"],
                "createdAt": THEN,
                "status": "Creating",
            }
            self.created.append(name)
            self.tags[arn] = request.get("tags", [])
            return {"customModelDeploymentArn": arn}

        return self._call("CreateCustomModelDeployment", request, work)

    def get_custom_model_deployment(self, **request: Any) -> dict[str, Any]:
        """By ARN."""

        def work() -> dict[str, Any]:
            found = dict(self._deployment(request["customModelDeploymentIdentifier"]))
            del found["token"]
            return found

        return self._call("GetCustomModelDeployment", request, work)

    def delete_custom_model_deployment(self, **request: Any) -> dict[str, Any]:
        """Gone at once."""

        def work() -> dict[str, Any]:
            wanted = request["customModelDeploymentIdentifier"]
            found = self._deployment(wanted, "DeleteCustomModelDeployment")
            del self.deployments[found["modelDeploymentName"]]
            return {}

        return self._call("DeleteCustomModelDeployment", request, work)

    def get_custom_model(self, **request: Any) -> dict[str, Any]:
        """By ARN; Active unless `model_status` says otherwise."""

        def work() -> dict[str, Any]:
            wanted = request["modelIdentifier"]
            name = self._model(wanted)
            if name is None:
                raise self._refuse("GetCustomModel", "ResourceNotFoundException")
            status = self.model_status.get(name, "Active")
            return {"modelArn": self.models[name], "modelName": name, "creationTime": THEN, "modelStatus": status}

        return self._call("GetCustomModel", request, work)

    def delete_custom_model(self, **request: Any) -> dict[str, Any]:
        """Refused while a deployment holds the model."""

        def work() -> dict[str, Any]:
            wanted = request["modelIdentifier"]
            name = self._model(wanted)
            if name is None:
                raise self._refuse("DeleteCustomModel", "ResourceNotFoundException")
            if any(d["modelArn"] == self.models[name] for d in self.deployments.values()):
                raise self._refuse("DeleteCustomModel", "ConflictException")
            del self.models[name]
            return {}

        return self._call("DeleteCustomModel", request, work)

    def list_tags_for_resource(self, **request: Any) -> dict[str, Any]:
        """Tags by ARN."""

        def work() -> dict[str, Any]:
            if request["resourceARN"] not in self.tags:
                raise self._refuse("ListTagsForResource", "ResourceNotFoundException")
            return {"tags": self.tags[request["resourceARN"]]}

        return self._call("ListTagsForResource", request, work)

    def get_paginator(self, operation: str) -> FakeList:
        """The lists, one item a page."""
        return FakeList(self, operation)

    def _rows(self, operation: str, request: dict[str, Any]) -> tuple[str, str, list[dict[str, Any]]]:
        """Operation, member and rows of a list, as botocore names them; of its filters `nameContains` counts."""
        called, member, rows = self._all_rows(operation)
        part = request.get("nameContains", "")
        names = ("jobName", "modelName", "customModelDeploymentName")
        named = [(next(row[name] for name in names if name in row), row) for row in rows]
        return called, member, [row for name, row in named if part in name and name not in self.unlisted]

    def _all_rows(self, operation: str) -> tuple[str, str, list[dict[str, Any]]]:
        if operation == "list_model_customization_jobs":
            names = ("jobArn", "baseModelArn", "jobName", "status", "creationTime")
            rows = [{name: job[name] for name in names} for job in self.jobs.values()]
            return "ListModelCustomizationJobs", "modelCustomizationJobSummaries", rows
        if operation == "list_custom_models":
            rows = [
                {
                    "modelArn": arn,
                    "modelName": name,
                    "creationTime": THEN,
                    "baseModelArn": "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0:300k",
                    "baseModelName": "amazon.nova-lite-v1",
                }
                for name, arn in self.models.items()
            ]
            return "ListCustomModels", "modelSummaries", rows
        assert operation == "list_custom_model_deployments"
        rows = [
            {
                "customModelDeploymentArn": deployment["customModelDeploymentArn"],
                "customModelDeploymentName": deployment["modelDeploymentName"],
                "modelArn": deployment["modelArn"],
                "createdAt": deployment["createdAt"],
                "status": deployment["status"],
            }
            for deployment in self.deployments.values()
        ]
        return "ListCustomModelDeployments", "modelDeploymentSummaries", rows

    def train(self, name: str, status: str = "Completed", **changes: Any) -> str:
        """Ends the job of this name; the answer is the model's ARN."""
        number = self.jobs[name]["jobArn"].rpartition("/")[2]
        arn = f"{PREFIX}custom-model/amazon.nova-lite-v1:0:300k/{number}"
        self.jobs[name] |= {"status": status, "endTime": THEN, **changes}
        if status == "Completed":
            self.jobs[name]["outputModelArn"] = self.models[name] = arn
            self.tags[arn] = self.tags[name]
        return arn

    def _model(self, arn: str) -> str | None:
        assert arn.startswith("arn:")
        return next((name for name, known in self.models.items() if known == arn), None)

    def _job(self, arn: str, operation: str = "GetModelCustomizationJob") -> dict[str, Any]:
        assert arn.startswith("arn:")
        for job in self.jobs.values():
            if arn == job["jobArn"] and arn not in self.unseen:
                return job
        raise self._refuse(operation, "ResourceNotFoundException")

    def _deployment(self, arn: str, operation: str = "GetCustomModelDeployment") -> dict[str, Any]:
        assert arn.startswith("arn:")
        for deployment in self.deployments.values():
            if arn == deployment["customModelDeploymentArn"] and arn not in self.unseen:
                return deployment
        raise self._refuse(operation, "ResourceNotFoundException")


class FakeList:
    """A paginator of the account."""

    def __init__(self, bedrock: FakeBedrock, operation: str) -> None:
        self._bedrock = bedrock
        self._operation = operation

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        """Pages of one item, and an empty one."""
        request.pop("PaginationConfig", None)
        operation, member, rows = self._bedrock._rows(self._operation, request)
        for page in [*([row] for row in rows), []]:
            yield self._bedrock._call(operation, request, lambda page=page: {member: page})  # type: ignore[misc]
