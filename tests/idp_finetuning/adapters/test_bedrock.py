"""Bedrock's control plane: created exactly once, read as botocore shapes it, removed repeatedly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from idp_finetuning.adapters.bedrock import (
    Bedrock,
    BedrockBusy,
    BedrockRefused,
    Begun,
    CustomizationRequest,
    DeploymentRequest,
    HyperParametersRefused,
)
from idp_finetuning.errors import TransientError
from idp_finetuning.jobs.bedrock_names import bedrock_name, bedrock_tags
from idp_finetuning.nova.base_models import find_base_model
from tests.support.domain.fake_bedrock import PREFIX, THEN, FakeBedrock, client_error
from tests.support.domain.samples import job

MODEL = f"{PREFIX}custom-model/amazon.nova-lite-v1:0:300k/000000000000"
JOB_ID = job().id
TAGS = bedrock_tags("idp", JOB_ID, "sub-1")
REQUEST = CustomizationRequest(
    name=bedrock_name("my classifier", JOB_ID, "training", 1),
    role_arn="arn:aws:iam::123456789012:role/idp-finetuning-bedrock",
    base_model="amazon.nova-lite-v1:0:300k",
    training_s3_uri="s3://data/jobs/6f1c2b1e/dataset/train.jsonl",
    validation_s3_uri="s3://data/jobs/6f1c2b1e/dataset/validation.jsonl",
    output_s3_uri="s3://data/jobs/6f1c2b1e/output/",
    hyper_parameters=find_base_model("us.amazon.nova-lite-v1:0").choose_hyper_parameters().for_bedrock(),
    job_id=JOB_ID,
    tags=TAGS,
)


# Not long ago, however long the tests before took.
LATELY = "2100-01-01T00:00:00.000Z"
FRESH = Begun(at=LATELY)
EARLIER = Begun(at=LATELY, earlier=True)
LONG_AGO = Begun(at="2026-11-01T10:00:00.000Z", earlier=True)
AMBIGUOUS = ["ConflictException", "ValidationException"]


@pytest.fixture
def bedrock(fake_bedrock: FakeBedrock) -> Bedrock:
    """The adapter before an empty account."""
    return Bedrock(fake_bedrock)


def train(bedrock: Bedrock, begun: Begun = FRESH, **changes: Any) -> str:
    """ARN of the customization job of the request."""
    return bedrock.ensure_customization_job(REQUEST.model_copy(update=changes), begun).arn


def deploy(bedrock: Bedrock, begun: Begun = FRESH, model_arn: str = MODEL) -> str:
    """ARN of the deployment."""
    name = bedrock_name("my classifier", JOB_ID, "deployment", 1)
    request = DeploymentRequest(name=name, model_arn=model_arn, job_id=JOB_ID, tags=TAGS)
    return bedrock.ensure_deployment(request, begun).arn


# Both creations behave alike; the operation of each, and the name of its list.
CREATIONS: list[tuple[Callable[..., str], str, str]] = [
    (train, "CreateModelCustomizationJob", "ListModelCustomizationJobs"),
    (deploy, "CreateCustomModelDeployment", "ListCustomModelDeployments"),
]
each_creation = pytest.mark.parametrize(("ensure", "create", "listing"), CREATIONS, ids=["training", "deployment"])


def test_a_job_is_created_with_everything_that_makes_it_repeatable_and_findable(
    bedrock: Bedrock, fake_bedrock: FakeBedrock
) -> None:
    assert train(bedrock) == fake_bedrock.jobs[REQUEST.name]["jobArn"]
    (request,) = fake_bedrock.requests["CreateModelCustomizationJob"]
    tags = {tag["key"]: tag["value"] for tag in request["jobTags"]}
    assert request["jobTags"] == request["customModelTags"]
    assert tags == {
        "idp-finetuning:deployment": "idp",
        "idp-finetuning:job-id": JOB_ID,
        "idp-finetuning:owner": "sub-1",
    }
    assert request["clientRequestToken"] == request["jobName"] == request["customModelName"] == REQUEST.name
    assert request["customizationType"] == "FINE_TUNING"
    assert request["validationDataConfig"] == {"validators": [{"s3Uri": REQUEST.validation_s3_uri}]}
    assert request["hyperParameters"] == REQUEST.hyper_parameters


def test_a_model_without_validation_sets_is_sent_none(bedrock: Bedrock, fake_bedrock: FakeBedrock) -> None:
    train(bedrock, validation_s3_uri=None)
    assert "validationDataConfig" not in fake_bedrock.requests["CreateModelCustomizationJob"][0]


@each_creation
def test_what_is_new_is_created_at_once_and_looked_for_nowhere(
    bedrock: Bedrock, fake_bedrock: FakeBedrock, ensure: Callable[..., str], create: str, listing: str
) -> None:
    ensure(bedrock)
    assert [call for call in fake_bedrock.calls if call != "GetCustomModel"] == [create]


@each_creation
@pytest.mark.parametrize("replay", [None, *AMBIGUOUS])
@pytest.mark.parametrize("begun", [FRESH, EARLIER, LONG_AGO], ids=["fresh", "earlier", "long ago"])
def test_what_an_earlier_call_created_is_adopted_however_bedrock_answers_a_replay(
    bedrock: Bedrock,
    fake_bedrock: FakeBedrock,
    ensure: Callable[..., str],
    create: str,
    listing: str,
    replay: str | None,
    begun: Begun,
) -> None:
    first = ensure(bedrock)
    fake_bedrock.replay = replay
    assert ensure(bedrock, begun) == first
    assert len(fake_bedrock.created) == 1


@each_creation
def test_a_creation_that_botocore_repeated_may_meet_its_own_first_try(
    bedrock: Bedrock,
    fake_bedrock: FakeBedrock,
    ensure: Callable[..., str],
    create: str,
    listing: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = ensure(bedrock)

    def refused_on_a_retry(call: Callable[[], Any]) -> Any:
        answer = call()
        if fake_bedrock.calls[-1] == create:
            error = client_error(create, "ValidationException")
            error.response["ResponseMetadata"]["RetryAttempts"] = 1
            raise error
        return answer

    monkeypatch.setattr(fake_bedrock, "before_call", refused_on_a_retry)
    assert ensure(bedrock, FRESH) == first


@each_creation
@pytest.mark.parametrize("replay", [None, *AMBIGUOUS])
def test_what_no_list_shows_yet_is_asked_for_again_and_not_given_up(
    bedrock: Bedrock,
    fake_bedrock: FakeBedrock,
    ensure: Callable[..., str],
    create: str,
    listing: str,
    replay: str | None,
) -> None:
    first = ensure(bedrock)
    fake_bedrock.replay = replay
    fake_bedrock.unlisted = {*fake_bedrock.jobs, *fake_bedrock.deployments}
    if replay is None:
        assert ensure(bedrock, EARLIER) == first
    else:
        with pytest.raises(TransientError, match="not list it yet"):
            ensure(bedrock, EARLIER)
    fake_bedrock.unlisted = set()
    assert ensure(bedrock, EARLIER) == first
    assert len(fake_bedrock.created) == 1


@each_creation
@pytest.mark.parametrize("code", AMBIGUOUS)
def test_after_ten_minutes_without_a_trace_an_ambiguous_refusal_is_a_refusal(
    bedrock: Bedrock, fake_bedrock: FakeBedrock, ensure: Callable[..., str], create: str, listing: str, code: str
) -> None:
    fake_bedrock.failures[create] = [code]
    with pytest.raises(BedrockRefused, match=r"Bedrock's own words\."):
        ensure(bedrock, LONG_AGO)


@each_creation
def test_a_create_whose_answer_was_lost_creates_once(
    bedrock: Bedrock, fake_bedrock: FakeBedrock, ensure: Callable[..., str], create: str, listing: str
) -> None:
    fake_bedrock.lost_answers = {create}
    with pytest.raises(ClientError):
        ensure(bedrock)
    assert ensure(bedrock, EARLIER)
    assert fake_bedrock.calls.count(create) == len(fake_bedrock.created) == 1


@each_creation
@pytest.mark.parametrize("code", ["ValidationException", "AccessDeniedException"])
def test_a_refusal_of_a_first_request_is_final_and_in_bedrocks_words(
    bedrock: Bedrock, fake_bedrock: FakeBedrock, ensure: Callable[..., str], create: str, listing: str, code: str
) -> None:
    fake_bedrock.failures[create] = [code]
    with pytest.raises(BedrockRefused, match=r"^Bedrock's own words\.$"):
        ensure(bedrock)


@each_creation
def test_a_full_quota_may_be_free_later(
    bedrock: Bedrock, fake_bedrock: FakeBedrock, ensure: Callable[..., str], create: str, listing: str
) -> None:
    fake_bedrock.failures[create] = ["ServiceQuotaExceededException"]
    with pytest.raises(BedrockBusy, match="Bedrock quota: "):
        ensure(bedrock)


@each_creation
@pytest.mark.parametrize("code", ["ThrottlingException", "InternalServerException"])
def test_a_passing_failure_is_left_to_the_retry(
    bedrock: Bedrock, fake_bedrock: FakeBedrock, ensure: Callable[..., str], create: str, listing: str, code: str
) -> None:
    fake_bedrock.failures[create] = [code]
    with pytest.raises(ClientError, match=code):
        ensure(bedrock)


@pytest.mark.parametrize("echoed", [REQUEST.output_s3_uri, REQUEST.output_s3_uri.rstrip("/")])
def test_a_job_is_ours_with_and_without_the_slash_at_the_end(
    bedrock: Bedrock, fake_bedrock: FakeBedrock, echoed: str
) -> None:
    first = train(bedrock)
    fake_bedrock.jobs[REQUEST.name]["outputDataConfig"] = {"s3Uri": echoed}
    fake_bedrock.tags[first] = []
    assert train(bedrock, EARLIER) == first


def test_a_job_is_ours_by_its_tag_alone(bedrock: Bedrock, fake_bedrock: FakeBedrock) -> None:
    first = train(bedrock)
    fake_bedrock.jobs[REQUEST.name]["outputDataConfig"] = {"s3Uri": "s3://other/output/"}
    assert train(bedrock, EARLIER) == first
    fake_bedrock.unseen = {first}
    assert train(bedrock, EARLIER) == first


@pytest.mark.parametrize("begun", [EARLIER, LONG_AGO], ids=["earlier", "long ago"])
def test_a_job_of_our_name_that_is_not_ours_is_refused(
    bedrock: Bedrock, fake_bedrock: FakeBedrock, begun: Begun
) -> None:
    fake_bedrock.tags[train(bedrock, output_s3_uri="s3://other/output/")] = []
    with pytest.raises(BedrockRefused, match="exists in Bedrock, but not for this job"):
        train(bedrock, begun)


def test_a_deployment_of_our_name_that_is_not_ours_is_refused(bedrock: Bedrock) -> None:
    deploy(bedrock, model_arn=MODEL[:-1] + "9")
    with pytest.raises(BedrockRefused, match="but not for this job's model"):
        deploy(bedrock, EARLIER)


def test_a_refusal_that_names_an_optional_hyperparameter_says_which(
    bedrock: Bedrock, fake_bedrock: FakeBedrock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(**_: Any) -> None:
        raise client_error("CreateModelCustomizationJob", "ValidationException", "learningratewarmupsteps is unknown.")

    optional = frozenset({"learningRateWarmupSteps", "batchSize"})
    with monkeypatch.context() as patched:
        patched.setattr(fake_bedrock, "create_model_customization_job", refused)
        for begun in (FRESH, EARLIER):
            with pytest.raises(HyperParametersRefused) as refusal:
                train(bedrock, begun, optional_hyper_parameters=optional)
            assert refusal.value.names == {"learningRateWarmupSteps"}
        with pytest.raises(BedrockRefused) as final:
            train(bedrock)
        assert not isinstance(final.value, HyperParametersRefused)
    train(bedrock, omitted=frozenset({"learningRateWarmupSteps"}))
    request = fake_bedrock.requests["CreateModelCustomizationJob"][-1]
    assert set(request["hyperParameters"]) == {"epochCount", "learningRate"}
    assert request["clientRequestToken"] == f"{REQUEST.name}-without-1"


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
    job_arn = train(bedrock)
    arn = fake_bedrock.train(REQUEST.name, **shown)
    found = bedrock.find_customization_job(job_arn)
    assert found
    assert (found.metrics.training_loss, found.metrics.validation_loss) == losses
    assert (found.status, found.model_arn, found.ended_at) == ("Completed", arn, "2026-11-22T10:00:00.000Z")


def test_a_failed_job_is_found_with_its_reason_and_an_absent_one_is_none(
    bedrock: Bedrock, fake_bedrock: FakeBedrock
) -> None:
    arn = train(bedrock)
    fake_bedrock.train(REQUEST.name, "Failed", failureMessage="Invalid record 7.")
    found = bedrock.find_customization_job(arn)
    assert found
    assert (found.status, found.failure_message, found.model_arn) == ("Failed", "Invalid record 7.", None)
    assert bedrock.find_customization_job(arn[:-1] + "9") is None
    assert bedrock.find_deployment(f"{PREFIX}custom-model-deployment/00000000000f") is None


@pytest.mark.parametrize("status", ["Queued", "Scheduled", "InProgress", "Stopping", "of tomorrow"])
def test_an_unknown_status_means_that_bedrock_still_works(
    bedrock: Bedrock, fake_bedrock: FakeBedrock, status: str
) -> None:
    arn = train(bedrock)
    fake_bedrock.jobs[REQUEST.name]["status"] = status
    found = bedrock.find_customization_job(arn)
    assert found
    assert (found.is_completed, found.ended_badly) == (False, False)
    (listed,) = bedrock.trainings(JOB_ID)
    assert listed.is_training


def test_a_completed_job_without_a_model_is_not_completed_yet(bedrock: Bedrock, fake_bedrock: FakeBedrock) -> None:
    arn = train(bedrock)
    fake_bedrock.jobs[REQUEST.name]["status"] = "Completed"
    found = bedrock.find_customization_job(arn)
    assert found
    assert (found.is_completed, found.ended_badly) == (False, False)


def test_stopping_is_repeatable_and_leaves_ended_jobs(bedrock: Bedrock, fake_bedrock: FakeBedrock) -> None:
    arn = train(bedrock)
    bedrock.stop_customization_job(arn)
    bedrock.stop_customization_job(arn)
    assert fake_bedrock.jobs[REQUEST.name]["status"] == "Stopping"
    bedrock.stop_customization_job(arn[:-1] + "9")
    fake_bedrock.failures["StopModelCustomizationJob"] = ["ValidationException"]
    bedrock.stop_customization_job(arn)


def test_removal_is_repeatable_and_a_held_model_waits(bedrock: Bedrock, fake_bedrock: FakeBedrock) -> None:
    train(bedrock)
    model = fake_bedrock.train(REQUEST.name)
    deployment = deploy(bedrock, model_arn=model)
    assert bedrock.delete_model(model) == "Bedrock's own words."
    for _ in range(2):
        assert bedrock.delete_deployment(deployment) is None
    for _ in range(2):
        assert bedrock.delete_model(model) is None
    assert not fake_bedrock.models
    assert not fake_bedrock.deployments


@pytest.mark.parametrize("code", AMBIGUOUS)
def test_what_changes_just_now_is_on_its_way_and_says_so(
    bedrock: Bedrock, fake_bedrock: FakeBedrock, code: str
) -> None:
    fake_bedrock.failures["DeleteCustomModelDeployment"] = fake_bedrock.failures["DeleteCustomModel"] = [code]
    assert bedrock.delete_deployment(deploy(bedrock)) == "Bedrock's own words."
    fake_bedrock.failures["DeleteCustomModel"] = [code]
    assert bedrock.delete_model(MODEL) == "Bedrock's own words."


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
