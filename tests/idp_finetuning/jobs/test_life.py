"""The life of a job: where it may go, who may move it, and what its history says."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise, product
from typing import Any, get_type_hints

import pytest

from idp_finetuning.errors import Conflict, JobStopping, StaleState
from idp_finetuning.jobs.job import Failure, FinetuningJob, JobEvent, JobRun, JobStatus, TrainingMetrics
from idp_finetuning.jobs.life import (
    JobChanges,
    Outcome,
    Resumption,
    begin_creation,
    fail,
    move,
    require,
    restart,
    resume,
    stop,
)
from tests.support.domain.samples import job

FORWARD = ["VALIDATING", "GENERATING_DATA", "TRAINING", "DEPLOYING", "COMPLETED"]
ALLOWED = (
    set(pairwise(FORWARD))
    | {(status, status) for status in JobStatus if status not in ("FAILED", "STOPPED")}
    | {(status, end) for status in FORWARD[:-1] for end in ("FAILED", "STOPPING")}
    | {(status, "STOPPED") for status in ("VALIDATING", "GENERATING_DATA", "STOPPING")}
    | {(status, "DELETING") for status in ("COMPLETED", "FAILED", "STOPPED")}
)
FAILURE = Failure(code="TrainingFailed", message="Training failed: bad data.")
LATE = JobRun(job_id=job().id, number=2)


def walk(start: FinetuningJob, statuses: Iterable[str]) -> tuple[FinetuningJob, list[JobEvent]]:
    """The job after moves through these statuses, and the events on the way."""
    events: list[JobEvent] = []
    for status in statuses:
        start, event = move(start, start.current_run, JobStatus(status))
        events += [event] if event else []
    return start, events


@pytest.mark.parametrize(("origin", "to"), [(str(a), str(b)) for a, b in product(JobStatus, JobStatus)])
def test_a_job_moves_forwards_fails_or_is_deleted_and_nothing_else(origin: str, to: str) -> None:
    before = job(status=JobStatus(origin))
    if (origin, to) in ALLOWED:
        after, _ = move(before, before.current_run, JobStatus(to), error_message="new")
        assert (after.status, after.error_message, after.revision) == (to, "new", 1)
        return
    stopping = origin in ("STOPPING", "STOPPED")
    words = "is being stopped" if stopping else f"is {origin} in run 1 and cannot become {to}"
    with pytest.raises(JobStopping if stopping else StaleState, match=words):
        move(before, before.current_run, JobStatus(to), error_message="new")


def test_a_late_writer_cannot_move_a_job_back() -> None:
    failed, _ = walk(job(), ["GENERATING_DATA", "TRAINING", "FAILED"])
    with pytest.raises(StaleState):
        move(failed, job().current_run, JobStatus.DEPLOYING, custom_model_arn="late")


@pytest.mark.parametrize("status", list(JobStatus))
def test_another_run_than_the_current_one_does_nothing_to_a_job(status: JobStatus) -> None:
    before = job(status=status)
    with pytest.raises(StaleState, match="in run 1 and cannot become"):
        move(before, LATE, status)
    with pytest.raises(StaleState):
        require(before, LATE, status)
    with pytest.raises(StaleState):
        fail(before, LATE, status, FAILURE)
    with pytest.raises(StaleState):
        resume(before, LATE, Resumption(stage=JobStatus.TRAINING), "Retried.")
    with pytest.raises(StaleState):
        restart(before, LATE, "Lost.")
    with pytest.raises(StaleState):
        stop(before, LATE, "Stop.")


@pytest.mark.parametrize(("status", "required"), [(str(a), str(b)) for a, b in product(JobStatus, JobStatus)])
def test_a_job_in_another_status_than_required_is_refused(status: str, required: str) -> None:
    before = job(status=JobStatus(status))
    if status == required:
        require(before, before.current_run, JobStatus(required))
        return
    with pytest.raises(JobStopping if status in ("STOPPING", "STOPPED") else StaleState):
        require(before, before.current_run, JobStatus(required))


def test_an_event_that_carries_more_than_its_run_counts_as_that_run() -> None:
    class DocumentEvent(JobRun):
        document: str

    event = DocumentEvent(job_id=job().id, number=1, document="a.pdf")
    require(job(), event, JobStatus.VALIDATING)
    assert move(job(), event, JobStatus.GENERATING_DATA).job.status is JobStatus.GENERATING_DATA


def test_every_transition_has_one_event_however_often_it_is_made() -> None:
    completed, events = walk(job(), [status for status in FORWARD for _ in range(3)])
    assert [event.type for event in events] == ["GENERATING_DATA", "TRAINING", "DEPLOYING", "COMPLETED"]
    assert all(event.message and event.at.endswith("Z") for event in events)
    assert completed.revision == 4


def test_a_transition_starts_a_stage_and_a_change_within_it_does_not() -> None:
    training, _ = walk(job(stage_started_at="2026-11-22T10:00:00.000Z"), ["GENERATING_DATA", "TRAINING"])
    assert str(training.stage_started_at) > "2026-11-22T10:00:00.000Z"
    changed, _ = move(training, training.current_run, JobStatus.TRAINING, waiting_for="a quota")
    assert changed.stage_started_at == training.stage_started_at


def test_a_change_within_a_status_has_an_event_once_and_only_with_a_message() -> None:
    known = job(status=JobStatus.TRAINING)
    messages: list[str] = []
    for progress in ("InProgress", "InProgress", "Completed"):
        known, event = move(
            known, known.current_run, JobStatus.TRAINING, f"Bedrock: {progress}.", customization_job_status=progress
        )
        messages += [event.message] if event else []
    assert messages == ["Bedrock: InProgress.", "Bedrock: Completed."]
    assert move(known, known.current_run, JobStatus.TRAINING, waiting_for="a quota").event is None


def test_a_change_that_changes_nothing_leaves_the_job_as_it_is() -> None:
    before = job(status=JobStatus.TRAINING, warnings=("careful",))
    assert move(before, before.current_run, JobStatus.TRAINING, "News.", warnings=("careful",)) == Outcome(before)


def test_a_long_message_is_cut() -> None:
    _, event = move(job(), job().current_run, JobStatus.GENERATING_DATA, "x" * 5000)
    assert event
    assert len(event.message) == 1000


def test_a_job_whose_model_is_used_is_not_deleted() -> None:
    used = job(status=JobStatus.COMPLETED, used_by=("claims",))
    with pytest.raises(Conflict, match="is used by a configuration version") as refused:
        move(used, used.current_run, JobStatus.DELETING)
    assert "claims" not in str(refused.value)


@pytest.mark.parametrize("stage", FORWARD[:-1])
def test_a_failed_job_shows_what_failed_and_where_and_waits_for_nothing(stage: str) -> None:
    before = job(status=JobStatus(stage), waiting_for="a quota")
    after, event = fail(before, before.current_run, JobStatus(stage), FAILURE)
    assert (after.status, after.error_stage, after.waiting_for) == ("FAILED", stage, None)
    assert (after.error_code, after.error_message) == (FAILURE.code, FAILURE.message)
    assert event
    assert (event.type, event.message) == ("FAILED", FAILURE.message)


def test_a_deletion_that_failed_stays_a_deletion() -> None:
    before = job(status=JobStatus.DELETING)
    after, event = fail(before, before.current_run, JobStatus.DELETING, FAILURE)
    assert (after.status, after.error_stage, after.error_message) == ("DELETING", "DELETING", FAILURE.message)
    assert event
    assert event.type == "DELETING"


@pytest.mark.parametrize(("status", "stage"), [("DEPLOYING", "TRAINING"), ("DELETING", "TRAINING")])
def test_a_job_that_left_a_stage_does_not_fail_in_it(status: str, stage: str) -> None:
    before = job(status=JobStatus(status))
    with pytest.raises(StaleState):
        fail(before, before.current_run, JobStatus(stage), FAILURE)


def test_a_job_that_is_being_stopped_does_not_fail() -> None:
    before = job(status=JobStatus.STOPPING)
    with pytest.raises(JobStopping):
        fail(before, before.current_run, JobStatus.TRAINING, FAILURE)


TRIED: dict[str, Any] = {
    "error_code": "TrainingFailed",
    "error_message": "Training failed: bad data.",
    "error_stage": JobStatus.TRAINING,
    "training_metrics": TrainingMetrics(training_loss=1.5),
    "customization_job_arn": "arn:job",
    "customization_job_status": "Failed",
    "custom_model_deployment_arn": "arn:deployment",
}


@pytest.mark.parametrize("status", ["FAILED", "STOPPED"])
@pytest.mark.parametrize(
    ("resumption", "anew"),
    [
        (Resumption(stage=JobStatus.VALIDATING), {"documents": None}),
        (Resumption(stage=JobStatus.TRAINING), {}),
        (Resumption(stage=JobStatus.DEPLOYING), {}),
        (
            Resumption(stage=JobStatus.TRAINING, new_attempt=True),
            {
                "training_attempt": 2,
                "customization_job_arn": None,
                "customization_job_status": None,
                "training_metrics": None,
            },
        ),
        (
            Resumption(stage=JobStatus.DEPLOYING, new_attempt=True),
            {"deployment_attempt": 2, "custom_model_deployment_arn": None},
        ),
    ],
)
def test_a_resumed_job_is_in_its_next_run_and_keeps_all_but_what_it_does_anew(
    status: str, resumption: Resumption, anew: dict[str, object]
) -> None:
    before = job(status=JobStatus(status), **TRIED)
    after, event = resume(before, before.current_run, resumption, "author@example.com retried the job.")
    cleared = {"error_code": None, "error_message": None, "error_stage": None}
    started = {"status": resumption.stage, "run": 2, "revision": 1}
    moments = {name: getattr(after, name) for name in ("updated_at", "stage_started_at")}
    assert after == before.model_copy(update={**cleared, **started, **moments, **anew})
    assert event
    assert event.message == f"author@example.com retried the job. Resumed at {resumption.stage}, run 2."


@pytest.mark.parametrize("status", [status for status in JobStatus if status not in ("FAILED", "STOPPED")])
def test_only_a_failed_or_stopped_job_is_resumed(status: JobStatus) -> None:
    before = job(status=status)
    with pytest.raises(JobStopping if status == "STOPPING" else StaleState):
        resume(before, before.current_run, Resumption(stage=JobStatus.TRAINING), "Retried.")


def test_changes_have_the_types_of_the_record() -> None:
    record = get_type_hints(FinetuningJob)
    changes = get_type_hints(JobChanges)
    assert changes == {name: record[name] for name in changes}


@pytest.mark.parametrize("stage", ["TRAINING", "DEPLOYING"])
def test_the_creation_of_an_attempt_is_noted_once_and_not_if_its_arn_is_known(stage: str) -> None:
    note, arn = {
        "TRAINING": ("training_begun_at", "customization_job_arn"),
        "DEPLOYING": ("deployment_begun_at", "custom_model_deployment_arn"),
    }[stage]
    before = job(status=JobStatus({"TRAINING": "GENERATING_DATA", "DEPLOYING": "TRAINING"}[stage]))
    first, event = begin_creation(before, before.current_run, JobStatus(stage))
    assert event
    assert (first.status, bool(getattr(first, note))) == (stage, True)
    assert begin_creation(first, first.current_run, JobStatus(stage)) == Outcome(first)
    known, _ = begin_creation(before.model_copy(update={arn: "arn"}), before.current_run, JobStatus(stage))
    assert getattr(known, note) is None
    failed, _ = move(first.model_copy(update={arn: "arn"}), first.current_run, JobStatus.FAILED)
    again, _ = resume(failed, failed.current_run, Resumption(stage=JobStatus(stage), new_attempt=True), "Retried.")
    assert (getattr(again, note), getattr(again, arn)) == (None, None)


@pytest.mark.parametrize("status", FORWARD[:-1])
def test_a_restart_is_the_next_run_of_the_same_attempt_and_deadline(status: str) -> None:
    before = job(status=JobStatus(status), stage_started_at="2026-11-22T10:00:00.000Z")
    after, event = restart(before, before.current_run, "Lost.")
    stage = status if status in ("TRAINING", "DEPLOYING") else "VALIDATING"
    assert (after.status, after.run, after.restarts, after.stage_started_at) == (stage, 2, 1, before.stage_started_at)
    assert event
    assert event.message == f"Lost. Started again at {stage}, run 2."
    onwards, _ = move(job(status=JobStatus.TRAINING, restarts=3), before.current_run, JobStatus.DEPLOYING)
    assert (onwards.restarts, onwards.restarted_at) == (0, None)


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED", "DELETING"])
def test_an_ended_job_is_not_restarted(status: str) -> None:
    ended = job(status=JobStatus(status))
    with pytest.raises(StaleState):
        restart(ended, ended.current_run, "Lost.")


@pytest.mark.parametrize("status", FORWARD[:-1])
def test_a_stop_ends_a_job_at_once_if_bedrock_has_nothing_of_it_and_twice_is_once(status: str) -> None:
    before = job(status=JobStatus(status))
    after, event = stop(before, before.current_run, "Stop.")
    in_bedrock = status in ("TRAINING", "DEPLOYING")
    assert (after.status, after.error_stage) == ("STOPPING" if in_bedrock else "STOPPED", status)
    assert event
    assert event.message == "Stop."
    assert stop(after, after.current_run, "Stop.") == Outcome(after)
