from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Any

import pytest

from idp_sdk import HyperParameters, IDPClient, Job, JobStatus
from idp_sdk.errors import InvalidInput, JobNotFound, ServerError, Throttled, WaitTimeout
from tests.idp_sdk.conftest import Clock
from tests.support.sdk.answers import DEPLOYMENT_ARN, job, page, validation
from tests.support.sdk.deployment import Deployment, Refusal


def test_a_verdict_keeps_the_classes_in_the_test_sets_order(deployment: Deployment, client: IDPClient) -> None:
    deployment.answers["validateTestSetForFinetuning"] = validation(warnings=["Class 'w2' has few examples (3)"])
    verdict = client.finetuning.validate_test_set(
        "docsplit", base_model="us.amazon.nova-pro-v1:0", train_split=0.8, repeat=2
    )
    assert (verdict.is_valid, verdict.document_count, verdict.class_count) == (True, 40, 2)
    assert (verdict.train_count, verdict.validation_count) == (36, 4)
    assert list(verdict.class_distribution.items()) == [("payslip", 21), ("invoice", 19)]
    assert verdict.warnings == ("Class 'w2' has few examples (3)",)
    assert deployment.calls_of("validateTestSetForFinetuning") == [
        {"testSetId": "docsplit", "baseModel": "us.amazon.nova-pro-v1:0", "trainSplit": 0.8, "repeat": 2}
    ]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"epochs": 5}, "HyperParameters has no 'epochs'. Did you mean 'epoch_count'?"),
        ({"learningrate": 1e-5}, "HyperParameters has no 'learningrate'. Did you mean 'learning_rate'?"),
        ({"warmup": 5}, "HyperParameters has no 'warmup'. Did you mean 'learning_rate_warmup_steps'?"),
        ({"beta": 1}, "HyperParameters has no 'beta'. It has epoch_count, batch_size, learning_rate, "),
    ],
)
def test_hyperparameters_that_do_not_exist_are_refused_with_the_one_that_was_meant(
    given: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        HyperParameters(**given)


@pytest.mark.parametrize(("split", "problem"), [(math.nan, "is not a number"), (math.inf, "is infinite")])
def test_a_value_that_json_cannot_hold_is_named_and_not_sent(
    deployment: Deployment, client: IDPClient, split: float, problem: str
) -> None:
    with pytest.raises(InvalidInput, match=f"^trainSplit {problem}"):
        client.finetuning.validate_test_set("docsplit", train_split=split)
    with pytest.raises(InvalidInput, match=r"^testSetId has characters that are not UTF-8"):
        client.finetuning.validate_test_set("\udcff")
    assert deployment.calls == []


def test_validation_waits_while_the_labels_are_being_read(
    deployment: Deployment, client: IDPClient, clock: Clock
) -> None:
    running = Refusal("ValidationRunning")
    deployment.answers["validateTestSetForFinetuning"] = [running, running, validation()]
    assert client.finetuning.validate_test_set("docsplit").is_valid
    assert clock.slept == [2.0, 2.0]


def test_validation_gives_up_when_its_time_has_passed(deployment: Deployment, client: IDPClient, clock: Clock) -> None:
    deployment.answers["validateTestSetForFinetuning"] = Refusal("ValidationRunning")
    with pytest.raises(WaitTimeout, match="validate it again in a while"):
        client.finetuning.validate_test_set("docsplit", timeout=5)
    assert sum(clock.slept) == 5


def test_a_job_is_created_with_what_was_given(deployment: Deployment, client: IDPClient) -> None:
    deployment.answers["createFinetuningJob"] = job()
    created = client.finetuning.create_job(
        test_set_id="docsplit",
        base_model="us.amazon.nova-pro-v1:0",
        name="my-classifier",
        train_split=0.8,
        hyper_parameters=HyperParameters(epoch_count=3),
        repeat=2,
        config_version="v1",
        client_token="once",
    )
    assert (created.id, created.name, created.status) == ("job-1", "my-classifier", JobStatus.VALIDATING)
    assert created.created_at == datetime(2026, 11, 22, 10, tzinfo=UTC)
    assert deployment.calls_of("createFinetuningJob") == [
        {
            "input": {
                "testSetId": "docsplit",
                "baseModel": "us.amazon.nova-pro-v1:0",
                "jobName": "my-classifier",
                "trainSplit": 0.8,
                "hyperParameters": {"epochCount": 3},
                "repeat": 2,
                "configVersion": "v1",
                "clientToken": "once",
            }
        }
    ]


def test_each_creation_has_a_token_of_its_own(deployment: Deployment, client: IDPClient) -> None:
    deployment.answers["createFinetuningJob"] = job()
    for _ in range(2):
        client.finetuning.create_job(test_set_id="docsplit", base_model="us.amazon.nova-pro-v1:0", name="x")
    first, second = deployment.calls_of("createFinetuningJob")
    assert set(first["input"]) == {"testSetId", "baseModel", "jobName", "clientToken"}
    assert first["input"]["clientToken"] != second["input"]["clientToken"]


def test_a_list_fetches_a_page_when_it_is_needed(deployment: Deployment, client: IDPClient) -> None:
    deployment.answers["listFinetuningJobs"] = [
        page(job(id="a"), job(id="b"), next_token="more"),
        page(job("TRAINING", id="c")),
    ]
    jobs = client.finetuning.list_jobs(page_size=2)
    assert deployment.calls == []
    assert [next(jobs).id, next(jobs).id] == ["a", "b"]
    assert len(deployment.calls) == 1
    assert [(item.id, item.status) for item in jobs] == [("c", JobStatus.TRAINING)]
    assert deployment.calls_of("listFinetuningJobs") == [
        {"limit": 2, "nextToken": None},
        {"limit": 2, "nextToken": "more"},
    ]


def test_a_job_is_stopped_retried_and_deleted(deployment: Deployment, client: IDPClient) -> None:
    deployment.answers = {
        "stopFinetuningJob": job("STOPPING"),
        "retryFinetuningJob": job("TRAINING", run=2),
        "deleteFinetuningJob": True,
    }
    assert client.finetuning.stop_job("job-1").status is JobStatus.STOPPING
    assert client.finetuning.retry_job("job-1").run == 2
    assert client.finetuning.delete_job("job-1") is True
    assert [arguments for _, arguments in deployment.calls] == [{"jobId": "job-1"}] * 3


def test_history_report_and_prompt_are_read(deployment: Deployment, client: IDPClient) -> None:
    counts = {"fileName": "train.jsonl", "total": 4, "accepted": 3, "partiallyAccepted": 0, "rejected": 1}
    split = {"documents": 1, "pages": 2, "classes": [{"name": "invoice", "documents": 1, "pages": 2}]}
    deployment.answers = {
        "listFinetuningJobEvents": page({"at": "2026-11-22T10:00:00Z", "type": "TRAINING", "message": "It trains."}),
        "getDatasetReport": {
            "found": 3,
            "accepted": 2,
            "rejected": 1,
            "train": split,
            "validation": split,
            "rejectedDocuments": [{"key": "docsplit/input/a.pdf", "code": "empty", "reason": "It is empty."}],
            "warnings": [],
            "repeat": 2,
            "bedrockRecords": [counts],
        },
        "listDatasetDocuments": page(
            {"path": "a.pdf", "side": "validation", "classes": ["invoice"], "pages": 2},
            {"path": "b.pdf", "side": "train", "classes": ["invoice", "memo"], "code": "empty", "reason": "Empty."},
        ),
        "getFinetuningJobPrompt": {
            "systemPrompt": "s",
            "taskPrompt": "t",
            "classes": [{"name": "invoice", "description": "A bill."}],
        },
    }
    (event,) = client.finetuning.events("job-1")
    assert (event.at, event.type, event.message) == (datetime(2026, 11, 22, 10, tzinfo=UTC), "TRAINING", "It trains.")
    report = client.finetuning.report("job-1")
    assert report.rejected_documents[0].code == "empty"
    assert report.train.classes[0].pages == 2
    assert report.repeat == 2
    assert report.bedrock_records
    assert report.bedrock_records[0].rejected == 1
    held_out, rejected = client.finetuning.documents("job-1")
    assert (held_out.path, held_out.side, held_out.pages) == ("a.pdf", "validation", 2)
    assert (rejected.side, rejected.classes, rejected.code) == ("train", ("invoice", "memo"), "empty")
    assert client.finetuning.prompt("job-1").classes[0].description == "A bill."


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED", "STOPPED"])
def test_waiting_answers_the_job_however_it_ended(
    deployment: Deployment, client: IDPClient, clock: Clock, status: str
) -> None:
    ended = job(status, customModelDeploymentArn=DEPLOYMENT_ARN if status == "COMPLETED" else None)
    deployment.answers["getFinetuningJob"] = [job(), job("TRAINING"), ended]
    seen: list[Job] = []
    answered = client.finetuning.wait_for_completion("job-1", poll_interval=60, on_progress=seen.append)
    assert answered.status == status
    assert (answered.custom_model_deployment_arn is None) is (status != "COMPLETED")
    assert [item.status for item in seen] == ["VALIDATING", "TRAINING", status]
    assert clock.slept == [60, 60]


def test_waiting_never_sleeps_past_its_timeout_and_looks_a_last_time(
    deployment: Deployment, client: IDPClient, clock: Clock
) -> None:
    deployment.answers["getFinetuningJob"] = job("TRAINING")
    with pytest.raises(WaitTimeout, match=r"'job-1' is still TRAINING after 100 seconds\. It continues"):
        client.finetuning.wait_for_completion("job-1", poll_interval=60, timeout=100)
    assert clock.slept == [60, 40]
    assert len(deployment.calls) == 3


def test_a_job_that_ended_at_the_last_moment_is_answered(
    deployment: Deployment, client: IDPClient, clock: Clock
) -> None:
    deployment.answers["getFinetuningJob"] = [job("TRAINING"), job("COMPLETED")]
    assert client.finetuning.wait_for_completion("job-1", poll_interval=60, timeout=10).status == "COMPLETED"
    assert clock.slept == [10]


@pytest.mark.parametrize(("error_type", "kind"), [("InternalError", ServerError), ("JobNotFound", JobNotFound)])
def test_waiting_raises_what_the_server_raises(
    deployment: Deployment, client: IDPClient, clock: Clock, error_type: str, kind: type[Exception]
) -> None:
    deployment.answers["getFinetuningJob"] = [job("TRAINING"), Refusal(error_type)]
    with pytest.raises(kind):
        client.finetuning.wait_for_completion("job-1")


def test_waiting_goes_on_through_a_server_that_fails_for_a_moment(
    deployment: Deployment, client: IDPClient, clock: Clock
) -> None:
    busy = Refusal("TransientError", "DynamoDB is busy.")
    deployment.answers["getFinetuningJob"] = [job("TRAINING"), busy, busy, job("COMPLETED")]
    assert client.finetuning.wait_for_completion("job-1", poll_interval=1).status == "COMPLETED"


def test_retries_do_not_outlast_the_timeout(deployment: Deployment, client: IDPClient, clock: Clock) -> None:
    deployment.answers["getFinetuningJob"] = [job("TRAINING"), Refusal("TransientError", "DynamoDB is busy.")]
    began = clock.now
    with pytest.raises(Throttled):
        client.finetuning.wait_for_completion("job-1", poll_interval=1, timeout=1.01)
    assert clock.now - began < 1.02


def test_an_answer_that_this_version_cannot_read_is_a_server_error(deployment: Deployment, client: IDPClient) -> None:
    deployment.answers["validateTestSetForFinetuning"] = validation(classDistribution='{"payslip": "many"}')
    with pytest.raises(ServerError, match=r"Update idp-finetuning") as caught:
        client.finetuning.validate_test_set("docsplit")
    assert "many" not in caught.value.message


def test_waiting_rides_out_ten_minutes_without_network(deployment: Deployment, client: IDPClient, clock: Clock) -> None:
    """Retries of each call included."""
    down_until = clock.now + 590
    seen: list[str | None] = []

    def answer(_: dict[str, Any]) -> object:
        if clock.now < down_until:
            raise Refusal("InternalError", "The service could not answer.")
        return job("COMPLETED")

    deployment.answers["getFinetuningJob"] = answer
    ended = client.finetuning.wait_for_completion(
        "job-1", poll_interval=30, on_outage=lambda error: seen.append(error.message if error else None)
    )
    assert ended.status == "COMPLETED"
    assert seen == ["The service could not answer.", None]


def test_waiting_gives_up_after_a_longer_outage(deployment: Deployment, client: IDPClient, clock: Clock) -> None:
    began = clock.now

    def answer(_: dict[str, Any]) -> object:
        raise Refusal("InternalError", "The service could not answer.")

    deployment.answers["getFinetuningJob"] = answer
    with pytest.raises(ServerError):
        client.finetuning.wait_for_completion("job-1", poll_interval=30)
    assert 600 <= clock.now - began < 700
