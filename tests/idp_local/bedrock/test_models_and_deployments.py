from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from idp_local.bedrock import BedrockServer
from tests.idp_local.bedrock.conftest import Job, client, request, wait_for_end
from tests.support.local.drawn import CLASSES, page

Unique = Callable[[str], str]


def refused(call: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**parameters)
    answer = error.value.response["Error"]
    return answer["Code"], answer["Message"]


def active(bedrock: Any, arn: str) -> None:
    deadline = time.monotonic() + 10
    while bedrock.get_custom_model_deployment(customModelDeploymentIdentifier=arn)["status"] != "Active":
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_account_is_offered_four_nova_models_and_no_nova_2_pro(bedrock: Any) -> None:
    rows = bedrock.list_foundation_models(byCustomizationType="FINE_TUNING")["modelSummaries"]
    assert {row["modelId"] for row in rows} == {
        "amazon.nova-2-lite-v1:0:256k",
        "amazon.nova-lite-v1:0:300k",
        "amazon.nova-micro-v1:0:128k",
        "amazon.nova-pro-v1:0:300k",
    }
    assert bedrock.list_foundation_models(byCustomizationType="CONTINUED_PRE_TRAINING")["modelSummaries"] == []
    assert bedrock.list_foundation_models(byProvider="Meta")["modelSummaries"] == []


def test_an_account_can_be_offered_another_model(s3_url: str) -> None:
    with BedrockServer(s3_endpoint=s3_url, fine_tunable=["amazon.nova-2-pro-v1:0:256k"]) as server:
        rows = client("bedrock", server.url).list_foundation_models()["modelSummaries"]
    assert [row["modelId"] for row in rows] == ["amazon.nova-2-pro-v1:0:256k"]
    with pytest.raises(ValueError, match=r"amazon\.titan"):
        BedrockServer(s3_endpoint=s3_url, fine_tunable=["amazon.titan"])


def test_a_model_is_found_by_name_and_listed_by_filter(bedrock: Any, trained: Job) -> None:
    model = bedrock.get_custom_model(modelIdentifier="trained-model")
    assert (model["modelArn"], model["modelStatus"]) == (trained["outputModelArn"], "Active")

    def listed(**filters: Any) -> bool:
        rows = bedrock.list_custom_models(**filters)["modelSummaries"]
        return trained["outputModelArn"] in [row["modelArn"] for row in rows]

    assert listed(nameContains="ained-mo", baseModelArnEquals=trained["baseModelArn"], modelStatus="Active")
    assert listed(isOwned=True, foundationModelArnEquals=trained["baseModelArn"])
    assert not listed(isOwned=False)
    assert not listed(nameContains="other")
    assert not listed(modelStatus="Failed")
    assert not listed(creationTimeBefore=trained["creationTime"])


def test_a_deployment_is_creating_first_and_cannot_be_deleted_then(s3_url: str, s3: Any) -> None:
    with BedrockServer(seconds_per_phase=0.8, s3_endpoint=s3_url) as server:
        bedrock, runtime = client("bedrock", server.url), client("bedrock-runtime", server.url)
        bedrock.create_model_customization_job(**request("job"))
        model = wait_for_end(bedrock, "job")["outputModelArn"]
        arn = bedrock.create_custom_model_deployment(modelDeploymentName="d", modelArn=model)[
            "customModelDeploymentArn"
        ]
        found = bedrock.get_custom_model_deployment(customModelDeploymentIdentifier="d")
        assert (found["customModelDeploymentArn"], found["status"], found["modelArn"]) == (arn, "Creating", model)
        code, message = refused(bedrock.delete_custom_model_deployment, customModelDeploymentIdentifier=arn)
        assert (code, "mutating state" in message) == ("ValidationException", True)
        hello = [{"role": "user", "content": [{"text": "hello"}]}]
        assert refused(runtime.converse, modelId=arn, messages=hello)[0] == "ModelNotReadyException"
        active(bedrock, arn)
        # The model cannot go before its deployment, and both names are free afterwards.
        assert refused(bedrock.delete_custom_model, modelIdentifier=model)[0] == "ConflictException"
        bedrock.delete_custom_model_deployment(customModelDeploymentIdentifier="d")
        gone = refused(bedrock.get_custom_model_deployment, customModelDeploymentIdentifier=arn)
        assert gone[0] == "ResourceNotFoundException"
        assert refused(runtime.converse, modelId=arn, messages=hello)[0] == "ResourceNotFoundException"
        bedrock.delete_custom_model(modelIdentifier="job-model")
        assert refused(bedrock.get_custom_model, modelIdentifier=model)[0] == "ResourceNotFoundException"
        again = refused(bedrock.create_custom_model_deployment, modelDeploymentName="d", modelArn=model)
        assert again[0] == "ResourceNotFoundException"


def test_a_deployment_name_in_use_is_a_validation_error(bedrock: Any, trained: Job, deployed: str) -> None:
    code, message = refused(
        bedrock.create_custom_model_deployment, modelDeploymentName="deployed", modelArn=trained["outputModelArn"]
    )
    assert (code, "already exists" in message) == ("ValidationException", True)


def test_a_deployment_needs_the_arn_of_a_model(bedrock: Any, trained: Job) -> None:
    create = bedrock.create_custom_model_deployment
    assert refused(create, modelDeploymentName="x", modelArn="trained-model-by-name")[0] == "ValidationException"
    unknown = trained["outputModelArn"][:-12] + "0" * 12
    assert refused(create, modelDeploymentName="x", modelArn=unknown)[0] == "ResourceNotFoundException"


def test_a_request_token_sent_again_makes_no_second_deployment(bedrock: Any, trained: Job, unique: Unique) -> None:
    name = unique("deployment")
    first, second = (
        bedrock.create_custom_model_deployment(
            modelDeploymentName=name, modelArn=trained["outputModelArn"], clientRequestToken="deployment-1"
        )["customModelDeploymentArn"]
        for _ in range(2)
    )
    assert first == second


def test_deployments_are_listed_by_filter(bedrock: Any, trained: Job, deployed: str) -> None:
    def listed(**filters: Any) -> list[str]:
        rows = bedrock.list_custom_model_deployments(**filters)["modelDeploymentSummaries"]
        return [row["customModelDeploymentArn"] for row in rows]

    assert deployed in listed(modelArnEquals=trained["outputModelArn"], nameContains="deployed", statusEquals="Active")
    assert deployed not in listed(statusEquals="Creating")
    assert deployed not in listed(nameContains="other")
    assert deployed not in listed(createdBefore=trained["creationTime"])
    described = bedrock.get_custom_model_deployment(customModelDeploymentIdentifier=deployed)
    assert described["description"] == "for the tests"


def test_tags_of_a_deployment_can_be_read(bedrock: Any, trained: Job, unique: Unique) -> None:
    tags = [{"key": "idp-finetuning:job-id", "value": "1"}]
    arn = bedrock.create_custom_model_deployment(
        modelDeploymentName=unique("tagged"), modelArn=trained["outputModelArn"], tags=tags
    )["customModelDeploymentArn"]
    assert bedrock.list_tags_for_resource(resourceARN=arn)["tags"] == tags


def test_a_deployment_classifies_pages_it_has_not_seen(runtime: Any, deployed: str) -> None:
    right = 0
    for seed in range(400, 412):
        image = {"image": {"format": "png", "source": {"bytes": page(CLASSES[seed % 3], seed, "PNG")}}}
        answer = runtime.converse(modelId=deployed, messages=[{"role": "user", "content": [image]}])
        right += f'"class": "{CLASSES[seed % 3]}"' in answer["output"]["message"]["content"][0]["text"]
    assert right >= 10
