from __future__ import annotations

import csv
import io
import json
import math
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from idp_local.bedrock import BedrockServer
from tests.idp_local.bedrock.conftest import TRAINING, VALIDATION, Job, Submit, client, request, wait_for_end
from tests.support.local.drawn import BUCKET, jsonl, record

Unique = Callable[[str], str]


def code_of(call: Callable[..., Any], **parameters: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return str(refused.value.response["Error"]["Code"])


def test_a_job_ends_completed_with_its_model_and_true_losses(bedrock: Any, trained: Job) -> None:
    assert trained["status"] == "Completed"
    # Three classes and two boundaries: a model that knows nothing has a loss of ln 6.
    assert 0 < trained["trainingMetrics"]["trainingLoss"] < math.log(6) / 2
    assert 0 < trained["validationMetrics"][0]["validationLoss"] < math.log(6)
    assert len(trained["validationMetrics"]) == 1
    assert trained["endTime"] >= trained["creationTime"]
    assert {part["status"] for part in trained["statusDetails"].values()} == {"Completed"}
    model = bedrock.get_custom_model(modelIdentifier=trained["outputModelArn"])
    assert (model["modelName"], model["jobArn"]) == ("trained-model", trained["jobArn"])
    assert model["trainingMetrics"] == trained["trainingMetrics"]


def test_the_loss_curves_lie_in_the_output_folder_and_end_where_the_job_says(s3: Any, trained: Job) -> None:
    folder = f"jobs/1/output/model-customization-job-{trained['jobArn'].rpartition('/')[2]}"

    def table(name: str) -> list[dict[str, str]]:
        text = s3.get_object(Bucket=BUCKET, Key=f"{folder}/{name}")["Body"].read().decode()
        return list(csv.DictReader(io.StringIO(text)))

    training = table("training_artifacts/step_wise_training_metrics.csv")
    assert list(training[0]) == ["step_number", "epoch_number", "training_loss", "perplexity"]
    assert float(training[-1]["training_loss"]) == trained["trainingMetrics"]["trainingLoss"]
    assert float(training[-1]["training_loss"]) < float(training[0]["training_loss"])
    assert {row["epoch_number"] for row in training} == {"1", "2"}
    validation = table("validation_artifacts/post_fine_tuning_validation/validation_metrics.csv")
    assert float(validation[-1]["validation_loss"]) == trained["validationMetrics"][0]["validationLoss"]
    assert math.log(float(validation[-1]["perplexity"])) == pytest.approx(float(validation[-1]["validation_loss"]))


def test_the_records_of_each_file_are_counted_in_the_output_folder(s3: Any, trained: Job) -> None:
    folder = f"jobs/1/output/model-customization-job-{trained['jobArn'].rpartition('/')[2]}/input_status/"
    keys = [found["Key"] for found in s3.list_objects_v2(Bucket=BUCKET, Prefix=folder)["Contents"]]
    assert len(keys) == 2
    for key in keys:
        assert key.endswith("/manifest.report.csv")
        (row,) = csv.DictReader(io.StringIO(s3.get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()))
        assert int(row["totalProcessedRecordCount"]) == int(row["acceptedRecordCount"]) > 0
        assert row["rejectedRecordCount"] == "0"


def test_nothing_is_left_of_the_probe_object(s3: Any, trained: Job) -> None:
    keys = [found["Key"] for found in s3.list_objects_v2(Bucket=BUCKET, Prefix="jobs/1/output/")["Contents"]]
    assert not [key for key in keys if key.endswith(".tmp")]


def test_losses_can_be_watched_while_the_job_trains_and_requests_are_answered_at_once(s3_url: str, s3: Any) -> None:
    with BedrockServer(seconds_per_phase=0.5, s3_endpoint=s3_url) as server:
        bedrock = client("bedrock", server.url)
        bedrock.create_model_customization_job(**request("watched"))
        seen, slowest = [], 0.0
        while True:
            began = time.monotonic()
            job = bedrock.get_model_customization_job(jobIdentifier="watched")
            slowest = max(slowest, time.monotonic() - began)
            if job["status"] != "InProgress":
                break
            seen.append(job)
            time.sleep(0.02)
    losses = [job["trainingMetrics"]["trainingLoss"] for job in seen if "trainingMetrics" in job]
    assert losses == sorted(losses, reverse=True)
    assert len(set(losses)) > 2
    assert not [job for job in seen if "outputModelArn" in job]
    assert "outputModelArn" in job
    order = [tuple(part["status"] for part in one["statusDetails"].values()) for one in seen]
    assert list(dict.fromkeys(order)) == [
        ("InProgress", "NotStarted", "NotStarted"),
        ("Completed", "InProgress", "NotStarted"),
        ("Completed", "Completed", "InProgress"),
    ]
    assert slowest < 1


def test_a_data_set_that_breaks_a_rule_fails_the_job_after_submission(s3: Any, bedrock: Any, submit: Submit) -> None:
    records = [record("jobs/1/pages/0/1.jpeg", "letter") for _ in range(8)]
    records[2]["messages"][0]["content"][0]["text"] = "Operating System: none"
    s3.put_object(Bucket=BUCKET, Key="broken.jsonl", Body=jsonl(records))
    job = wait_for_end(bedrock, submit(trainingDataConfig={"s3Uri": f"s3://{BUCKET}/broken.jsonl"}))
    assert job["status"] == "Failed"
    assert "line 3" in job["failureMessage"]
    assert "System:" in job["failureMessage"]
    assert job["statusDetails"]["validationDetails"]["status"] == "Failed"
    assert "outputModelArn" not in job


def test_a_training_file_that_does_not_exist_fails_the_job(bedrock: Any, submit: Submit) -> None:
    job = wait_for_end(bedrock, submit(trainingDataConfig={"s3Uri": f"s3://{BUCKET}/gone.jsonl"}))
    assert job["failureMessage"].startswith("Invalid input error: Could not validate GetObject permissions")


def test_targets_that_are_no_page_classes_fail_the_job_and_say_whose_limit_that_is(
    s3: Any, bedrock: Any, submit: Submit
) -> None:
    records = [record("jobs/1/pages/0/1.jpeg", "letter") for _ in range(8)]
    records[7]["messages"][1]["content"] = [{"text": "It is a letter."}]
    s3.put_object(Bucket=BUCKET, Key="prose.jsonl", Body=jsonl(records))
    job = wait_for_end(bedrock, submit(trainingDataConfig={"s3Uri": f"s3://{BUCKET}/prose.jsonl"}))
    assert "line 8: the local stand-in learns" in job["failureMessage"]


def test_nova_2_refuses_a_validation_set_after_submission(bedrock: Any, submit: Submit) -> None:
    arn = submit(
        baseModelIdentifier="amazon.nova-2-lite-v1:0:256k",
        validationDataConfig={"validators": [{"s3Uri": VALIDATION}]},
    )
    job = wait_for_end(bedrock, arn)
    assert job["status"] == "Failed"
    assert "Nova 2.0 doesn't support validation set" in job["failureMessage"]


def test_an_output_that_cannot_be_written_is_refused_at_submission(bedrock: Any, unique: Unique) -> None:
    name = unique("job")
    nowhere = {"s3Uri": "s3://no-such-bucket/output/"}
    assert code_of(bedrock.create_model_customization_job, **request(name, outputDataConfig=nowhere)) == (
        "ValidationException"
    )
    # A refused request takes no name.
    assert code_of(bedrock.get_model_customization_job, jobIdentifier=name) == "ResourceNotFoundException"


def test_a_bucket_policy_that_denies_writing_is_noticed_at_submission(s3: Any, bedrock: Any, unique: Unique) -> None:
    s3.create_bucket(Bucket="read-only")
    deny = {"Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::read-only/*"}
    s3.put_bucket_policy(Bucket="read-only", Policy=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    denied = request(unique("job"), outputDataConfig={"s3Uri": "s3://read-only/output/"})
    assert code_of(bedrock.create_model_customization_job, **denied) == "ValidationException"


@pytest.mark.parametrize(
    "identifier",
    [
        "us.amazon.nova-lite-v1:0",
        "amazon.nova-lite-v1:0",
        "amazon.nova-premier-v1:0:1000k",
        "amazon.nova-2-pro-v1:0:256k",
        "arn:aws:bedrock:us-west-2::foundation-model/amazon.nova-lite-v1:0:300k",
        "trained-model",
    ],
)
def test_a_model_that_is_not_offered_is_refused(bedrock: Any, unique: Unique, identifier: str) -> None:
    with pytest.raises(ClientError, match="The provided model identifier is invalid"):
        bedrock.create_model_customization_job(**request(unique("job"), baseModelIdentifier=identifier))


def test_a_base_model_can_be_named_by_its_arn(bedrock: Any, submit: Submit) -> None:
    arn = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0:300k"
    job = bedrock.get_model_customization_job(jobIdentifier=submit(baseModelIdentifier=arn))
    assert job["baseModelArn"] == arn


@pytest.mark.parametrize(
    "values",
    [
        {"batchSize": "1"},
        {"epochCount": "0"},
        {"epochCount": "6"},
        {"epochCount": "2.0"},
        {"epochCount": "1_0"},
        {"epochCount": ""},
        {"learningRate": "0.001"},
        {"learningRate": "1e-7"},
        {"learningRate": "nan"},
        {"learningRateWarmupSteps": "101"},
        {"learningRateWarmupSteps": "-1"},
    ],
)
def test_hyperparameters_outside_their_range_are_refused_by_name(
    bedrock: Any, unique: Unique, values: dict[str, str]
) -> None:
    with pytest.raises(ClientError, match=next(iter(values))):
        bedrock.create_model_customization_job(**request(unique("job"), hyperParameters=values))


def test_hyperparameters_left_out_get_their_defaults(bedrock: Any, submit: Submit) -> None:
    job = bedrock.get_model_customization_job(jobIdentifier=submit(hyperParameters={"learningRate": "1.00E-4"}))
    assert job["hyperParameters"] == {
        "epochCount": "2",
        "learningRate": "1.00E-4",
        "learningRateWarmupSteps": "10",
    }
    assert job["validationDataConfig"] == {"validators": []}


def test_nova_2_has_a_batch_size_and_no_warm_up_unless_it_is_given(bedrock: Any, submit: Submit) -> None:
    nova_2 = {"baseModelIdentifier": "amazon.nova-2-lite-v1:0:256k"}
    job = bedrock.get_model_customization_job(jobIdentifier=submit(**nova_2, hyperParameters={"epochCount": "1"}))
    assert job["hyperParameters"] == {"epochCount": "1", "batchSize": "1", "learningRate": "0.00001"}
    given = {"batchSize": "1", "learningRateWarmupSteps": "5"}
    job = bedrock.get_model_customization_job(jobIdentifier=submit(**nova_2, hyperParameters=given))
    assert job["hyperParameters"]["learningRateWarmupSteps"] == "5"


def test_a_job_name_stays_taken_even_after_the_job_was_stopped(bedrock: Any, submit: Submit, unique: Unique) -> None:
    name = unique("reserved")
    bedrock.stop_model_customization_job(jobIdentifier=submit(jobName=name))
    wait_for_end(bedrock, name)
    again = request(name, customModelName=unique("model"))
    assert code_of(bedrock.create_model_customization_job, **again) == "ConflictException"


def test_a_model_name_in_use_or_on_its_way_is_refused(
    bedrock: Any, trained: Job, submit: Submit, unique: Unique
) -> None:
    submit(customModelName="on-its-way")
    for name in ("trained-model", "on-its-way"):
        taken = request(unique("job"), customModelName=name)
        assert code_of(bedrock.create_model_customization_job, **taken) == "ConflictException"


def test_a_request_token_sent_again_answers_with_the_same_job_and_starts_nothing(bedrock: Any, submit: Submit) -> None:
    first = submit(clientRequestToken="token-1")
    assert submit(clientRequestToken="token-1") == first
    assert submit(clientRequestToken="token-2") != first


def test_a_stopped_job_goes_through_stopping_and_leaves_no_model(s3_url: str, s3: Any) -> None:
    with BedrockServer(seconds_per_phase=0.8, s3_endpoint=s3_url) as server:
        bedrock = client("bedrock", server.url)
        bedrock.create_model_customization_job(**request("stopped"))
        bedrock.stop_model_customization_job(jobIdentifier="stopped")
        stopping = bedrock.get_model_customization_job(jobIdentifier="stopped")
        assert stopping["status"] == stopping["statusDetails"]["validationDetails"]["status"] == "Stopping"
        bedrock.stop_model_customization_job(jobIdentifier="stopped")
        assert wait_for_end(bedrock, "stopped")["status"] == "Stopped"
        assert bedrock.list_custom_models()["modelSummaries"] == []


def test_only_a_job_in_progress_can_be_stopped(bedrock: Any, trained: Job) -> None:
    assert code_of(bedrock.stop_model_customization_job, jobIdentifier="trained") == "ConflictException"
    assert code_of(bedrock.stop_model_customization_job, jobIdentifier="nobody") == "ResourceNotFoundException"


def test_a_job_is_found_by_name_and_by_arn(bedrock: Any, trained: Job) -> None:
    assert bedrock.get_model_customization_job(jobIdentifier="trained")["jobArn"] == trained["jobArn"]
    assert bedrock.get_model_customization_job(jobIdentifier=trained["jobArn"])["jobName"] == "trained"


def test_jobs_are_listed_newest_first_in_pages_and_by_filter(s3_url: str, s3: Any) -> None:
    with BedrockServer(seconds_per_phase=5, s3_endpoint=s3_url) as server:
        bedrock = client("bedrock", server.url)
        for number in range(5):
            bedrock.create_model_customization_job(**request(f"job-{number}"))
        paginator = bedrock.get_paginator("list_model_customization_jobs")
        pages = list(paginator.paginate(PaginationConfig={"PageSize": 2}))
        sizes = [len(page["modelCustomizationJobSummaries"]) for page in pages]
        names = [row["jobName"] for page in pages for row in page["modelCustomizationJobSummaries"]]

        def listed(**filters: Any) -> list[str]:
            rows = bedrock.list_model_customization_jobs(**filters)["modelCustomizationJobSummaries"]
            return [row["jobName"] for row in rows]

        assert sizes == [2, 2, 1]
        assert names == ["job-4", "job-3", "job-2", "job-1", "job-0"]
        assert listed(sortOrder="Ascending", maxResults=1) == ["job-0"]
        assert listed(nameContains="b-3") == ["job-3"]
        assert listed(statusEquals="Completed") == []
        created = bedrock.get_model_customization_job(jobIdentifier="job-2")["creationTime"]
        assert listed(creationTimeBefore=created) == ["job-1", "job-0"]
        assert listed(creationTimeAfter=created) == ["job-4", "job-3"]
        assert code_of(bedrock.list_model_customization_jobs, nextToken="made-up") == "ValidationException"


def test_tags_of_job_and_model_can_be_read_and_have_their_limits(bedrock: Any, trained: Job, unique: Unique) -> None:
    for arn in (trained["jobArn"], trained["outputModelArn"]):
        tags = bedrock.list_tags_for_resource(resourceARN=arn)["tags"]
        assert tags == [{"key": "idp-finetuning:job-id", "value": "1"}]
    many = [{"key": str(number), "value": ""} for number in range(51)]
    create = bedrock.create_model_customization_job
    assert code_of(create, **request(unique("job"), jobTags=many)) == "TooManyTagsException"
    assert code_of(create, **request(unique("job"), customModelTags=many[:1] * 2)) == "ValidationException"
    unknown = trained["jobArn"][:-12] + "0" * 12
    assert code_of(bedrock.list_tags_for_resource, resourceARN=unknown) == "ResourceNotFoundException"


def test_what_is_no_supervised_fine_tuning_is_refused(bedrock: Any, unique: Unique) -> None:
    changes: list[dict[str, Any]] = [
        {"customizationType": "DISTILLATION"},
        {"trainingDataConfig": {"invocationLogsConfig": {"invocationLogSource": {"s3Uri": TRAINING}}}},
    ]
    for change in changes:
        refused = request(unique("job"), **change)
        assert code_of(bedrock.create_model_customization_job, **refused) == "ValidationException"


def test_the_service_may_write_to_a_bucket_root(s3: Any, bedrock: Any, submit: Submit) -> None:
    s3.create_bucket(Bucket="root-output")
    submit(outputDataConfig={"s3Uri": "s3://root-output"})
    assert "Contents" not in s3.list_objects_v2(Bucket="root-output")
