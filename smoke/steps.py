"""The steps of a run: which questions each asks, and what it may cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, NamedTuple

from idp_local.bedrock.answers import SMALL_SET, Exchange
from idp_sdk import LabelledDocument
from smoke.dataset import Dataset
from smoke.recorder import Recorder
from smoke.state import StateFile

MODEL = "amazon.nova-2-lite-v1:0:256k"
RECORDS = 200
# Public field reports of August 2026 (docs/deploy.md); tokens of a record are an upper estimate.
DOLLARS_A_THOUSAND_TOKENS = 0.00378
TOKENS_A_RECORD = 1_500
DOLLARS_A_MODEL_MONTH = 1.95
SMALL_JOBS = 3

_JOB = "CreateModelCustomizationJob"
_GET_JOB = "GetModelCustomizationJob"
_LIST_JOBS = "ListModelCustomizationJobs"
_DEPLOY = "CreateCustomModelDeployment"
_GET_DEPLOYMENT = "GetCustomModelDeployment"
_DELETE_DEPLOYMENT = "DeleteCustomModelDeployment"


@dataclass(frozen=True)
class Patience:
    """Seconds: between polls, for what takes moments, for the validation of a small set, for training, to deploy."""

    poll: float = 60
    moments: float = 180
    validation: float = 600
    training: float = 86_400
    deployment: float = 7_200


class Clients(NamedTuple):
    """Clients of the services that the questions go to."""

    bedrock: Any
    runtime: Any
    quotas: Any
    s3: Any


class Step(NamedTuple):
    """A step; `dollars` is what it costs at most, 0 if nothing, and `needs` the step without which it is left out."""

    name: str
    title: str
    run: Callable[[], None]
    dollars: float = 0
    needs: str | None = None


class Questions:
    """The questions, each asked by one method; what a step finds or makes is kept in the state."""

    def __init__(
        self,
        file: StateFile,
        recorder: Recorder,
        clients: Clients,
        documents: Callable[[], Sequence[LabelledDocument]],
        *,
        patience: Patience,
        records: int = RECORDS,
    ) -> None:
        self._file = file
        self._recorder = recorder
        self._clients = clients
        self._bedrock = clients.bedrock
        self._documents = documents
        self._patience = patience
        self._records = records

    def steps(self) -> tuple[Step, ...]:
        """Return the steps in their order."""
        small = SMALL_JOBS * _training_dollars(SMALL_SET)
        large = _training_dollars(self._records) + DOLLARS_A_MODEL_MONTH
        pages = f"{self._records} pages"
        return (
            Step("absent", "What exists not: Get, Stop and Delete of absent names; models and quotas", self.ask_absent),
            Step("unknown", "A job with a hyperparameter that does not exist", self.ask_unknown_hyperparameter),
            Step(
                "small",
                f"{SMALL_JOBS} jobs on {SMALL_SET} pages, stopped when Bedrock has checked them",
                self.ask_small_jobs,
                small,
            ),
            Step("job", f"A Nova 2 Lite job on {pages}, its model and a deployment", self.train, large),
            Step("deployment", "Its deployment, one Converse call, and its deletion", self.ask_deployment, needs="job"),
        )

    def ask_absent(self) -> None:
        """Ask for what does not exist, and what the account offers."""
        name, ask, bedrock = self._file.state.name("absent"), self._recorder.ask, self._bedrock
        ask("offered", bedrock, "ListFoundationModels", byCustomizationType="FINE_TUNING")
        ask("absentJob", bedrock, _GET_JOB, jobIdentifier=name)
        ask("absentJobStop", bedrock, "StopModelCustomizationJob", jobIdentifier=name)
        ask("absentModel", bedrock, "GetCustomModel", modelIdentifier=name)
        ask("absentModelDelete", bedrock, "DeleteCustomModel", modelIdentifier=name)
        ask("absentDeployment", bedrock, _GET_DEPLOYMENT, customModelDeploymentIdentifier=name)
        ask("absentDeploymentDelete", bedrock, _DELETE_DEPLOYMENT, customModelDeploymentIdentifier=name)
        ask("quotas", self._clients.quotas, "ListServiceQuotas", ServiceCode="bedrock")

    def ask_unknown_hyperparameter(self) -> None:
        """Create a job that should be refused at once; stop it if it is not."""
        uri = self._upload("small", SMALL_SET)
        request = self._request("unknown", uri, hyperParameters={"epochCount": "1", "noSuchHyperParameter": "1"})
        self._create("unknownHyperParameter", request)
        self._stop_all("unknownHyperParameterStop")

    def ask_small_jobs(self) -> None:
        """Create small jobs; ask when they are seen, what a replay gets, and what Bedrock's validation says."""
        uri = self._upload("small", SMALL_SET)
        values = {"epochCount": "1", "batchSize": "1", "learningRate": "0.00001"}
        request = self._request("small", uri, hyperParameters=values)
        created, arn = self._create("smallSet", request)
        if created.error and "batchSize" in created.error.message:
            del values["batchSize"]
            created, arn = self._create("smallSet", request | {"hyperParameters": values})
        if arn:
            self._see_job(arn, request["jobName"])
            again = request | {"hyperParameters": values}
            self._create("replay", again)
            self._create("replayChanged", again | {"hyperParameters": values | {"learningRate": "0.00002"}})
            self._create("sameName", again | {"clientRequestToken": request["jobName"] + "-again"})
        del values["learningRate"]
        warm = {"epochCount": "1", "learningRate": "0.00001", "learningRateWarmupSteps": "1"}
        self._create("warmUp", self._request("warm", uri, slash=False, hyperParameters=warm))
        validation = {"validators": [{"s3Uri": uri}]}
        held_out = self._request("held", uri, hyperParameters=warm, validationDataConfig=validation)
        del held_out["hyperParameters"]["learningRateWarmupSteps"]
        self._create("validationFile", held_out)
        for job in self._file.state.jobs:
            self._recorder.watch(
                "validated",
                self._bedrock,
                _GET_JOB,
                _is_validated,
                seconds=self._patience.validation,
                every=min(self._patience.poll, 15),
                jobIdentifier=job,
            )
        self._stop_all("stop")
        for job in self._file.state.jobs[:1]:
            self._recorder.ask("doubleStop", self._bedrock, "StopModelCustomizationJob", jobIdentifier=job)

    def train(self) -> None:
        """Train once; a run that was interrupted goes on waiting."""
        if not self._file.state.paid_job:
            values = {"epochCount": "1", "batchSize": "1", "learningRate": "0.00001"}
            for name in self._recorder.answers.refused_hyperparameters():
                values.pop(name, None)
            request = self._request("trained", self._upload("large", self._records), hyperParameters=values)
            created, arn = self._create("train", request)
            if not arn:
                raise SmokeFailed(f"Bedrock refused the job: {created.error.message if created.error else ''}")
            self._file.change(paid_job=arn)
        watched = self._recorder.watch(
            "trained",
            self._bedrock,
            _GET_JOB,
            lambda one: _status(one) in ("Completed", "Failed", "Stopped") and not _lacks_model(one),
            seconds=self._patience.training,
            every=self._patience.poll,
            jobIdentifier=self._file.state.paid_job,
        )
        if _status(watched) not in ("Completed", "Failed", "Stopped") or _lacks_model(watched):
            raise StillWorking("The job is still in training.")
        if _status(watched) != "Completed":
            reason = (watched.response or {}).get("failureMessage", "it is not completed yet")
            raise SmokeFailed(f"The job is {_status(watched)}: {reason}")
        # From Bedrock once more: the record has no account id in the ARN.
        job = self._bedrock.get_model_customization_job(jobIdentifier=self._file.state.paid_job)
        self._file.change(model=job["outputModelArn"])
        self._record_output()

    def ask_deployment(self) -> None:
        """Deploy the model, use it once, and delete both, asking too early and twice."""
        ask, bedrock, model = self._recorder.ask, self._bedrock, self._file.state.model
        ask("model", bedrock, "GetCustomModel", modelIdentifier=model)
        if not self._file.state.deployment:
            self._deploy("deployed")
        self._wait_for_deployment()
        page = Dataset(self._documents(), 1)
        ask(
            "converse",
            self._clients.runtime,
            "Converse",
            **page.prompt.converse_request(str(self._file.state.deployment), page.pages[0].jpeg),
        )
        ask("deleteModelInUse", bedrock, "DeleteCustomModel", modelIdentifier=model)
        arn = self._file.state.deployment
        self._delete("delete", _DELETE_DEPLOYMENT, customModelDeploymentIdentifier=arn)
        ask("doubleDelete", bedrock, _DELETE_DEPLOYMENT, customModelDeploymentIdentifier=arn)
        self._wait_until_gone()
        ask("deleteGone", bedrock, _DELETE_DEPLOYMENT, customModelDeploymentIdentifier=arn)
        self._file.change(deployment=None)
        self._delete("deleteModel", "DeleteCustomModel", modelIdentifier=model)
        ask("doubleDeleteModel", bedrock, "DeleteCustomModel", modelIdentifier=model)

    def clean_up(self) -> list[str]:
        """Stop and delete what the run made in Bedrock; return what could not be removed."""
        left = []
        if self._file.state.deployment:
            arn = self._file.state.deployment
            self._delete("cleanUp", _DELETE_DEPLOYMENT, customModelDeploymentIdentifier=arn)
            self._wait_until_gone()
        self._stop_all("cleanUp")
        rows = self._bedrock.list_custom_models(nameContains=self._file.state.name(""))["modelSummaries"]
        for row in rows:
            removed = self._delete("cleanUp", "DeleteCustomModel", modelIdentifier=row["modelArn"])
            left += [f"custom model {row['modelArn']}"] if removed.error else []
        return left

    def _delete(self, question: str, operation: str, **identifier: Any) -> Exchange:
        """Delete, also if Bedrock refuses it a few times because the resource still changes."""
        return self._recorder.watch(
            question,
            self._bedrock,
            operation,
            lambda one: one.error is None or one.error.code == "ResourceNotFoundException",
            seconds=self._patience.moments,
            every=min(self._patience.poll, 5),
            **identifier,
        )

    def _deploy(self, name: str) -> None:
        """Create a deployment and ask what goes wrong while it is Creating; if its deletion is taken, make another."""
        full = self._file.state.name(name)
        request = {"modelDeploymentName": full, "modelArn": self._file.state.model, "clientRequestToken": full}
        created, arn = self._recorder.create("deploy", self._bedrock, _DEPLOY, **request)
        if not arn:
            raise SmokeFailed(f"Bedrock refused the deployment: {created.error.message if created.error else ''}")
        self._file.change(deployment=arn)
        self._see(_GET_DEPLOYMENT, "ListCustomModelDeployments", full, customModelDeploymentIdentifier=arn)
        self._recorder.ask("replayDeployment", self._bedrock, _DEPLOY, **request)
        other = request | {"clientRequestToken": full + "-again"}
        self._recorder.ask("sameDeploymentName", self._bedrock, _DEPLOY, **other)
        if name == "deployed":
            early = self._recorder.ask(
                "deleteWhileCreating", self._bedrock, _DELETE_DEPLOYMENT, customModelDeploymentIdentifier=arn
            )
            if not early.error:
                self._wait_until_gone()
                self._deploy("deployed-2")

    def _wait_for_deployment(self) -> None:
        watched = self._recorder.watch(
            "deployed",
            self._bedrock,
            _GET_DEPLOYMENT,
            lambda one: _status(one) in ("Active", "Failed"),
            seconds=self._patience.deployment,
            every=self._patience.poll,
            customModelDeploymentIdentifier=self._file.state.deployment,
        )
        if _status(watched) not in ("Active", "Failed"):
            raise StillWorking("The deployment is still being created.")
        if _status(watched) != "Active":
            raise SmokeFailed(f"The deployment is {_status(watched)}.")

    def _wait_until_gone(self) -> None:
        self._recorder.watch(
            "deleted",
            self._bedrock,
            _GET_DEPLOYMENT,
            lambda one: one.error is not None and one.error.code != "ThrottlingException",
            seconds=self._patience.deployment,
            every=min(self._patience.poll, 5),
            customModelDeploymentIdentifier=self._file.state.deployment,
        )

    def _see_job(self, arn: str, name: str) -> None:
        self._see(_GET_JOB, _LIST_JOBS, name, jobIdentifier=arn)

    def _see(self, get: str, list_all: str, name: str, **identifier: Any) -> None:
        """Ask until Get and List show what was created."""
        watch = partial(self._recorder.watch, seconds=self._patience.moments, every=min(self._patience.poll, 2))
        watch("visible", self._bedrock, get, lambda one: not one.error, **identifier)
        watch("listed", self._bedrock, list_all, _has_rows, nameContains=name)

    def _create(self, question: str, request: dict[str, Any]) -> tuple[Exchange, str | None]:
        created, arn = self._recorder.create(question, self._bedrock, _JOB, **request)
        self._file.add_job(arn)
        return created, arn

    def _request(self, name: str, uri: str, *, slash: bool = True, **more: Any) -> dict[str, Any]:
        state = self._file.state
        full = state.name(name)
        return {
            "jobName": full,
            "customModelName": full,
            "clientRequestToken": full,
            "roleArn": state.role_arn,
            "baseModelIdentifier": MODEL,
            "customizationType": "FINE_TUNING",
            "trainingDataConfig": {"s3Uri": uri},
            "outputDataConfig": {"s3Uri": f"s3://{state.bucket}/{state.prefix}output" + ("/" if slash else "")},
            **more,
        }

    def _upload(self, name: Literal["small", "large"], count: int) -> str:
        state = self._file.state
        return Dataset(self._documents(), count).upload(self._clients.s3, str(state.bucket), f"{state.prefix}{name}/")

    def _stop_all(self, question: str) -> None:
        for job in self._file.state.jobs:
            if self._bedrock.get_model_customization_job(jobIdentifier=job)["status"] == "InProgress":
                self._recorder.ask(question, self._bedrock, "StopModelCustomizationJob", jobIdentifier=job)

    def _record_output(self) -> None:
        """Record which objects Bedrock wrote, and its record counts."""
        state = self._file.state
        where = {"Bucket": state.bucket, "Prefix": f"{state.prefix}output/"}
        self._recorder.ask("output", self._clients.s3, "ListObjectsV2", **where)


class SmokeFailed(Exception):
    """A step cannot go on; the message says why."""


class StillWorking(Exception):
    """Bedrock takes longer than the run waits; what is paid for is neither stopped nor removed."""


def _training_dollars(records: int) -> float:
    return records * TOKENS_A_RECORD / 1_000 * DOLLARS_A_THOUSAND_TOKENS


def _status(exchange: Exchange) -> str | None:
    return (exchange.response or {}).get("status")


def _lacks_model(exchange: Exchange) -> bool:
    return _status(exchange) == "Completed" and "outputModelArn" not in (exchange.response or {})


def _is_validated(exchange: Exchange) -> bool:
    details = (exchange.response or {}).get("statusDetails", {}).get("validationDetails", {})
    return _status(exchange) in ("Completed", "Failed", "Stopped") or details.get("status") == "Completed"


def _has_rows(exchange: Exchange) -> bool:
    return any(value for value in (exchange.response or {}).values() if isinstance(value, list))
