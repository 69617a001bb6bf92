"""Nothing lost, nothing twice, nothing left: every state meets failures that last and failures that pass."""

from __future__ import annotations

import json

import pytest

from idp_finetuning.jobs.job import ENDED, JobStatus
from idp_local.environment import CHECKOUT
from tests.chaos.invariants import violations
from tests.support.pipeline.fault_cases import (
    DELETION_STATES,
    DYING_WORKERS,
    ENDINGS,
    HALF_DELETED,
    LOST_MANIFEST,
    NOT_STARTED,
    PERMANENT,
    PLAIN,
    REFUSED_FOR_A_WHILE,
    SOMETIMES,
    START_KILLED,
    STATES,
    STUCK,
    TRANSIENT,
)
from tests.support.pipeline.faulted import Faulted, meet_faults

pytestmark = pytest.mark.xdist_group("faults")

# Stage in which each job fails, its first words, and what it tells people to do.
FAILURES: dict[str, tuple[JobStatus, str, str]] = {
    "ValidateTestSet": (JobStatus.VALIDATING, "Validation failed: ", "Check the permissions"),
    "ValidateTestSet reads": (JobStatus.VALIDATING, "Validation failed: GetObject", "Check the permissions"),
    LOST_MANIFEST: (JobStatus.GENERATING_DATA, "Generating training data failed: ", "start the job again"),
    "GenerateExample": (
        JobStatus.GENERATING_DATA,
        "Generating training data failed: 11 of 11 documents could not be used",
        "Correct or remove them",
    ),
    "RejectDocument": (
        JobStatus.GENERATING_DATA,
        "Generating training data failed: 11 of 11 documents could not be used",
        "Processing left no result. Start the job again.",
    ),
    "AssembleDataset": (
        JobStatus.GENERATING_DATA,
        "Generating training data failed: PutObject",
        "Check the permissions",
    ),
    "CreateCustomizationJob creates": (
        JobStatus.TRAINING,
        "Training failed: Bedrock refused",
        "Check Bedrock quotas and permissions",
    ),
    "CreateModelDeployment creates": (
        JobStatus.DEPLOYING,
        "Deployment failed: Bedrock refused",
        "Check the quotas and permissions of Custom Model Deployments",
    ),
}


@pytest.fixture(scope="module")
def faulted(tmp_path_factory: pytest.TempPathFactory) -> Faulted:
    """The jobs after their faults."""
    return meet_faults(tmp_path_factory.mktemp("faults"))


def working_states(workflow: str) -> set[str]:
    """Names of the Task and Map states of a workflow, those within a Map too."""
    text = (CHECKOUT / f"statemachines/{workflow}.asl.json").read_text(encoding="utf-8")
    states = json.loads(text)["States"]
    inner = [state["ItemProcessor"]["States"] for state in states.values() if state["Type"] == "Map"]
    every = {name: state for found in (states, *inner) for name, state in found.items()}
    return {name for name, state in every.items() if state["Type"] in ("Task", "Map")}


def test_every_state_but_the_last_resort_is_disturbed() -> None:
    failing = {function for functions, _ in PERMANENT.values() for function in functions} | {LOST_MANIFEST}
    failing |= set(REFUSED_FOR_A_WHILE)
    assert failing == working_states("finetuning") - {"EndJob"}
    assert {*STATES, LOST_MANIFEST} == failing
    assert {function for function, _ in HALF_DELETED.values()} == working_states("deletion") - {"EndJob"}
    assert set(DELETION_STATES) == working_states("deletion") - {"EndJob"}
    assert set(FAILURES) == {*PERMANENT, LOST_MANIFEST}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_that_lasts_fails_the_job_with_what_to_do_and_its_execution(faulted: Faulted, name: str) -> None:
    stage, words, remedy = FAILURES[name]
    job, execution = faulted.jobs[name], faulted.executions[name]
    assert (job.status, job.error_stage) == (JobStatus.FAILED, stage)
    assert str(job.error_message).startswith(words)
    assert remedy in str(job.error_message)
    assert execution.model_dump() == {"status": "FAILED", "error": job.error_code, "cause": job.error_message}


def test_no_training_goes_on_for_a_job_that_failed(faulted: Faulted) -> None:
    assert {name: found for name, found in faulted.bedrock.items() if {"InProgress", "Stopping"} & set(found)} == {}


@pytest.mark.parametrize("name", [PLAIN, *TRANSIENT])
def test_a_job_completes_though_calls_of_every_state_are_throttled_or_fail_for_a_while(
    faulted: Faulted, name: str
) -> None:
    assert (faulted.jobs[name].status, faulted.jobs[name].error_message) == (JobStatus.COMPLETED, None)
    assert faulted.executions[name].status == "SUCCEEDED"
    assert faulted.bedrock[name] == ("Completed",)
    assert set(faulted.errors.get(name, ())) <= {"TransientError", "DocumentRejected", "RemovalPending"}


def test_every_call_of_every_state_failed_as_long_as_its_function_tried(faulted: Faulted) -> None:
    assert set(faulted.calls) == {*STATES, *DELETION_STATES}
    unfailed = {
        (name, function, operation)
        for name, functions in faulted.unfailed.items()
        for function, operations in functions.items()
        for operation in operations
        if (function, operation) not in SOMETIMES
    }
    assert unfailed == set()
    assert all("TransientError" in faulted.errors[name] for name in TRANSIENT)


@pytest.mark.parametrize("name", REFUSED_FOR_A_WHILE)
def test_what_watches_bedrock_waits_while_it_is_refused_and_the_job_completes(faulted: Faulted, name: str) -> None:
    assert faulted.jobs[name].status is JobStatus.COMPLETED
    assert faulted.errors_of[name, name] == ("AwsCallRefused",) * 3
    assert faulted.bedrock[name] == ("Completed",)


def test_an_execution_that_was_lost_in_deploying_is_replaced_and_the_job_completes(faulted: Faulted) -> None:
    left, execution = faulted.stuck
    assert (left.status, execution.status) == (JobStatus.DEPLOYING, "FAILED")
    job = faulted.jobs[STUCK]
    assert (job.status, job.run, job.custom_model_arn) == (JobStatus.COMPLETED, 2, left.custom_model_arn)
    assert faulted.bedrock[STUCK] == ("Completed",)


def test_no_training_is_stopped_by_anything_but_a_user_or_a_deadline(faulted: Faulted) -> None:
    assert faulted.stops == ()


def test_a_start_that_fails_leaves_no_unfinished_job(faulted: Faulted) -> None:
    job = faulted.jobs[NOT_STARTED]
    assert (faulted.starts[NOT_STARTED], job.status) == ("InternalError", JobStatus.FAILED)
    assert str(job.error_message).startswith("Validation failed: the workflow could not be started")
    assert "Retry the job" in str(job.error_message)


def test_a_request_that_died_before_the_start_leaves_a_job_that_the_reconciliation_starts(faulted: Faulted) -> None:
    job = faulted.jobs[START_KILLED]
    assert (faulted.starts[START_KILLED], job.status, job.run) == ("InternalError", JobStatus.COMPLETED, 1)


def test_nothing_is_unfinished(faulted: Faulted) -> None:
    assert {name: job.status for name, job in faulted.jobs.items() if job.status not in ENDED} == {}


def test_documents_whose_workers_end_are_rejected_and_the_job_completes(faulted: Faulted) -> None:
    assert faulted.jobs[DYING_WORKERS].status is JobStatus.COMPLETED
    assert faulted.rejected == {
        "killed.png": "worker_ended",
        "timed out.png": "worker_ended",
        "unknown.png": "worker_ended",
        "slow.png": "too_slow",
    }
    assert set(ENDINGS) - {name.removesuffix(".png") for name in faulted.rejected} == {"killed once"}


@pytest.mark.parametrize("name", HALF_DELETED)
def test_a_deletion_that_fails_half_way_stays_a_deletion_that_says_why(faulted: Faulted, name: str) -> None:
    job, execution = faulted.half_deleted[name]
    assert job.status is JobStatus.DELETING
    assert str(job.error_message).startswith(f"Deletion failed: {HALF_DELETED[name][1]} returned AccessDenied")
    assert (execution.status, execution.cause) == ("FAILED", job.error_message)


def test_jobs_that_ended_in_any_stage_leave_nothing_once_deleted(faulted: Faulted) -> None:
    assert {name for name, execution in faulted.deletions.items() if execution.status != "SUCCEEDED"} == set()
    assert set(faulted.deletions) == set(faulted.jobs)
    state = faulted.state
    assert state.jobs == ()
    assert [key for key in state.items if key[1] != "token"] == []
    assert state.object_keys == ()
    assert {thing.kind for thing in state.bedrock} == {"customization job"}
    assert violations(state.model_copy(update={"deletions": state.started, "gone": state.started})) == []
