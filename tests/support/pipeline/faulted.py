"""Jobs that meet faults in every state, all at once on a local runtime of their own, and what became of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from idp_finetuning.jobs.job import FinetuningJob
from idp_local.aws.names import function_name
from idp_local.bedrock.server import BedrockServer
from idp_local.runtime import LocalRuntime
from idp_sdk import LabelledDocument, LabelledSection
from tests.chaos.bedrock import FailingBedrock
from tests.chaos.documents import tiny_test_set
from tests.chaos.state import State
from tests.support.local.call_log import calls
from tests.support.local.faults import Fault, FaultKind
from tests.support.local.instrument import INSTRUMENT
from tests.support.pipeline.driver import Pipeline
from tests.support.pipeline.fault_cases import (
    DELETION_STATES,
    DYING_WORKERS,
    ENDINGS,
    JOBS_A_KIND,
    LOST_MANIFEST,
    NOT_STARTED,
    PERMANENT,
    PLAIN,
    REFUSED_FOR_A_WHILE,
    START_KILLED,
    STATES,
    STUCK,
    TRANSIENT,
)
from tests.support.pipeline.planned import ALL, TOLERATED, Plan, PlannedDisturbance, refused
from tests.support.pipeline.planned_jobs import Execution, PlannedJobs

_BAD = LabelledDocument(
    path="text.pdf", content=b"%PDF- just text", sections=(LabelledSection(class_name="letter", page_indices=(0,)),)
)


class Faulted(BaseModel):
    """What became of the jobs, by name.

    `jobs` and `executions` as the workflows left them, `bedrock` the statuses of their customization jobs;
    `half_deleted` where a deletion was refused half-way, `deletions` the last of each; `unfailed` the operations that
    should have failed and did not; `state` after all was deleted; `calls` the operations of each function without
    faults; `stops` the customization jobs that any function stopped.
    """

    model_config = ConfigDict(frozen=True)

    jobs: Mapping[str, FinetuningJob]
    executions: Mapping[str, Execution]
    bedrock: Mapping[str, tuple[str, ...]]
    stuck: tuple[FinetuningJob, Execution]
    starts: Mapping[str, str]
    rejected: Mapping[str, str]
    half_deleted: Mapping[str, tuple[FinetuningJob, Execution]]
    deletions: Mapping[str, Execution]
    errors: Mapping[str, tuple[str, ...]]
    errors_of: Mapping[tuple[str, str], tuple[str, ...]]
    unfailed: Mapping[str, Mapping[str, tuple[str, ...]]]
    calls: Mapping[str, tuple[str, ...]]
    stops: tuple[str, ...]
    state: State


@contextmanager
def faulted_runtime(directory: Path) -> Iterator[tuple[Pipeline, PlannedDisturbance]]:
    """A runtime that trains each data set once and whose ReconcileJobs runs only when asked to."""
    disturbance, behaviour = PlannedDisturbance(), FailingBedrock(0)
    behaviour.active = False
    with LocalRuntime(
        directory,
        workers=8,
        reconcile_seconds=ALL,
        interceptor=disturbance,
        instrument=INSTRUMENT,
        bedrock=lambda s3: BedrockServer(s3_endpoint=s3, seconds_per_phase=0.2, behaviour=behaviour),
    ) as runtime:
        yield Pipeline(runtime, directory), disturbance


def meet_faults(directory: Path) -> Faulted:
    """Everything once: a job without faults, then all others at once, then their deletion."""
    with faulted_runtime(directory) as (pipeline, disturbance):
        jobs = PlannedJobs(pipeline, disturbance)
        small = pipeline.upload("Small", (*tiny_test_set()[:10], _BAD))
        large = pipeline.upload("Large", _many())
        jobs.start(PLAIN, small, Plan())
        jobs.wait([PLAIN])
        made = _calls(directory, STATES)
        _start_failing(jobs, small)
        jobs.start(DYING_WORKERS, large, Plan(documents={f"{name}.png": ending for name, ending in ENDINGS.items()}))
        killed = Fault(kind=FaultKind.KILLED_BEFORE, operation="StartExecution")
        starts = {
            NOT_STARTED: jobs.fails_to_start(NOT_STARTED, small, refused("StartExecution")),
            START_KILLED: jobs.fails_to_start(START_KILLED, small, killed),
        }
        for name, (kind, number) in TRANSIENT.items():
            shares = {function: made[function][number::JOBS_A_KIND] for function in STATES}
            jobs.start(name, small, Plan(failing=shares, kind=kind))
        for name, operations in REFUSED_FOR_A_WHILE.items():
            jobs.start(name, small, Plan(failing={name: operations}, kind=FaultKind.REFUSED))
        started = [*PERMANENT, LOST_MANIFEST, STUCK, DYING_WORKERS, *TRANSIENT, *REFUSED_FOR_A_WHILE]
        jobs.wait(started)
        stuck = (jobs.record(STUCK), jobs.execution(STUCK))
        disturbance.plan(STUCK, Plan())
        for name in (STUCK, START_KILLED):
            pipeline.invoke("ReconcileJobs", {"executionName": jobs.record(name).id, "grace": {"start": 0}})
        jobs.wait([STUCK, START_KILLED])
        ended = jobs.state()
        records = {job.job_name: job for job in ended.jobs}
        executions = {name: jobs.execution(name) for name in (PLAIN, *started)}
        bedrock = _trainings(ended)
        report = pipeline.sdk.finetuning.report(records[DYING_WORKERS].id)
        half, half_ended = jobs.delete_half_way()
        deletions = jobs.delete(half)
        made |= _calls(directory, DELETION_STATES)
        for name, (kind, number) in TRANSIENT.items():
            shares = {function: made[function][number::JOBS_A_KIND] for function in DELETION_STATES}
            disturbance.plan(name, Plan(failing=shares, kind=kind))
        deletions |= jobs.delete(records.keys() - half.keys())
        errors = {
            name: tuple(error for (job, _), found in disturbance.errors.items() if job == name for error in found)
            for name in TRANSIENT
        }
        return Faulted(
            jobs=records,
            executions=executions,
            bedrock=bedrock,
            stuck=stuck,
            starts=starts,
            rejected={item.key.rpartition("/")[2]: item.code for item in report.rejected_documents},
            half_deleted={name: (half[name], half_ended[name]) for name in half},
            deletions=deletions,
            errors=errors,
            errors_of={key: tuple(found) for key, found in disturbance.errors.items()},
            unfailed={
                name: left for name, job in records.items() if (left := disturbance.left(name, _said(directory, job)))
            },
            calls=made,
            stops=_stops(directory),
            state=jobs.state(),
        )


def _start_failing(jobs: PlannedJobs, test_set_id: str) -> None:
    """The jobs that a state ends for good."""
    for name, (functions, operation) in PERMANENT.items():
        faults = {function: (refused(operation),) for function in functions}
        jobs.start(name, test_set_id, Plan(faults=faults))
    jobs.start(LOST_MANIFEST, test_set_id, Plan(then={"ValidateTestSet": jobs.remove_manifest}))
    deploys = {"CreateModelDeployment": (refused("CreateCustomModelDeployment"),), "EndJob": (refused(),)}
    jobs.start(STUCK, test_set_id, Plan(faults=deploys))


def _many() -> tuple[LabelledDocument, ...]:
    """Forty documents, of which the four whose workers end may be rejected."""
    pages = tiny_test_set()
    names = (*ENDINGS, *(str(number) for number in range(40 - len(ENDINGS))))
    return tuple(
        pages[number % len(pages)].model_copy(update={"path": f"{name}.png"}) for number, name in enumerate(names)
    )


def _calls(directory: Path, states: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Operations that the function of each state has called, last the TOLERATED ones in their order."""
    names = {function_name(state): state for state in states}
    found: dict[str, set[str]] = defaultdict(set)
    for call in calls(directory):
        if call.function in names:
            found[names[call.function]].add(call.operation)
    return {
        state: (
            *sorted(operations - TOLERATED.get(state, {}).keys()),
            *(operation for operation in TOLERATED.get(state, {}) if operation in operations),
        )
        for state, operations in found.items()
    }


def _said(directory: Path, job: FinetuningJob) -> str:
    """The warnings of a job, for people and in the logs of functions."""
    lines = (line for log in (directory / "logs").glob("*.log") for line in log.read_text("utf-8").splitlines())
    return "\n".join((*job.warnings, *(line for line in lines if job.id in line and '"level":"WARNING"' in line)))


def _stops(directory: Path) -> tuple[str, ...]:
    stopped = (call for call in calls(directory) if call.operation == "StopModelCustomizationJob")
    return tuple(call.parameters["jobIdentifier"] for call in stopped)


def _trainings(state: State) -> dict[str, tuple[str, ...]]:
    return {
        job.job_name: tuple(
            thing.status for thing in state.bedrock if thing.job_id == job.id and thing.kind == "customization job"
        )
        for job in state.jobs
    }
