"""Bedrock's control plane: created exactly once, read as botocore shapes it, removed repeatedly."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from idp_finetuning.adapters.bedrock import Bedrock, BedrockRefused, CustomizationRequest
from idp_finetuning.errors import TransientError
from idp_finetuning.nova.base_models import find_base_model
from tests.support.domain.fake_bedrock import PREFIX, THEN, FakeBedrock

MODEL = f"{PREFIX}custom-model/amazon.nova-lite-v1:0:300k/000000000000"
REQUEST = CustomizationRequest(
    name="my-classifier-6f1c2b1e-t1",
    role_arn="arn:aws:iam::123456789012:role/idp-finetuning-bedrock",
    base_model="amazon.nova-lite-v1:0:300k",
    training_s3_uri="s3://data/jobs/6f1c2b1e/dataset/train.jsonl",
    validation_s3_uri="s3://data/jobs/6f1c2b1e/dataset/validation.jsonl",
    output_s3_uri="s3://data/jobs/6f1c2b1e/output/",
    hyper_parameters=find_base_model("us.amazon.nova-lite-v1:0").choose_hyper_parameters().for_bedrock(),
    job_id="6f1c2b1e",
)


@pytest.fixture
def bedrock(fake_bedrock: FakeBedrock) -> Bedrock:
    """The adapter before an empty account."""
    return Bedrock(fake_bedrock)


def deploy(bedrock: Bedrock, model_arn: str = MODEL) -> str:
    """ARN of the deployment `d1`."""
    return bedrock.ensure_deployment(name="d1", model_arn=model_arn, job_id="6f1c2b1e").arn


def test_a_job_is_created_with_everything_that_makes_it_repeatable_and_findable(
    bedrock: Bedrock, fake_bedrock: FakeBedrock
) -> None:
    created = bedrock.ensure_customization_job(REQUEST)
    assert (created.status, created.created_at) == ("InProgress", "2026-11-22T10:00:00.000Z")
    (request,) = fake_bedrock.requests["CreateModelCustomizationJob"]
    tags = [{"key": "idp-finetuning:job-id", "value": "6f1c2b1e"}]
    assert request["jobTags"] == request["customModelTags"] == tags
    assert request["clientRequestToken"] == request["jobName"] == request["customModelName"] == REQUEST.name
    assert request["customizationType"] == "FINE_TUNING"
    assert request["validationDataConfig"] == {"validators": [{"s3Uri": REQUEST.validation_s3_uri}]}
    assert set(request["hyperParameters"]) == {"epochCount", "learningRate", "learningRateWarmupSteps"}


def test_a_model_without_validation_sets_is_sent_none(bedrock: Bedrock, fake_bedrock: FakeBedrock) -> None:
    bedrock.ensure_customization_job(REQUEST.model_copy(update={"validation_s3_uri": None}))
    assert "validationDataConfig" not in fake_bedrock.requests["CreateModelCustomizationJob"][0]


def test_what_an_earlier_run_created_is_adopted(bedrock: Bedrock, fake_bedrock: FakeBedrock) -> None:
    first = bedrock.ensure_customization_job(REQUEST)
    assert bedrock.ensure_customization_job(REQUEST) == first
    assert deploy(bedrock) == deploy(bedrock)
    assert fake_bedrock.calls.count("CreateModelCustomizationJob") == 1
    assert fake_bedrock.calls.count("CreateCustomModelDeployment") == 1


@pytest.mark.parametrize("operation", ["CreateModelCustomizationJob", "CreateCustomModelDeployment"])
def test_a_create_whose_answer_was_lost_creates_once(
    bedrock: Bedrock, fake_bedrock: FakeBedrock, operation: str
) -> None:
    fake_bedrock.lost_answers = {operation}

    def ensure() -> str:
        return bedrock.ensure_customization_job(REQUEST).arn if "Job" in operation else deploy(bedrock)

    with pytest.raises(ClientError):
        ensure()
    assert ensure()
    assert fake_bedrock.calls.count(operation) == 1
    assert len(fake_bedrock.jobs) + len(fake_bedrock.deployments) == 1


def test_a_racing_run_that_meets_a_taken_name_adopts_what_is_there(bedrock: Bedrock, fake_bedrock: FakeBedrock) -> None:
    first = bedrock.ensure_customization_job(REQUEST)
    deployed = deploy(bedrock)
    fake_bedrock.failures["GetModelCustomizationJob"] = ["ResourceNotFoundException"]
    fake_bedrock.failures["GetCustomModelDeployment"] = ["ResourceNotFoundException"]
    assert bedrock.ensure_customization_job(REQUEST) == first
    assert deploy(bedrock) == deployed
    assert fake_bedrock.calls.count("CreateModelCustomizationJob") == 2
    assert len(fake_bedrock.jobs) == len(fake_bedrock.deployments) == 1


@pytest.mark.parametrize("code", ["ConflictException", "ValidationException", "ServiceQuotaExceededException"])
def test_a_refusal_with_nothing_behind_it_is_final_and_in_bedrocks_words(
    bedrock: Bedrock, fake_bedrock: FakeBedrock, code: str
) -> None:
    fake_bedrock.failures["CreateModelCustomizationJob"] = [code]
    fake_bedrock.failures["CreateCustomModelDeployment"] = [code]
    with pytest.raises(BedrockRefused, match=r"Bedrock's own words\."):
        bedrock.ensure_customization_job(REQUEST)
    with pytest.raises(BedrockRefused, match=r"Bedrock's own words\."):
        deploy(bedrock)


@pytest.mark.parametrize("code", ["ThrottlingException", "InternalServerException"])
def test_a_passing_failure_is_left_to_the_retry(bedrock: Bedrock, fake_bedrock: FakeBedrock, code: str) -> None:
    fake_bedrock.failures["CreateModelCustomizationJob"] = [code]
    with pytest.raises(ClientError, match=code):
        bedrock.ensure_customization_job(REQUEST)


def test_a_job_of_our_name_that_is_not_ours_is_refused(bedrock: Bedrock) -> None:
    bedrock.ensure_customization_job(REQUEST.model_copy(update={"output_s3_uri": "s3://other/output/"}))
    with pytest.raises(BedrockRefused, match="exists in Bedrock, but not for this job"):
        bedrock.ensure_customization_job(REQUEST)


def test_a_deployment_of_our_name_that_is_not_ours_is_refused(bedrock: Bedrock) -> None:
    deploy(bedrock, MODEL[:-1] + "9")
    with pytest.raises(BedrockRefused, match="but not for this job's model"):
        deploy(bedrock)


def test_what_is_accepted_but_not_shown_yet_is_tried_again(bedrock: Bedrock, fake_bedrock: FakeBedrock) -> None:
    fake_bedrock.failures["GetModelCustomizationJob"] = ["ResourceNotFoundException"] * 2
    with pytest.raises(TransientError, match="does not show it yet"):
        bedrock.ensure_customization_job(REQUEST)
    assert bedrock.ensure_customization_job(REQUEST).status == "InProgress"


@pytest.mark.parametrize(
    ("shown", "losses"),
    [
        ({}, (None, None)),
        ({"trainingMetrics": {}, "validationMetrics": []}, (None, None)),
        ({"trainingMetrics": {"trainingLoss": 0.5}}, (0.5, None)),
        ({"validationMetrics": [{"validationLoss": 0.25}, {"validationLoss": 9.0}]}, (None, 0.25)),
        ({"trainingMetrics": {"trainingLoss": 0.0}, "validationMetrics": [{"validationLoss": 0.0}]}, (0.0, 0.0)),
        ({"trainingMetrics": {"trainingLoss": 0.5}, "validationMetrics": [{}]}, (0.5, None)),
        (
            {
                "trainingMetrics": {"trainingLoss": float("nan")},
                "validationMetrics": [{"validationLoss": float("inf")}],
            },
            (None, None),
        ),
    ],
)
def test_losses_are_read_from_the_structure_and_the_list_bedrock_answers(
    bedrock: Bedrock, fake_bedrock: FakeBedrock, shown: dict[str, Any], losses: tuple[float | None, float | None]
) -> None:
    bedrock.ensure_customization_job(REQUEST)
    arn = fake_bedrock.train(REQUEST.name, **shown)
    found = bedrock.find_customization_job(REQUEST.name)
    assert found
    assert (found.metrics.training_loss, found.metrics.validation_loss) == losses
    assert (found.status, found.model_arn, found.ended_at) == ("Completed", arn, "2026-11-22T10:00:00.000Z")


def test_a_failed_job_is_found_with_its_reason_by_name_and_arn(bedrock: Bedrock, fake_bedrock: FakeBedrock) -> None:
    arn = bedrock.ensure_customization_job(REQUEST).arn
    fake_bedrock.train(REQUEST.name, "Failed", failureMessage="Invalid record 7.")
    for identifier in (REQUEST.name, arn):
        found = bedrock.find_customization_job(identifier)
        assert found
        assert (found.status, found.failure_message, found.model_arn) == ("Failed", "Invalid record 7.", None)
    assert bedrock.find_customization_job("unknown") is None
    assert bedrock.find_deployment("unknown") is None


def test_stopping_is_repeatable_and_leaves_ended_jobs(bedrock: Bedrock, fake_bedrock: FakeBedrock) -> None:
    arn = bedrock.ensure_customization_job(REQUEST).arn
    bedrock.stop_customization_job(arn)
    bedrock.stop_customization_job(arn)
    assert fake_bedrock.jobs[REQUEST.name]["status"] == "Stopping"
    bedrock.stop_customization_job(arn[:-1] + "9")


def test_removal_is_repeatable_and_a_held_model_waits(bedrock: Bedrock, fake_bedrock: FakeBedrock) -> None:
    bedrock.ensure_customization_job(REQUEST)
    model = fake_bedrock.train(REQUEST.name)
    deployment = deploy(bedrock, model)
    assert bedrock.delete_model(model) is False
    bedrock.delete_deployment(deployment)
    bedrock.delete_deployment(deployment)
    assert [bedrock.delete_model(REQUEST.name), bedrock.delete_model(REQUEST.name)] == [True, True]
    assert not fake_bedrock.models
    assert not fake_bedrock.deployments


def test_a_deployment_already_being_removed_is_waited_for(bedrock: Bedrock, fake_bedrock: FakeBedrock) -> None:
    arn = deploy(bedrock)
    fake_bedrock.failures["DeleteCustomModelDeployment"] = ["ConflictException"]
    bedrock.delete_deployment(arn)


def test_a_removal_that_bedrock_denies_surfaces(bedrock: Bedrock, fake_bedrock: FakeBedrock) -> None:
    arn = deploy(bedrock)
    fake_bedrock.failures["DeleteCustomModelDeployment"] = ["AccessDeniedException"]
    fake_bedrock.failures["DeleteCustomModel"] = ["AccessDeniedException"]
    with pytest.raises(ClientError):
        bedrock.delete_deployment(arn)
    with pytest.raises(ClientError):
        bedrock.delete_model(MODEL)


def test_the_models_of_the_account_are_asked_by_customization_type(bedrock: Bedrock, fake_bedrock: FakeBedrock) -> None:
    assert set(bedrock.fine_tunable_models()) == set(fake_bedrock.offered)
    assert fake_bedrock.requests["ListFoundationModels"] == [{"byCustomizationType": "FINE_TUNING"}]
    assert THEN.tzinfo is not None
