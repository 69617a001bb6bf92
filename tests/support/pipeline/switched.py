"""A local runtime on which every job meets a Bedrock of its own, with switches of its own, all at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import botocore
from pydantic import BaseModel, ConfigDict

from idp_finetuning.jobs.job import ENDED, FinetuningJob
from idp_local.bedrock.account import Account
from idp_local.bedrock.foundation_models import MODELS
from idp_local.bedrock.routing import route
from idp_local.bedrock.server import BedrockServer
from idp_local.environment import CHECKOUT
from idp_local.functions.messages import Task
from idp_local.functions.worker import Instrument
from idp_local.runtime import LocalRuntime
from tests.chaos.bedrock import FailingBedrock
from tests.chaos.documents import tiny_test_set
from tests.support.local.faults import FaultKind
from tests.support.local.instrument import install
from tests.support.pipeline.bedrock_answers import ANSWERS, CATALOGUE, Answer
from tests.support.pipeline.driver import Pipeline
from tests.support.pipeline.planned import ALL, Plan, PlannedDisturbance
from tests.support.pipeline.planned_jobs import PlannedJobs

_HEADER = "x-job-of-the-test"
_LOST = {
    "CreateCustomizationJob": ("CreateModelCustomizationJob",),
    "CreateModelDeployment": ("CreateCustomModelDeployment",),
}
_FIRST_OF_THEIR_MODEL = 3


class Ended(BaseModel):
    """What became of the jobs under an answer: records, what each waited for, and what Bedrock was asked, how often.

    `trainings` are the customization jobs that Bedrock has; `unlost` operations whose responses should have been lost;
    `left` counts the models and deployments that Bedrock has after the deletions.
    """

    model_config = ConfigDict(frozen=True)

    jobs: tuple[FinetuningJob, ...]
    waited: bool
    operations: Mapping[str, int]
    trainings: int
    unlost: tuple[str, ...]
    left: int


class Bedrocks(BedrockServer):
    """One server for all jobs: passes a request on to the Bedrock of the job whose function sends it."""

    def __init__(self, s3_endpoint: str, disturbance: PlannedDisturbance) -> None:
        behaviour = FailingBedrock(0)  # trains each data set once
        behaviour.active = False
        super().__init__(s3_endpoint=s3_endpoint, fine_tunable=tuple(MODELS))
        self._disturbance = disturbance
        self.asked = {answer.name: Counter[str]() for answer in ANSWERS}
        self.by_answer = {
            answer.name: BedrockServer(
                s3_endpoint=s3_endpoint,
                fine_tunable=tuple(MODELS),
                seconds_per_phase=answer.phase_seconds,
                behaviour=behaviour,
                switches=answer.switches,
            )
            for answer in ANSWERS
        }
        self._names = {name: answer.name for answer in ANSWERS for name in answer.job_names}

    def respond(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """Respond as the job's own Bedrock."""
        job_id = headers.get(_HEADER)
        answer = self._names.get(self._disturbance.name_of(job_id)) if job_id else None
        if answer is None:
            return super().respond(method, target, headers, body)
        operation, _ = route(method, target.partition("?")[0])
        self.asked[answer][operation.name] += 1
        return self.by_answer[answer].respond(method, target, headers, body)

    def stop(self) -> None:
        """End all of them."""
        for server in self.by_answer.values():
            server.stop()
        super().stop()


def install_with_header() -> Instrument:
    """The tests' instrument, which also says in a header to Bedrock whose run sends a request."""
    job = [""]

    def name_job(request: Any, **_: Any) -> None:
        if job[0]:
            request.headers[_HEADER] = job[0]

    def observe(session: Any) -> None:
        for service in ("bedrock", "bedrock-runtime"):
            session.register(f"before-send.{service}", name_job)

    botocore.register_initializer(observe)
    begin_others = install()

    def begin(task: Task) -> None:
        job[0] = str(task.event.get("jobId") or (task.event.get("arguments") or {}).get("jobId") or "")
        begin_others(task)

    return begin


class SwitchedRun:
    """All jobs of the matrix on one runtime."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._disturbance = PlannedDisturbance()
        self._bedrocks: Bedrocks

    def run(self) -> Mapping[str, Ended]:
        """Run the jobs of every answer; the first of each base model before all others."""
        with LocalRuntime(
            self._directory,
            workers=4,
            reconcile_seconds=ALL,
            handler_root=_write_handler_root(self._directory),
            interceptor=self._disturbance,
            instrument=f"{__name__}:{install_with_header.__name__}",
            bedrock=self._make_bedrocks,
        ) as runtime:
            pipeline = Pipeline(runtime, self._directory)
            jobs = PlannedJobs(pipeline, self._disturbance)
            test_set_id = pipeline.upload("Small", tiny_test_set())
            for answers in (ANSWERS[:_FIRST_OF_THEIR_MODEL], ANSWERS[_FIRST_OF_THEIR_MODEL:]):
                for answer in answers:
                    _start(jobs, test_set_id, answer)
                jobs.wait([name for answer in answers for name in answer.job_names])
            records = {name: jobs.record(name) for answer in ANSWERS for name in answer.job_names}
            waited = {name for name in records if _has_waited(pipeline, jobs.id_of(name))}
            trainings = {answer.name: len(self._account(answer).jobs) for answer in ANSWERS}
            doomed = [answer.job_names[0] for answer in ANSWERS if answer.deleted]
            jobs.delete([name for name in doomed if records[name].status in ENDED])
            return {
                answer.name: Ended(
                    jobs=tuple(records[name] for name in answer.job_names),
                    waited=bool(waited & set(answer.job_names)),
                    operations=self._bedrocks.asked[answer.name],
                    trainings=trainings[answer.name],
                    unlost=tuple(
                        operation
                        for name in answer.job_names
                        for operations in self._disturbance.left(name).values()
                        for operation in operations
                    ),
                    left=len(self._account(answer).models) + len(self._account(answer).deployments),
                )
                for answer in ANSWERS
            }

    def _make_bedrocks(self, s3_endpoint: str) -> BedrockServer:
        self._bedrocks = Bedrocks(s3_endpoint, self._disturbance)
        return self._bedrocks

    def _account(self, answer: Answer) -> Account:
        return self._bedrocks.by_answer[answer.name].account


def _start(jobs: PlannedJobs, test_set_id: str, answer: Answer) -> None:
    plan = Plan(failing=_LOST if answer.lost else {}, kind=FaultKind.RESPONSE_LOST)
    given: dict[str, Any] = {"baseModel": answer.base_model}
    if answer.hyperparameters:
        given["hyperParameters"] = answer.hyperparameters
    for name in answer.job_names:
        jobs.start(name, test_set_id, plan, **given)


def _has_waited(pipeline: Pipeline, job_id: str) -> bool:
    return any(event.message.startswith("Waiting") for event in pipeline.sdk.finetuning.events(job_id))


def _write_handler_root(directory: Path) -> Path:
    root = directory / "handlers"
    (root / "lambdas").mkdir(parents=True)
    (root / "lambdas/__init__.py").write_text(f"{CATALOGUE}\n__path__ = ['{CHECKOUT}/lambdas']\n", encoding="utf-8")
    return root
