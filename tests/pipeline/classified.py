"""Documents classified on a local runtime with the model of a finished job, and what came of it."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import pytest
from pydantic import BaseModel, ConfigDict

from idp_finetuning.classification import Classification
from idp_finetuning.layout import page_text_key
from idp_local.client import GraphQLError
from idp_local.demo.service import FinetuningService
from idp_local.demo.upload import upload_to_classify
from tests.pipeline.documents import EXPECTED
from tests.pipeline.driver import Finished, Pipeline

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
    refusals: dict[str, str]


def classify(pipeline: Pipeline, packets: Finished) -> Classified:
    """The first packet in every way there is."""
    service = pipeline.service
    packet = packets.documents[0]
    place = {"testSetId": packets.test_set_id, "documentPath": packet.path}
    service.create_version(VERSION, packets.job.id)
    pipeline.client.execute(
        "mutation ($input: CreateConfigVersionInput!) { createConfigVersion(input: $input) { name } }",
        {
            "input": {
                "name": WITH_TEXT,
                "fromJob": packets.job.id,
                "classification": {"model": BASE_MODEL, "taskPrompt": TASK},
            }
        },
    )
    key = upload_to_classify(service, "new packet – ü.pdf", packet.read())
    refusals = {
        "needs text": _refusal(pipeline, uploadKey=key, configVersion=WITH_TEXT),
        "not sent": _refusal(pipeline, uploadKey=key + "x", configVersion=VERSION),
        "no classes": _refusal(pipeline, uploadKey=key, configVersion="default"),
    }
    for page in range(1, len(EXPECTED) + 1):
        pipeline.s3.put_object(
            Bucket=pipeline.connection.test_set_bucket,
            Key=page_text_key(packets.test_set_id, packet.path, page),
            Body=json.dumps({"text": f"page {page}"}),
        )
    done = service.classify(uploadKey=key, configVersion=VERSION)
    admin = FinetuningService(pipeline.as_user("admin@example.com"))
    refusals["of somebody else"] = _refusal_of(admin, uploadKey=key, configVersion=VERSION)
    return Classified(
        packet=done,
        of_test_set=service.classify(**place, configVersion=VERSION),
        model_alone=service.classify(**place, model=packets.job.custom_model_deployment_arn),
        with_texts=service.classify(**place, configVersion=WITH_TEXT),
        gone={
            "upload": _without(pipeline, done, uploadKey=key + "x", testSetDocument=None),
            "test set": _without(
                pipeline, done, uploadKey=None, testSetDocument={"testSetId": packets.test_set_id, "path": "gone.pdf"}
            ),
        },
        refusals=refusals,
    )


def _refusal(pipeline: Pipeline, **given: Any) -> str:
    return _refusal_of(pipeline.service, **given)


def _refusal_of(service: FinetuningService, **given: Any) -> str:
    with pytest.raises(GraphQLError) as refused:
        service.classify(**given)
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
    return Classification.model_validate(
        pipeline.client.execute(
            "query ($id: ID!) { getClassification(classificationId: $id) { id status document configVersion model "
            "modelName createdBy createdAt completedAt pages { number className boundary } errorCode errorMessage } }",
            {"id": name},
        )["getClassification"]
    )
