from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.model import ListShape, MapShape, Shape, StructureShape

from idp_local.bedrock import BedrockServer
from idp_local.bedrock.behaviour import Behaviour
from idp_local.bedrock.errors import BedrockError
from idp_local.bedrock.shapes import compile_pattern
from tests.idp_local.bedrock.conftest import client, request

SIGNED = {"Authorization": "AWS4-HMAC-SHA256 Credential=testing", "Content-Type": "application/json"}


def refusal(call: Callable[..., Any], **parameters: Any) -> tuple[str, int, str]:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    answer = refused.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]


def raw(
    server: BedrockServer, method: str, path: str, body: bytes = b"", headers: dict[str, str] = SIGNED
) -> tuple[int, str, dict[str, Any]]:
    asked = urllib.request.Request(server.url + path, data=body or None, method=method, headers=headers)
    try:
        with urllib.request.urlopen(asked, timeout=5) as answer:
            return answer.status, "", json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, error.headers["x-amzn-ErrorType"], json.loads(error.read())


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("jobName", "with_underscore"),
        ("jobName", "-leading"),
        ("jobName", "new\nline"),
        ("jobName", "line-end\n"),
        ("jobName", "größe"),
        ("jobName", "a" * 64),
        ("customModelName", "two--hyphens"),
        ("customModelName", "with.dot"),
        ("customModelName", "_leading"),
        ("roleArn", "arn:aws:iam::123456789012:user/someone"),
        ("baseModelIdentifier", "Amazon Nova"),
        ("customizationType", "FINETUNING"),
        ("clientRequestToken", "under_score"),
        ("outputDataConfig", {"s3Uri": "s3://bucket/with space/"}),
        ("trainingDataConfig", {"s3Uri": "https://bucket/train.jsonl"}),
        ("validationDataConfig", {"validators": [{"s3Uri": f"s3://bucket/{n}"} for n in range(11)]}),
        ("jobTags", [{"key": "semi;colon", "value": "x"}]),
    ],
)
def test_a_value_outside_its_shape_is_refused_with_the_member_named(bedrock: Any, member: str, value: Any) -> None:
    code, status, message = refusal(bedrock.create_model_customization_job, **request("nasty", **{member: value}))
    assert (code, status) == ("ValidationException", 400)
    assert f"'{member}" in message


def test_a_name_that_would_keep_a_backtracking_matcher_busy_is_answered_at_once(bedrock: Any) -> None:
    began = time.monotonic()
    name = "a" + "-a" * 30 + "_"
    code, _, _ = refusal(bedrock.create_model_customization_job, **request("nasty", jobName=name))
    assert code == "ValidationException"
    assert time.monotonic() - began < 1


def test_everything_that_is_wrong_is_named_at_once(bedrock: Any) -> None:
    nasty = request("nasty", jobName="a_b", customModelName="a--b")
    assert refusal(bedrock.create_model_customization_job, **nasty)[2].startswith("2 validation errors detected: ")


@pytest.mark.parametrize("member", ["jobName", "customModelName", "roleArn", "trainingDataConfig", "outputDataConfig"])
def test_a_required_member_that_is_missing_is_named(server: BedrockServer, member: str) -> None:
    body = json.dumps(request("nasty", **{member: None})).encode()
    status, kind, answer = raw(server, "POST", "/model-customization-jobs", body)
    assert (status, kind) == (400, "ValidationException")
    assert f"'{member}' failed to satisfy constraint: Member must not be null" in answer["message"]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"batchSize": "1"}, "'batchSize'"),
        ({"outputDataConfig": {"s3Uri": "s3://bucket/out/", "kmsKeyId": "x"}}, "'outputDataConfig.kmsKeyId'"),
        ({"hyperParameters": {"epochCount": 2}}, "'hyperParameters.epochCount.member'"),
        ({"jobTags": "x"}, "'jobTags'"),
        ({"jobName": True}, "'jobName'"),
    ],
)
def test_unknown_members_and_wrong_types_are_refused(server: BedrockServer, change: dict[str, Any], named: str) -> None:
    body = json.dumps(request("nasty", **change)).encode()
    status, kind, answer = raw(server, "POST", "/model-customization-jobs", body)
    assert (status, kind) == (400, "ValidationException")
    assert named in answer["message"]


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
def test_a_body_that_is_no_json_object_is_refused(server: BedrockServer, body: bytes) -> None:
    assert raw(server, "POST", "/model-customization-jobs", body)[:2] == (400, "ValidationException")


def test_a_member_of_the_path_cannot_be_replaced_in_the_body(server: BedrockServer) -> None:
    body = json.dumps({"modelId": "us.amazon.nova-lite-v1:0", "messages": []}).encode()
    status, _, answer = raw(server, "POST", "/model/anything/converse", body)
    assert status == 400
    assert "'modelId'" in answer["message"]


@pytest.mark.parametrize("query", ["maxResults=0", "maxResults=1001", "maxResults=x", "statusEquals=Done", "page=2"])
def test_query_values_are_checked_too(server: BedrockServer, query: str) -> None:
    status, kind, answer = raw(server, "GET", f"/model-customization-jobs?{query}")
    assert (status, kind) == (400, "ValidationException")
    assert f"'{query.partition('=')[0]}'" in answer["message"]


def test_an_operation_this_bedrock_does_not_have_says_so(bedrock: Any) -> None:
    code, status, message = refusal(bedrock.list_guardrails)
    assert (code, status) == ("UnknownOperationException", 404)
    assert "ListGuardrails" in message


def test_a_path_that_bedrock_does_not_have_is_an_unknown_operation(server: BedrockServer) -> None:
    assert raw(server, "GET", "/nowhere")[:2] == (404, "UnknownOperationException")
    assert raw(server, "PUT", "/model-customization-jobs")[:2] == (404, "UnknownOperationException")


def test_a_request_without_a_signature_is_refused(server: BedrockServer) -> None:
    assert raw(server, "GET", "/foundation-models", headers={})[:2] == (403, "MissingAuthenticationTokenException")


class Throttling(Behaviour):
    """The first two calls of ListCustomModels are throttled."""

    def __init__(self) -> None:
        self.left = 2

    def refusal(self, operation: str, request: Mapping[str, Any]) -> BedrockError | None:
        if operation != "ListCustomModels" or not self.left:
            return None
        self.left -= 1
        return BedrockError("ThrottlingException", "Too many requests.")


def test_a_behaviour_can_refuse_calls_for_a_while(s3_url: str) -> None:
    with BedrockServer(s3_endpoint=s3_url, behaviour=Throttling()) as server:
        bedrock = client("bedrock", server.url)
        assert bedrock.list_foundation_models()["modelSummaries"]
        assert [refusal(bedrock.list_custom_models)[:2] for _ in range(2)] == [("ThrottlingException", 429)] * 2
        assert bedrock.list_custom_models()["modelSummaries"] == []


def test_a_server_without_a_local_s3_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match="AWS_ENDPOINT_URL"):
        BedrockServer()


OPERATIONS = {
    "bedrock": [
        "CreateModelCustomizationJob",
        "GetModelCustomizationJob",
        "ListModelCustomizationJobs",
        "StopModelCustomizationJob",
        "GetCustomModel",
        "ListCustomModels",
        "DeleteCustomModel",
        "CreateCustomModelDeployment",
        "GetCustomModelDeployment",
        "ListCustomModelDeployments",
        "DeleteCustomModelDeployment",
        "ListFoundationModels",
        "ListTagsForResource",
    ],
    "bedrock-runtime": ["Converse"],
}


def patterns(shape: Shape | None, seen: set[str]) -> set[str]:
    if shape is None or shape.name in seen:
        return set()
    seen.add(shape.name)
    found = {shape.metadata["pattern"]} if "pattern" in shape.metadata else set()
    inner: list[Shape] = []
    if isinstance(shape, StructureShape):
        inner = list(shape.members.values())
    elif isinstance(shape, ListShape):
        inner = [shape.member]
    elif isinstance(shape, MapShape):
        inner = [shape.key, shape.value]
    return found.union(*(patterns(one, seen) for one in inner))


@pytest.mark.parametrize("service", OPERATIONS)
def test_every_pattern_of_every_operation_here_compiles(service: str) -> None:
    model = botocore.session.get_session().get_service_model(service)
    for name in OPERATIONS[service]:
        operation = model.operation_model(name)
        for pattern in patterns(operation.input_shape, set()) | patterns(operation.output_shape, set()):
            assert compile_pattern(pattern).pattern == pattern
