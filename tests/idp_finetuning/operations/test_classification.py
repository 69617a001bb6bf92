"""Sending a document, starting its classification with what the caller may use, and reading what came of it."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.adapters.tables.test_sets import TestSetTable
from idp_finetuning.adapters.tables.users import UserTable
from idp_finetuning.classification.classification import ClassificationRequest, ClassificationResult, ClassifiedPage
from idp_finetuning.classification.layout import ClassificationLayout
from idp_finetuning.classification.scopes import UserRecord
from idp_finetuning.nova.prompt import Boundary
from idp_finetuning.test_sets.keys import page_text_key
from tests.support.domain.api import ApiError, call
from tests.support.domain.fake_account import FakeLambda
from tests.support.domain.fake_bedrock import client_error
from tests.support.domain.samples import ready_test_set, upload_test_set
from tests.support.domain.versions import TRAINED, completed_job

CLASSES = [{"name": "invoice", "description": "Asks for money."}, {"name": "letter", "description": ""}]
TASK_WITH_TEXT = "{CLASS_NAMES_AND_DESCRIPTIONS} {DOCUMENT_TEXT} {DOCUMENT_IMAGE}"
PATH = "sub 0/doc 0.pdf"
MD5 = "0" * 32

pytestmark = pytest.mark.usefixtures("environment")


@pytest.fixture
def upload_key(s3: Any) -> str:
    """A document that sub-1 has sent."""
    given = {"fileName": "März 1.pdf", "size": 3, "md5": MD5}
    key: str = call("createClassificationUpload", input=given)["key"]
    s3.put_object(Bucket="data", Key=key, Body=b"abc")
    return key


def test_a_dollar_sign_in_a_name_is_escaped_in_the_key_and_shown_as_it_was(s3: Any, version: str) -> None:
    name = "50% of $5 (%24).pdf"
    upload = call("createClassificationUpload", input={"fileName": name, "size": 3, "md5": MD5})
    assert "$" not in upload["key"]
    s3.put_object(Bucket="data", Key=upload["key"], Body=b"abc")
    assert start(uploadKey=upload["key"], configVersion=version)["document"] == name


@pytest.fixture
def version() -> str:
    """A version on a base model, with classes."""
    given = {"model": "amazon.nova-lite-v1:0", "temperature": 0.25, "classes": CLASSES, "systemPrompt": "Sort."}
    return str(call("createConfigVersion", input={"name": "post-1", "classification": given})["name"])


@pytest.fixture
def text_version() -> str:
    given = {"taskPrompt": TASK_WITH_TEXT, "classes": CLASSES}
    return str(call("createConfigVersion", input={"name": "texts", "classification": given})["name"])


def start(**given: Any) -> Any:
    return call("startClassification", input=given)


def asked(data: DataBucket, shown: Any) -> ClassificationRequest:
    """What the function will find."""
    found = data.read_model(ClassificationLayout(classification_id=shown["id"]).request, ClassificationRequest)
    assert found
    return found


@pytest.fixture
def users(dynamodb: Any) -> UserTable:
    """What an Admin decided about users."""
    return UserTable(dynamodb, "t-users")


def test_an_upload_admits_exactly_one_key_and_size_below_its_user() -> None:
    made = call("createClassificationUpload", input={"fileName": "März 1.pdf", "size": 12, "md5": MD5})
    assert made["key"].startswith("classifications/uploads/sub-1/")
    assert made["key"].endswith("/März 1.pdf")
    fields = {field["name"]: field["value"] for field in made["fields"]}
    policy = json.loads(base64.b64decode(fields["policy"]))
    assert {"key": made["key"]} in policy["conditions"]
    assert ["content-length-range", 12, 12] in policy["conditions"]
    again = call("createClassificationUpload", input={"fileName": "März 1.pdf", "size": 12, "md5": MD5})
    assert again["key"] != made["key"]


@pytest.mark.parametrize(
    "changes",
    [
        {"fileName": "../a.pdf"},
        {"fileName": ".."},
        {"fileName": ""},
        {"fileName": "a\nb"},
        {"fileName": "${filename}"},
        {"fileName": "x" * 401},
        {"size": 0},
        {"size": 250_000_001},
        {"md5": "x"},
    ],
)
def test_a_file_that_cannot_be_sent_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ApiError, match="InvalidInput"):
        call("createClassificationUpload", input={"fileName": "a.pdf", "size": 1, "md5": MD5, **changes})


def test_a_start_records_all_it_takes_and_hands_it_to_the_function(
    upload_key: str, version: str, data: DataBucket, fake_lambda: FakeLambda
) -> None:
    shown = start(uploadKey=upload_key, configVersion=version)
    assert (shown["status"], shown["document"], shown["configVersion"]) == ("RUNNING", "März 1.pdf", version)
    assert (shown["model"], shown["modelName"]) == ("us.amazon.nova-lite-v1:0", "Nova Lite v1")
    assert (shown["pages"], shown["sections"], shown["warnings"], shown["pageCount"]) == ([], [], [], None)
    request = asked(data, shown)
    assert request.temperature == 0.25
    assert request.prompt.system_prompt == "Sort."
    assert [item.to_wire() for item in request.prompt.classes] == CLASSES
    assert fake_lambda.invoked == [("t-classify-document", {"classificationId": shown["id"], "run": 1})]


def test_without_a_version_the_active_one_is_used(upload_key: str, version: str) -> None:
    with pytest.raises(ApiError, match=r"InvalidInput: Configuration version 'default' lists no classes"):
        start(uploadKey=upload_key)
    call("activateConfigVersion", name=version)
    assert start(uploadKey=upload_key)["configVersion"] == version


def test_a_custom_model_alone_is_asked_with_the_prompt_it_was_trained_with(
    upload_key: str, jobs: JobTable, data: DataBucket
) -> None:
    job = completed_job(jobs, data)
    shown = start(uploadKey=upload_key, model=job.custom_model_deployment_arn)
    assert (shown["configVersion"], shown["modelName"]) == (None, job.job_name)
    assert (asked(data, shown).prompt, asked(data, shown).model) == (TRAINED, job.custom_model_deployment_arn)


def test_a_base_model_alone_is_asked_with_the_active_versions_prompt(
    upload_key: str, version: str, data: DataBucket
) -> None:
    call("activateConfigVersion", name=version)
    shown = start(uploadKey=upload_key, model="amazon.nova-pro-v1:0")
    assert (shown["configVersion"], shown["model"]) == (None, "us.amazon.nova-pro-v1:0")
    assert asked(data, shown).prompt.system_prompt == "Sort."


def test_a_model_takes_the_place_of_the_versions_and_a_prompt_it_does_not_know_is_warned_of(
    upload_key: str, version: str, jobs: JobTable, data: DataBucket
) -> None:
    job = completed_job(jobs, data)
    shown = start(uploadKey=upload_key, configVersion=version, model=job.custom_model_deployment_arn)
    assert (shown["configVersion"], shown["model"]) == (version, job.custom_model_deployment_arn)
    (warning,) = shown["warnings"]
    assert "accuracy can drop" in warning
    assert asked(data, shown).prompt.system_prompt == "Sort."


def test_scope_holds_for_the_version_named_the_active_one_and_the_models_own(
    upload_key: str, version: str, users: UserTable, jobs: JobTable, data: DataBucket
) -> None:
    job = completed_job(jobs, data, config_version="secret")
    call("createConfigVersion", input={"name": "mine", "classification": {"classes": CLASSES}})
    call("activateConfigVersion", name=version)
    users.put(
        UserRecord(id="sub-1", allowed_config_versions=("mine",), updated_at="2026-11-22T10:00:00.000Z", updated_by="a")
    )
    for given in (
        {"configVersion": version},
        {"configVersion": "never made"},
        {"configVersion": "mine", "model": job.custom_model_deployment_arn},
        {"model": job.custom_model_deployment_arn},
    ):
        with pytest.raises(ApiError, match=r"Unauthorized: Configuration version '.*' is not in your scope"):
            start(uploadKey=upload_key, **given)
    for given in ({}, {"model": "amazon.nova-pro-v1:0"}):
        with pytest.raises(ApiError, match=r"Unauthorized: The active configuration version .* Name a configVersion"):
            start(uploadKey=upload_key, **given)
    assert start(uploadKey=upload_key, configVersion="mine")["status"] == "RUNNING"


@pytest.mark.parametrize(
    "model",
    ["gpt", "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/abcdef012345"],
)
def test_a_model_that_is_not_ours_is_refused(upload_key: str, version: str, model: str) -> None:
    with pytest.raises(ApiError, match="InvalidInput: model is neither"):
        start(uploadKey=upload_key, configVersion=version, model=model)


def test_what_somebody_else_sent_cannot_be_classified(upload_key: str, version: str, fake_lambda: FakeLambda) -> None:
    for groups in (["Author"], ["Admin"]):
        with pytest.raises(ApiError, match="InvalidInput: You have sent no document"):
            call(
                "startClassification",
                groups=groups,
                sub="sub-2",
                input={"uploadKey": upload_key, "configVersion": version},
            )
    assert fake_lambda.invoked == []


@pytest.mark.parametrize(
    "key",
    [
        "classifications/uploads/sub-1/",
        "classifications/uploads/sub-1/1/never sent.pdf",
        "classifications/uploads/sub-1/../sub-2/1/a.pdf",
        "jobs/1/prompt.json",
        "classifications/uploads/sub-10/1/a.pdf",
    ],
)
def test_a_key_of_no_upload_is_refused(upload_key: str, version: str, key: str, s3: Any) -> None:
    s3.put_object(Bucket="data", Key="jobs/1/prompt.json", Body=b"{}")
    s3.put_object(Bucket="data", Key="classifications/uploads/sub-10/1/a.pdf", Body=b"a")
    with pytest.raises(ApiError, match="InvalidInput: You have sent no document"):
        start(uploadKey=key, configVersion=version)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"testSetId": "docsplit"},
        {"documentPath": PATH},
        {"uploadKey": "k", "testSetId": "docsplit"},
        {"uploadKey": "k", "testSetId": "docsplit", "documentPath": PATH},
    ],
)
def test_a_document_is_named_in_exactly_one_way(given: dict[str, Any]) -> None:
    with pytest.raises(ApiError, match=r"InvalidInput: .*give either uploadKey, or both"):
        start(**given)


def test_a_document_of_a_test_set_has_to_be_there(s3: Any, test_sets: TestSetTable, version: str) -> None:
    upload_test_set(s3)
    test_sets.create(ready_test_set())
    assert start(testSetId="docsplit", documentPath=PATH, configVersion=version)["document"] == PATH
    with pytest.raises(ApiError, match="InvalidInput: Test set 'docsplit' has no document with this documentPath"):
        start(testSetId="docsplit", documentPath=PATH[:-1], configVersion=version)
    with pytest.raises(ApiError, match="TestSetNotFound"):
        start(testSetId="other", documentPath=PATH, configVersion=version)


def test_a_prompt_with_text_wants_texts(
    s3: Any, test_sets: TestSetTable, upload_key: str, text_version: str, data: DataBucket
) -> None:
    upload_test_set(s3)
    test_sets.create(ready_test_set())
    place = {"testSetId": "docsplit", "documentPath": PATH, "configVersion": text_version}
    for given in ({"uploadKey": upload_key, "configVersion": text_version}, place):
        with pytest.raises(ApiError, match=r"InvalidInput: The prompt has \{DOCUMENT_TEXT\}.*pageTexts"):
            start(**given)
    s3.put_object(Bucket="documents", Key=page_text_key("docsplit", PATH, 1), Body=b'{"text": "one"}')
    assert asked(data, start(**place)).page_texts is None
    shown = start(uploadKey=upload_key, configVersion=text_version, pageTexts=["a", ""])
    assert asked(data, shown).page_texts == ("a", "")


def test_texts_that_no_prompt_takes_are_warned_of(upload_key: str, version: str) -> None:
    (warning,) = start(uploadKey=upload_key, configVersion=version, pageTexts=["a"])["warnings"]
    assert "pageTexts are not used" in warning


def test_a_classification_is_read_by_whoever_started_it_and_by_admins(
    upload_key: str, version: str, data: DataBucket
) -> None:
    name = start(uploadKey=upload_key, configVersion=version)["id"]
    pages = tuple(ClassifiedPage(number=n, class_name="letter", boundary=Boundary.CONTINUE) for n in (1, 2))
    result = ClassificationResult(completed_at=datetime(2026, 11, 22, 10, tzinfo=UTC), pages=pages)
    data.write_model(ClassificationLayout(classification_id=name).result, result)
    for groups, sub in ((["Viewer"], "sub-1"), (["Admin"], "sub-2"), (["Viewer", "Admin"], "sub-2")):
        shown = call("getClassification", groups=groups, sub=sub, classificationId=name)
        assert (shown["status"], shown["pageCount"]) == ("COMPLETED", 2)
        assert shown["sections"] == [{"className": "letter", "startPage": 1, "endPage": 2}]
    for groups in (["Author"], ["Viewer"], []):
        with pytest.raises(ApiError, match=f"ClassificationNotFound: You have no classification '{name}'"):
            call("getClassification", groups=groups, sub="sub-2", classificationId=name)


@pytest.mark.parametrize("name", ["uploads/sub-1/1", "6f1c2b1e-0000-4000-8000-000000000001", "..", "x"])
def test_a_classification_that_never_was_is_not_found(name: str) -> None:
    with pytest.raises(ApiError, match="ClassificationNotFound"):
        call("getClassification", groups=["Admin"], classificationId=name)


def end(data: DataBucket, shown: Any) -> None:
    """What the function writes last."""
    data.write_model(
        ClassificationLayout(classification_id=shown["id"]).result, ClassificationResult(completed_at=datetime.now(UTC))
    )


def test_only_so_many_classifications_of_a_user_run_at_once(
    upload_key: str, version: str, data: DataBucket, fake_lambda: FakeLambda, s3: Any
) -> None:
    running = [start(uploadKey=upload_key, configVersion=version) for _ in range(4)]
    with pytest.raises(ApiError, match="TooManyRunning: 4 of your classifications are still running, and no more may"):
        start(uploadKey=upload_key, configVersion=version)
    assert len(fake_lambda.invoked) == 4
    others = call("createClassificationUpload", sub="sub-2", input={"fileName": "a.pdf", "size": 3, "md5": MD5})["key"]
    s3.put_object(Bucket="data", Key=others, Body=b"abc")
    assert call("startClassification", sub="sub-2", input={"uploadKey": others, "configVersion": version})
    end(data, running[2])
    start(uploadKey=upload_key, configVersion=version)
    with pytest.raises(ApiError, match="TooManyRunning"):
        start(uploadKey=upload_key, configVersion=version)


def test_a_classification_whose_function_must_have_ended_takes_no_place(
    upload_key: str, version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        start(uploadKey=upload_key, configVersion=version)
    monkeypatch.setattr("idp_finetuning.classification.classification.SILENT_AT_MOST", timedelta(0))
    assert start(uploadKey=upload_key, configVersion=version)


def test_a_classification_that_could_not_be_started_takes_no_place(
    upload_key: str, version: str, fake_lambda: FakeLambda, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: Any) -> None:
        raise client_error("Invoke", "ThrottlingException")

    with monkeypatch.context() as patched:
        patched.setattr(fake_lambda, "invoke", fail)
        for _ in range(5):
            with pytest.raises(ApiError, match="TransientError"):
                start(uploadKey=upload_key, configVersion=version)
    assert start(uploadKey=upload_key, configVersion=version)


def test_a_document_of_a_test_set_is_the_one_the_test_set_was_completed_with(
    version: str, data: DataBucket, s3: Any
) -> None:
    call("createTestSet", input={"name": "a"})
    etag = s3.put_object(Bucket="documents", Key="a/input/1.pdf", Body=b"1")["ETag"].strip('"')
    call("completeTestSet", testSetId="a")
    for name in ("1.pdf", "2.pdf"):
        s3.put_object(Bucket="documents", Key=f"a/input/{name}", Body=b"late")
    request = asked(data, start(testSetId="a", documentPath="1.pdf", configVersion=version))
    assert request.test_set_document
    assert request.test_set_document.etag == etag
    with pytest.raises(ApiError, match="InvalidInput: Test set 'a' has no document with this documentPath"):
        start(testSetId="a", documentPath="2.pdf", configVersion=version)
