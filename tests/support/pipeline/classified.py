"""Documents classified on a local runtime with the model of a finished job, and what came of it."""

from __future__ import annotations

import json
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from pydantic import BaseModel, ConfigDict

from idp_finetuning.test_sets.keys import page_text_key
from idp_sdk import Classification
from idp_sdk.operations import GET_CLASSIFICATION
from tests.support.graphql_client import GraphQLClient, GraphQLError
from tests.support.pipeline.documents import EXPECTED
from tests.support.pipeline.driver import Finished, Pipeline

VERSION = "packets-1"
WITH_TEXT = "packets-text"
TASK = "{CLASS_NAMES_AND_DESCRIPTIONS} {DOCUMENT_TEXT} {DOCUMENT_IMAGE}"
BASE_MODEL = "us.amazon.nova-pro-v1:0"


class Classified(BaseModel):
    """Classifications as the API showed them; refusals by error type."""

    model_config = ConfigDict(frozen=True)

    packet: Classification
    of_test_set: Classification
    model_alone: Classification
    with_texts: Classification
    gone: dict[str, Classification]
    continued: Classification
    given_up: Classification
    refusals: dict[str, str]


def classify(pipeline: Pipeline, packets: Finished) -> Classified:
    """The first packet in every way there is."""
    sdk, packet, test_set_id = pipeline.sdk, packets.documents[0], packets.test_set_id
    sdk.config_versions.create(VERSION, from_job=packets.job.id)
    sdk.config_versions.create(WITH_TEXT, from_job=packets.job.id, model=BASE_MODEL, task_prompt=TASK)
    done = sdk.classify("new packet – ü.pdf", content=packet.read(), config_version=VERSION)
    key = json.loads(pipeline.read(f"classifications/{done.id}/request.json"))["uploadKey"]
    admin = pipeline.as_user("admin@example.com")
    refusals = {
        "needs text": _refusal(pipeline.client, uploadKey=key, configVersion=WITH_TEXT),
        "not sent": _refusal(pipeline.client, uploadKey=key + "x", configVersion=VERSION),
        "no classes": _refusal(pipeline.client, uploadKey=key, configVersion="default"),
        "of somebody else": _refusal(admin, uploadKey=key, configVersion=VERSION),
    }
    for page in range(1, len(EXPECTED) + 1):
        pipeline.s3.put_object(
            Bucket=pipeline.connection.test_set_bucket,
            Key=page_text_key(test_set_id, packet.path, page),
            Body=json.dumps({"text": f"page {page}"}),
        )
    of_test_set = partial(sdk.classify, test_set_id=test_set_id, document_path=packet.path)
    return Classified(
        packet=done,
        of_test_set=of_test_set(config_version=VERSION),
        model_alone=of_test_set(model=packets.job.custom_model_deployment_arn),
        with_texts=of_test_set(config_version=WITH_TEXT),
        gone={
            "upload": _without(pipeline, done, uploadKey=key + "x", testSetDocument=None),
            "test set": _without(
                pipeline, done, uploadKey=None, testSetDocument={"testSetId": test_set_id, "path": "gone.pdf"}
            ),
        },
        continued=_continue(pipeline, done),
        given_up=_give_up(pipeline, done),
        refusals=refusals,
    )


def _continue(pipeline: Pipeline, done: Classification) -> Classification:
    """A classification whose first run died after a page."""
    name = _begun(pipeline, done)
    pipeline.invoke("ClassifyDocument", {"classificationId": name})
    return _shown(pipeline, name)


def _give_up(pipeline: Pipeline, done: Classification) -> Classification:
    """A classification whose function died on every attempt after a page."""
    name = _begun(pipeline, done)
    pipeline.invoke("EndClassification", {"requestPayload": {"classificationId": name}})
    return _shown(pipeline, name)


def _begun(pipeline: Pipeline, done: Classification) -> str:
    """Id of a classification with one answer, which no run works on."""
    name = str(uuid4())
    request = json.loads(pipeline.read(f"classifications/{done.id}/request.json"))
    progress = {"runId": "dead", "renewedAt": "2026-01-01T00:00:00Z", "pagesDone": 1, "pageCount": len(done.pages)}
    parts = {"request": {**request, "id": name}, "progress": progress, "pages/1": done.pages[0].to_wire()}
    for part, content in parts.items():
        pipeline.s3.put_object(
            Bucket=pipeline.connection.data_bucket, Key=f"classifications/{name}/{part}.json", Body=json.dumps(content)
        )
    return name


def _shown(pipeline: Pipeline, name: str) -> Classification:
    shown = pipeline.client.execute(GET_CLASSIFICATION.document, {"classificationId": name})
    return GET_CLASSIFICATION.read(shown["getClassification"])


def _refusal(client: GraphQLClient, **given: Any) -> str:
    start = "mutation ($input: StartClassificationInput!) { startClassification(input: $input) { id } }"
    with pytest.raises(GraphQLError) as refused:
        client.execute(start, {"input": given})
    return str(refused.value.error_type)


def _without(pipeline: Pipeline, done: Classification, **changes: Any) -> Classification:
    """A classification whose document was removed just before the function looked for it."""
    request = json.loads(pipeline.read(f"classifications/{done.id}/request.json"))
    name = str(uuid4())
    pipeline.s3.put_object(
        Bucket=pipeline.connection.data_bucket,
        Key=f"classifications/{name}/request.json",
        Body=json.dumps({**request, "id": name, **changes}),
    )
    answer = pipeline.invoke("ClassifyDocument", {"classificationId": name})
    assert answer["errorCode"] == "DocumentRejected"
    shown = pipeline.client.execute(GET_CLASSIFICATION.document, {"classificationId": name})
    return GET_CLASSIFICATION.read(shown["getClassification"])
