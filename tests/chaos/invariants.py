"""What must be true once nothing runs any more, whatever went wrong before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from idp_finetuning.jobs.deadlines import DEADLINE_PASSED
from idp_finetuning.jobs.job import ENDED, JobStatus
from tests.chaos.state import BedrockThing, State

RUNNING = ("InProgress", "Stopping")


def every_job_ended(state: State) -> Iterator[str]:
    """Check that a job is COMPLETED, FAILED or STOPPED, or was deleted because a user asked for it."""
    for job in state.jobs:
        if job.status not in ENDED:
            yield f"job {job.id} is still {job.status}"
    known = {job.id for job in state.jobs}
    for job_id in sorted(state.started - known - state.deletions):
        yield f"job {job_id} has no record and no user deleted it"


def no_execution_goes_on(state: State) -> Iterator[str]:
    """Check that no workflow runs any more."""
    for execution in state.executions:
        if execution.status == "RUNNING":
            yield f"execution {execution.name} is still RUNNING"


def every_evaluation_ended(state: State) -> Iterator[str]:
    """Check that a completed job was evaluated, or says why not."""
    for job in state.jobs:
        if job.status is not JobStatus.COMPLETED or not job.evaluate:
            continue
        if job.evaluation is None or job.evaluation_run:
            yield f"job {job.id} is COMPLETED and its evaluation has not ended"
        elif not (job.evaluation.sentence or job.evaluation.error_message):
            yield f"the evaluation of job {job.id} is {job.evaluation.status} without a word"


def nothing_trains_for_an_ended_job(state: State) -> Iterator[str]:
    """Check that no customization job runs for a job that ended; if it failed, a retry may adopt what is reported."""
    for thing in state.bedrock:
        job = state.job(thing.job_id)
        if thing.kind != "customization job" or thing.status not in RUNNING or not job or job.status not in ENDED:
            continue
        if job.status is not JobStatus.FAILED or not _is_reported(thing, state):
            yield f"{thing.name} is {thing.status} in Bedrock, and job {job.id} is {job.status}"


def no_training_stopped(state: State) -> Iterator[str]:
    """Check that a customization job was stopped only for a user's stop or deletion, or a passed deadline."""
    for thing in state.bedrock:
        if thing.kind != "customization job" or thing.status not in ("Stopping", "Stopped"):
            continue
        job = state.job(thing.job_id)
        is_late = job is not None and job.error_code == DEADLINE_PASSED
        if thing.job_id not in state.stops | state.deletions and not is_late:
            yield f"{thing.name} is {thing.status} in Bedrock, and no user stopped or deleted its job"


def no_ghosts(state: State) -> Iterator[str]:
    """Check that a deleted job has neither record nor history nor objects, and does not come back."""
    known = {job.id for job in state.jobs}
    for job_id in sorted(state.gone & known):
        yield f"job {job_id} was deleted and has a record again"
    items = Counter(job_id for job_id, item in state.items if item != "token" and job_id not in known)
    for job_id, count in items.items():
        kinds = sorted({item.partition("#")[0] for owner, item in state.items if owner == job_id})
        yield f"job {job_id} has no record but {count} items ({', '.join(kinds)})"
    objects = Counter(key.split("/")[1] for key in state.object_keys)
    for job_id, count in objects.items():
        if job_id not in known:
            example = next(key for key in state.object_keys if key.split("/")[1] == job_id)
            yield f"job {job_id} has no record but {count} object versions, for example {example}"


def no_training_twice(state: State) -> Iterator[str]:
    """Check that a name has one customization job, and a job at most one for each of its attempts."""
    submitted = [thing for thing in state.bedrock if thing.kind == "customization job"]
    for name, count in Counter(thing.name for thing in submitted).items():
        if count > 1:
            yield f"{name} was submitted {count} times"
    for job in state.jobs:
        count = sum(thing.job_id == job.id for thing in submitted)
        if count > job.training_attempt:
            yield f"job {job.id} has {count} customization jobs after {job.training_attempt} attempts"


def a_completed_job_answers(state: State) -> Iterator[str]:
    """Check that a COMPLETED job has its model, and that its deployment is Active."""
    by_arn = {thing.arn: thing for thing in state.bedrock}
    for job in state.jobs:
        if job.status is not JobStatus.COMPLETED:
            continue
        deployment = by_arn.get(job.custom_model_deployment_arn or "")
        if (job.custom_model_arn or "") not in by_arn:
            yield f"job {job.id} is COMPLETED and its custom model is not there"
        if not deployment or deployment.status != "Active":
            yield f"job {job.id} is COMPLETED and its deployment is {deployment.status if deployment else 'not there'}"


def nothing_left_of_deleted_jobs(state: State) -> Iterator[str]:
    """Check that the sweep names each deployment or model of a job without a record."""
    for thing in state.bedrock:
        if thing.kind != "customization job" and not state.job(thing.job_id) and not _is_reported(thing, state):
            yield f"{thing.kind} {thing.name} is left of a deleted job and was not reported"


def no_orphan_unreported(state: State) -> Iterator[str]:
    """Check that the sweep names what runs for no job, or for an attempt that its job has given up."""
    for thing in state.bedrock:
        job = state.job(thing.job_id)
        owned = job is not None and thing.name in (job.training_name, job.deployment_name)
        runs = thing.status in RUNNING if thing.kind == "customization job" else job is not None
        if runs and not owned and not _is_reported(thing, state):
            yield f"{thing.kind} {thing.name} belongs to no job and was not reported"


def _is_reported(thing: BedrockThing, state: State) -> bool:
    return f"{thing.kind} {thing.name}" in state.reported


INVARIANTS: Mapping[str, Callable[[State], Iterator[str]]] = {
    "every job ended": every_job_ended,
    "no execution goes on": no_execution_goes_on,
    "every evaluation ended": every_evaluation_ended,
    "nothing trains for an ended job": nothing_trains_for_an_ended_job,
    "no training stopped but by a user or a deadline": no_training_stopped,
    "no ghosts": no_ghosts,
    "no training attempt twice": no_training_twice,
    "a completed job answers": a_completed_job_answers,
    "nothing left of deleted jobs": nothing_left_of_deleted_jobs,
    "no orphan unreported": no_orphan_unreported,
}


def violations(state: State) -> list[str]:
    """Return `<invariant>: <what breaks it>` for each violation; nothing if all hold."""
    return [f"{name}: {found}" for name, broken in INVARIANTS.items() for found in broken(state)]
