"""Each switch does what it says, seen through boto3 as the product sees it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError
from pydantic import ValidationError

from idp_local.bedrock import BedrockServer
from idp_local.bedrock.switches import DEFAULTS, Switches
from tests.idp_local.bedrock.conftest import OUTPUT, VALIDATION, client, request, wait_for_end

PHASE = 0.1
NOVA_2 = "amazon.nova-2-lite-v1:0:256k"


@pytest.fixture
def switched(s3_url: str, s3: Any) -> Callable[[Switches], Any]:
    """A context with a client of a server that has these switches."""

    @contextmanager
    def start(switches: Switches) -> Iterator[Any]:
        with BedrockServer(seconds_per_phase=PHASE, s3_endpoint=s3_url, switches=switches) as server:
            yield client("bedrock", server.url)

    return start


def create(bedrock: Any, name: str, **changes: Any) -> str:
    arn: str = bedrock.create_model_customization_job(**request(name, **changes))["jobArn"]
    return arn


def deploy(bedrock: Any, name: str, model: str, **more: Any) -> str:
    arn: str = bedrock.create_custom_model_deployment(modelDeploymentName=name, modelArn=model, **more)[
        "customModelDeploymentArn"
    ]
    return arn


def code(call: Callable[..., Any], **arguments: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return str(refused.value.response["Error"]["Code"])


def statuses(get: Callable[[], str], last: str) -> list[str]:
    """The statuses one after the other, without repetitions, until the last or the resource is gone."""
    seen: list[str] = []
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            status = get()
        except ClientError as error:
            status = error.response["Error"]["Code"]
        if status not in seen[-1:]:
            seen.append(status)
        if status == last:
            return seen
        time.sleep(0.01)
    raise TimeoutError(f"{seen}")


@pytest.mark.parametrize("absence", ["ResourceNotFoundException", "ValidationException", "AccessDeniedException"])
def test_a_name_that_does_not_exist_is_refused_as_the_switch_says(switched: Any, absence: Any) -> None:
    with switched(Switches(absent_job=absence, absent_model=absence, absent_deployment=absence)) as bedrock:
        for found in (
            code(bedrock.get_model_customization_job, jobIdentifier="none"),
            code(bedrock.stop_model_customization_job, jobIdentifier="none"),
            code(bedrock.get_custom_model, modelIdentifier="none"),
            code(bedrock.delete_custom_model, modelIdentifier="none"),
            code(bedrock.get_custom_model_deployment, customModelDeploymentIdentifier="none"),
            code(bedrock.delete_custom_model_deployment, customModelDeploymentIdentifier="none"),
        ):
            assert found == absence
        # Of an ARN Bedrock knows that it means a resource that is gone.
        gone = "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/abcdefghijkl"
        absent = code(bedrock.get_custom_model_deployment, customModelDeploymentIdentifier=gone)
        assert absent == "ResourceNotFoundException"


def test_a_new_job_is_not_shown_yet_and_keeps_its_name(switched: Any) -> None:
    with switched(Switches(visible_after=0.5)) as bedrock:
        arn = create(bedrock, "late")
        assert code(bedrock.get_model_customization_job, jobIdentifier=arn) == "ResourceNotFoundException"
        assert bedrock.list_model_customization_jobs()["modelCustomizationJobSummaries"] == []
        assert code(bedrock.create_model_customization_job, **request("late")) == "ConflictException"
        time.sleep(0.5)
        assert bedrock.get_model_customization_job(jobIdentifier="late")["jobArn"] == arn
        assert len(bedrock.list_model_customization_jobs()["modelCustomizationJobSummaries"]) == 1


@pytest.mark.parametrize(
    ("echo", "with_slash", "without"),
    [("as given", OUTPUT, OUTPUT[:-1]), ("with slash", OUTPUT, OUTPUT), ("without slash", OUTPUT[:-1], OUTPUT[:-1])],
)
def test_the_output_prefix_is_echoed_as_the_switch_says(
    switched: Any, echo: Any, with_slash: str, without: str
) -> None:
    with switched(Switches(s3_uri_echo=echo)) as bedrock:
        given = [
            create(bedrock, name, outputDataConfig={"s3Uri": uri}) for name, uri in (("a", OUTPUT), ("b", OUTPUT[:-1]))
        ]
        shown = [bedrock.get_model_customization_job(jobIdentifier=arn)["outputDataConfig"]["s3Uri"] for arn in given]
        assert shown == [with_slash, without]


@pytest.mark.parametrize("refusal", ["ConflictException", "ValidationException"])
def test_a_replayed_token_is_refused_if_the_switch_says_so(switched: Any, refusal: Any) -> None:
    with switched(Switches(token_replay=refusal)) as bedrock:
        job = request("once", clientRequestToken="token")
        bedrock.create_model_customization_job(**job)
        assert code(bedrock.create_model_customization_job, **job) == refusal
        model = wait_for_end(bedrock, "once")["outputModelArn"]
        deploy(bedrock, "d", model, clientRequestToken="token")
        again = {"modelDeploymentName": "d", "modelArn": model, "clientRequestToken": "token"}
        assert code(bedrock.create_custom_model_deployment, **again) == refusal


def test_statuses_that_botocore_does_not_list_are_shown_in_turn(switched: Any) -> None:
    switches = Switches(
        first_job_statuses=("Queued", "Scheduled"), last_deployment_statuses=("Updating",), deletion_status="Deleting"
    )
    with switched(switches) as bedrock:
        arn = create(bedrock, "unlisted")
        shown = statuses(lambda: str(bedrock.get_model_customization_job(jobIdentifier=arn)["status"]), "Completed")
        assert shown == ["Queued", "Scheduled", "InProgress", "Completed"]
        model = bedrock.get_model_customization_job(jobIdentifier=arn)["outputModelArn"]
        deployment = deploy(bedrock, "d", model)

        def status() -> str:
            answer = bedrock.get_custom_model_deployment(customModelDeploymentIdentifier=deployment)
            return str(answer["status"])

        assert statuses(status, "Active") == ["Creating", "Updating", "Active"]
        bedrock.delete_custom_model_deployment(customModelDeploymentIdentifier=deployment)
        assert code(bedrock.delete_custom_model, modelIdentifier=model) == "ConflictException"
        assert statuses(status, "ResourceNotFoundException") == ["Deleting", "ResourceNotFoundException"]
        bedrock.delete_custom_model(modelIdentifier=model)


@pytest.mark.parametrize("refusal", ["ConflictException", "ValidationException"])
def test_deletions_are_refused_as_often_as_the_switch_says(switched: Any, refusal: Any) -> None:
    with switched(Switches(deletions_refused=2, mutating=refusal)) as bedrock:
        model = wait_for_end(bedrock, create(bedrock, "clinging"))["outputModelArn"]
        arn = deploy(bedrock, "d", model)
        time.sleep(PHASE * 1.5)
        for _ in range(2):
            assert code(bedrock.delete_custom_model_deployment, customModelDeploymentIdentifier=arn) == refusal
        bedrock.delete_custom_model_deployment(customModelDeploymentIdentifier=arn)
        for _ in range(2):
            assert code(bedrock.delete_custom_model, modelIdentifier=model) == refusal
        bedrock.delete_custom_model(modelIdentifier=model)


@pytest.mark.parametrize("name", ["batchSize", "learningRateWarmupSteps"])
def test_nova_2_refuses_a_hyperparameter_by_name_and_nova_1_is_as_before(switched: Any, name: Any) -> None:
    whole = {"epochCount": "1", "batchSize": "1", "learningRate": "0.00001", "learningRateWarmupSteps": "0"}
    with switched(Switches(nova_2_refuses=(name,))) as bedrock:
        nova_2 = request("n2", baseModelIdentifier=NOVA_2, hyperParameters=whole)
        with pytest.raises(ClientError, match=f"The hyperparameter {name} is not valid for this model"):
            bedrock.create_model_customization_job(**nova_2)
        del whole[name]
        bedrock.create_model_customization_job(**nova_2)
        create(bedrock, "n1")


def test_nova_2_takes_what_the_switches_let_it_take(switched: Any) -> None:
    small = {"baseModelIdentifier": NOVA_2, "validationDataConfig": {"validators": [{"s3Uri": VALIDATION}]}}
    with switched(Switches(nova_2_validation_set=True, nova_2_minimum_records=24)) as bedrock:
        job = wait_for_end(bedrock, create(bedrock, "small", **small))
        assert (job["status"], len(job["validationMetrics"])) == ("Completed", 1)


def test_full_quotas_refuse_until_something_ends(switched: Any) -> None:
    with switched(Switches(jobs_in_progress=1, deployments_in_progress=1)) as bedrock:
        first = create(bedrock, "first")
        full = "ServiceQuotaExceededException"
        assert code(bedrock.create_model_customization_job, **request("second")) == full
        model = wait_for_end(bedrock, first)["outputModelArn"]
        create(bedrock, "second")
        deploy(bedrock, "d", model)
        assert code(bedrock.create_custom_model_deployment, modelDeploymentName="e", modelArn=model) == full
        time.sleep(PHASE * 1.5)
        deploy(bedrock, "e", model)


def test_get_of_what_is_new_is_throttled_and_lists_are_not(switched: Any) -> None:
    with switched(Switches(get_throttled_for=0.5)) as bedrock:
        arn = create(bedrock, "busy")
        assert code(bedrock.get_model_customization_job, jobIdentifier=arn) == "ThrottlingException"
        assert len(bedrock.list_model_customization_jobs()["modelCustomizationJobSummaries"]) == 1
        time.sleep(0.5)
        bedrock.get_model_customization_job(jobIdentifier=arn)


def test_a_completed_job_shows_its_model_later(switched: Any) -> None:
    with switched(Switches(model_arn_after=0.5)) as bedrock:
        arn = create(bedrock, "shy")
        assert "outputModelArn" not in wait_for_end(bedrock, arn)
        time.sleep(0.5)
        assert wait_for_end(bedrock, arn)["outputModelArn"].startswith("arn:")


def test_switches_are_read_from_json_by_their_names_and_say_what_is_changed() -> None:
    given = Switches.model_validate_json('{"absentJob": "ValidationException", "visibleAfter": 60}')
    assert given.changed() == {"absentJob": "ValidationException", "visibleAfter": 60.0}
    assert DEFAULTS.changed() == {}
    with pytest.raises(ValidationError, match="unknownSwitch"):
        Switches.model_validate_json('{"unknownSwitch": 1}')
