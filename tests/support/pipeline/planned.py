"""Faults by plan: which runs of which functions of a job meet which fault, by the job's name."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from idp_finetuning.deployment import FUNCTIONS
from idp_local.aws.names import PREFIX
from idp_local.functions.messages import Outcome, Task, failure
from tests.support.local.faults import Fault, FaultKind, with_faults

ALL = 1_000_000  # more calls than a run makes
RESOLVER = "Resolver"
# Operations of functions whose runs go on without them, and words that tell people or operators of the failure. In
# the order of the calls: of ValidateTestSet the last one is made only if the three before it succeeded.
TOLERATED: Mapping[str, Mapping[str, str]] = {
    "ValidateTestSet": {
        operation: f"{operation} returned"
        for operation in (
            "ListFoundationModels",
            "GetAccountSettings",
            "ListCustomModels",
            "ListModelCustomizationJobs",
            "ListCustomModelDeployments",
            "ListServiceQuotas",
        )
    },
    "CompleteJob": {"StartExecution": "the evaluation was not started"},
    "GetCustomizationJob": dict.fromkeys(
        ("ListObjectsV2", "GetObject", "PutObject"), "Bedrock's counts of the records could not be read"
    ),
}
_FUNCTIONS = {spec.function_name(PREFIX): spec.name for spec in FUNCTIONS}
_START_SECONDS = 60


def refused(operation: str | None = None) -> Fault:
    """Each call of the operation, or each call, is refused for good."""
    return Fault(kind=FaultKind.REFUSED, times=ALL, operation=operation)


class Ending(BaseModel):
    """How the runs for a document end: by faults, by their time, or as an error that only Lambda itself makes."""

    model_config = ConfigDict(frozen=True)

    faults: tuple[Fault, ...] = ()
    seconds: float | None = None
    error: str | None = None
    runs: int = ALL


class Plan(BaseModel):
    """What befalls a job.

    `faults`: of every run of a function. `failing`: operations of a function that fail with `kind` for a whole run,
    one after the other, each until a run has failed by it; those that are TOLERATED in every run. `documents`: by path.
    `then`: what happens after a function's run, told the job's id.
    """

    model_config = ConfigDict(frozen=True)

    faults: Mapping[str, tuple[Fault, ...]] = {}
    failing: Mapping[str, tuple[str, ...]] = {}
    kind: FaultKind = FaultKind.THROTTLED
    documents: Mapping[str, Ending] = {}
    then: Mapping[str, Callable[[str], None]] = {}


class PlannedDisturbance:
    """Carries out plans; `errors` are the error types that a job's runs of a function ended with."""

    def __init__(self) -> None:
        self.errors: dict[tuple[str, str], list[str]] = {}
        self._plans: dict[str, Plan] = {}
        self._names: dict[str, str] = {}
        self._left: dict[tuple[str, str], deque[str]] = {}
        self._tolerated: dict[tuple[str, str], tuple[str, ...]] = {}
        self._documents: Counter[tuple[str, str]] = Counter()
        self._changed = threading.Condition()

    def plan(self, job_name: str, plan: Plan) -> None:
        """What befalls the job of this name from now on."""
        with self._changed:
            self._plans[job_name] = plan
            for function, names in plan.failing.items():
                tolerated = TOLERATED.get(function, {})
                self._left[job_name, function] = deque(name for name in names if name not in tolerated)
                self._tolerated[job_name, function] = tuple(name for name in names if name in tolerated)

    def name(self, job_id: str, job_name: str) -> None:
        """Whose runs those of a job are; a start that was answered says it by itself."""
        with self._changed:
            self._names[job_id] = job_name
            self._changed.notify_all()

    def left(self, job_name: str, said: str = "") -> dict[str, tuple[str, ...]]:
        """Operations that were to fail and did not, by function; of TOLERATED ones, those without a word in `said`."""
        left = {
            function: (*names, *(o for o in self._tolerated[name, function] if TOLERATED[function][o] not in said))
            for (name, function), names in self._left.items()
            if name == job_name
        }
        return {function: names for function, names in left.items() if names}

    def run(self, task: Task, run: Callable[[Task], Outcome]) -> Outcome:
        """Runs the task as its job's plan says."""
        if task.event.get("field") == "startFinetuningJob":
            return self._start(task, run)
        job_id = task.event.get("jobId")
        if job_id is None:
            return run(task)
        function, name = _FUNCTIONS[task.function_name], self.name_of(job_id)
        plan = self._plans.get(name, Plan())
        outcome = self._planned(name, plan, function, task, run)
        if outcome.failed:
            self.errors.setdefault((name, function), []).append(outcome.payload["errorType"])
        if after := plan.then.get(function):
            after(job_id)
        return outcome

    def _start(self, task: Task, run: Callable[[Task], Outcome]) -> Outcome:
        name = task.event["arguments"]["input"]["jobName"]
        faults = self._plans.get(name, Plan()).faults.get(RESOLVER, ())
        outcome = run(with_faults(task, faults))
        if not outcome.failed and "data" in outcome.payload:
            self.name(outcome.payload["data"]["id"], name)
        return outcome

    def name_of(self, job_id: str) -> str:
        """The job's name; a workflow may begin before its start is answered. Empty where that never comes."""
        with self._changed:
            self._changed.wait_for(lambda: job_id in self._names, _START_SECONDS)
            return self._names.get(job_id, "")

    def _planned(self, name: str, plan: Plan, function: str, task: Task, run: Callable[[Task], Outcome]) -> Outcome:
        if ending := plan.documents.get(_path(task.event)):
            return self._ended(name, ending, task, run)
        faults = plan.faults.get(function, ())
        left = self._left.get((name, function))
        first = left[0] if left else None
        failing = (*([first] if first else []), *self._tolerated.get((name, function), ()))
        faults += tuple(Fault(kind=plan.kind, times=ALL, operation=operation) for operation in failing)
        outcome = run(with_faults(task, faults))
        with self._changed:
            if left and left[0] == first and outcome.failed:
                left.popleft()
        return outcome

    def _ended(self, name: str, ending: Ending, task: Task, run: Callable[[Task], Outcome]) -> Outcome:
        key = (name, _path(task.event))
        with self._changed:
            self._documents[key] += 1
            spared = self._documents[key] > ending.runs
        if spared or _FUNCTIONS[task.function_name] != "GenerateExample":
            return run(task)
        if ending.error:
            return failure(ending.error, "The sandbox ended.")
        limit = {"timeout_seconds": ending.seconds} if ending.seconds else {}
        return run(with_faults(task, ending.faults).model_copy(update=limit))


def _path(event: Mapping[str, Any]) -> str:
    key: str = (event.get("document") or {}).get("key") or ""
    return key.partition("/input/")[2]
