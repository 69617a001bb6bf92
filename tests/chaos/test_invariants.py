"""Each invariant is broken in turn, and that one is reported."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from idp_finetuning.jobs.evaluation import EvaluationStatus, JobEvaluation
from idp_finetuning.jobs.job import FinetuningJob, JobStatus
from idp_finetuning.nova.hyper_parameters import HyperParameters
from tests.chaos.invariants import INVARIANTS, violations
from tests.chaos.state import BedrockThing, Execution, State

COMPLETED = FinetuningJob(
    id="11111111-1111-4111-8111-111111111111",
    job_name="classifier",
    test_set_id="t",
    test_set_name="t",
    base_model="us.amazon.nova-lite-v1:0",
    base_model_name="Nova Lite",
    status=JobStatus.COMPLETED,
    evaluation=JobEvaluation(
        number=1, status=EvaluationStatus.FAILED, started_at="2026-11-22T19:45:03.120Z", error_message="Not offered."
    ),
    created_at="2026-11-22T18:45:03.120Z",
    updated_at="2026-11-22T18:45:03.120Z",
    train_split=0.9,
    hyper_parameters=HyperParameters(),
    created_by="author@example.com",
    custom_model_arn="arn:model",
    custom_model_deployment_arn="arn:deployment",
)
FAILED = COMPLETED.model_copy(
    update={
        "id": "22222222-2222-4222-8222-222222222222",
        "status": JobStatus.FAILED,
        "custom_model_arn": None,
        "custom_model_deployment_arn": None,
    }
)
DELETED = FAILED.model_copy(update={"id": "33333333-3333-4333-8333-333333333333"})

TRAINED = BedrockThing(kind="customization job", name=COMPLETED.training_name, arn="arn:job", status="Completed")
RESTING = State(
    jobs=(COMPLETED, FAILED),
    items=((COMPLETED.id, "job"), (COMPLETED.id, "event#1"), (FAILED.id, "job"), ("token#sub#1", "token")),
    object_keys=(f"jobs/{COMPLETED.id}/manifest.json",),
    bedrock=(
        TRAINED,
        BedrockThing(kind="custom model", name=COMPLETED.training_name, arn="arn:model", status="Active"),
        BedrockThing(kind="deployment", name=COMPLETED.deployment_name, arn="arn:deployment", status="Active"),
        # A customization job cannot be deleted: one that ended is no orphan.
        BedrockThing(kind="customization job", name=DELETED.training_name, arn="arn:old", status="Completed"),
    ),
    executions=(Execution(name=COMPLETED.id, status="SUCCEEDED"), Execution(name=FAILED.id, status="ABORTED")),
    started=frozenset({COMPLETED.id, FAILED.id, DELETED.id}),
    deletions=frozenset({DELETED.id}),
    gone=frozenset({DELETED.id}),
)
LEFT_MODEL = BedrockThing(kind="custom model", name=DELETED.training_name, arn="arn:left", status="Active")
LEFT_TRAINING = BedrockThing(
    kind="customization job",
    name=DELETED.model_copy(update={"training_attempt": 2}).training_name,
    arn="arn:left-training",
    status="InProgress",
)
GIVEN_UP = BedrockThing(
    kind="deployment",
    name=FAILED.model_copy(update={"deployment_attempt": 2}).deployment_name,
    arn="arn:given-up",
    status="Active",
)

Doctor = Callable[[State], State]


def change(**changes: object) -> Doctor:
    """Replace members of the state."""
    return lambda state: state.model_copy(update=changes)


def evaluated(**changes: object) -> FinetuningJob:
    """The completed job with a changed evaluation."""
    assert COMPLETED.evaluation
    return COMPLETED.model_copy(update={"evaluation": COMPLETED.evaluation.model_copy(update=changes)})


def with_bedrock(*things: BedrockThing) -> Doctor:
    """Add to what is in Bedrock."""
    return lambda state: state.model_copy(update={"bedrock": (*state.bedrock, *things)})


def without(arn: str) -> Doctor:
    """Remove something from Bedrock."""
    return lambda state: state.model_copy(
        update={"bedrock": tuple(thing for thing in state.bedrock if thing.arn != arn)}
    )


BROKEN: list[tuple[str, Doctor]] = [
    (
        "every job ended",
        change(jobs=(COMPLETED, FAILED.model_copy(update={"status": JobStatus.TRAINING}))),
    ),
    ("every job ended", change(jobs=(COMPLETED, FAILED.model_copy(update={"status": JobStatus.STOPPING})))),
    ("every job ended", change(deletions=frozenset())),
    ("no execution goes on", change(executions=(Execution(name=FAILED.id, status="RUNNING"),))),
    (
        "nothing trains for an ended job",
        with_bedrock(LEFT_TRAINING.model_copy(update={"name": FAILED.training_name})),
    ),
    (
        "no training stopped but by a user or a deadline",
        with_bedrock(LEFT_TRAINING.model_copy(update={"name": FAILED.training_name, "status": "Stopped"})),
    ),
    ("every evaluation ended", change(jobs=(COMPLETED.model_copy(update={"evaluation": None}), FAILED))),
    ("every evaluation ended", change(jobs=(evaluated(status=EvaluationStatus.RUNNING), FAILED))),
    ("every evaluation ended", change(jobs=(evaluated(error_message=None), FAILED))),
    ("no ghosts", change(items=(*RESTING.items, (DELETED.id, "event#2026-11-22T18:45:03.120Z#abc")))),
    ("no ghosts", change(object_keys=(f"jobs/{DELETED.id}/rejected/1.json",))),
    ("no ghosts", change(gone=frozenset({DELETED.id, FAILED.id}))),
    ("no training attempt twice", with_bedrock(TRAINED.model_copy(update={"arn": "arn:job-2"}))),
    (
        "no training attempt twice",
        with_bedrock(
            TRAINED.model_copy(
                update={
                    "name": COMPLETED.model_copy(update={"training_attempt": 2}).training_name,
                    "arn": "arn:job-2",
                }
            )
        ),
    ),
    ("a completed job answers", without("arn:model")),
    ("a completed job answers", without("arn:deployment")),
    ("nothing left of deleted jobs", with_bedrock(LEFT_MODEL)),
    ("no orphan unreported", with_bedrock(LEFT_TRAINING)),
    ("no orphan unreported", with_bedrock(GIVEN_UP)),
]


def test_a_state_at_rest_breaks_no_invariant() -> None:
    assert violations(RESTING) == []


@pytest.mark.parametrize(("invariant", "doctor"), BROKEN)
def test_a_broken_invariant_is_reported_and_no_other(invariant: str, doctor: Doctor) -> None:
    assert {found.partition(":")[0] for found in violations(doctor(RESTING))} == {invariant}


def test_every_invariant_is_broken_by_a_test() -> None:
    assert {invariant for invariant, _ in BROKEN} == set(INVARIANTS)


@pytest.mark.parametrize("thing", [LEFT_MODEL, LEFT_TRAINING, GIVEN_UP])
def test_what_the_sweep_names_breaks_nothing(thing: BedrockThing) -> None:
    state = with_bedrock(thing)(RESTING)

    assert violations(state.model_copy(update={"reported": frozenset({f"{thing.kind} {thing.name}"})})) == []


@pytest.mark.parametrize("why", ["a user's stop", "a deadline"])
def test_a_training_that_a_user_or_a_deadline_stopped_breaks_nothing(why: str) -> None:
    stopped = LEFT_TRAINING.model_copy(update={"name": FAILED.training_name, "status": "Stopped"})
    late = FAILED.model_copy(update={"error_code": "DeadlinePassed"} if why == "a deadline" else {})
    stops = frozenset({FAILED.id}) if why != "a deadline" else frozenset()
    state = with_bedrock(stopped)(RESTING).model_copy(update={"jobs": (COMPLETED, late), "stops": stops})
    assert violations(state) == []
