"""Configuration versions through the schema: made, changed, activated, deleted, and what they warn of."""

from __future__ import annotations

from typing import Any

import pytest

from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.adapters.tables.test_sets import TestSetTable
from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.nova.prompt import SYSTEM_PROMPT, TASK_PROMPT, DocumentClass, Prompt
from tests.support.domain.api import ApiError, call
from tests.support.domain.fake_bedrock import PREFIX
from tests.support.domain.samples import job, ready_test_set
from tests.support.domain.versions import TRAINED, completed_job

pytestmark = pytest.mark.usefixtures("environment")

NOVA_LITE = "us.amazon.nova-lite-v1:0"
START = {"jobName": "Job", "testSetId": "docsplit", "baseModel": NOVA_LITE}


def create(name: str = "claims", **more: Any) -> Any:
    """A new version."""
    return call("createConfigVersion", input={"name": name, **more})


def update(version: Any, **more: Any) -> Any:
    """A change of a version as it was read."""
    return call("updateConfigVersion", input={"name": version["name"], "revision": version["revision"], **more})


def names(**arguments: Any) -> list[str]:
    """Names of the listed versions."""
    return [item["name"] for item in call("listConfigVersions", **arguments)["items"]]


def test_default_is_there_without_being_made_and_is_active_at_first() -> None:
    (default,) = call("listConfigVersions")["items"]
    assert default == call("getConfigVersion", name="default")
    assert (default["active"], default["builtIn"], default["revision"], default["createdAt"]) == (True, True, 0, None)
    assert default["classification"] == {
        "model": "us.amazon.nova-2-lite-v1:0",
        "modelName": "Nova 2 Lite",
        "jobId": None,
        "systemPrompt": SYSTEM_PROMPT,
        "taskPrompt": TASK_PROMPT,
        "temperature": 0,
        "classes": [],
    }


def test_a_version_of_a_job_carries_its_deployment_and_prompt(jobs: JobTable, data: DataBucket) -> None:
    made = completed_job(jobs, data)
    version = create(fromJob=made.id, description="Post of claims")
    assert version["classification"] == {
        "model": made.custom_model_deployment_arn,
        "modelName": "My classifier",
        "jobId": made.id,
        "systemPrompt": TRAINED.system_prompt,
        "taskPrompt": TRAINED.task_prompt,
        "temperature": 0,
        "classes": [item.to_wire() for item in TRAINED.classes],
    }
    assert (version["revision"], version["warnings"], version["active"]) == (1, [], False)
    assert version["createdBy"] == version["updatedBy"] == "author@example.com"
    assert version == call("getConfigVersion", name="claims")
    assert names() == ["claims", "default"]


def test_members_given_beside_the_job_override_its_own(jobs: JobTable, data: DataBucket) -> None:
    made = completed_job(jobs, data)
    version = create(fromJob=made.id, classification={"temperature": 0.5, "classes": None, "systemPrompt": "Sort."})
    assert version["classification"]["temperature"] == 0.5
    assert version["classification"]["systemPrompt"] == "Sort."
    assert [item["name"] for item in version["classification"]["classes"]] == ["invoice", "letter"]


def test_classes_that_differ_by_case_are_carried_from_a_job_but_not_made_anew(jobs: JobTable, data: DataBucket) -> None:
    """A test set with such labels is warned of and trains."""
    made = completed_job(jobs, data)
    classes = (DocumentClass(name="Tax"), DocumentClass(name="tax"))
    data.write_model(JobLayout(job_id=made.id).prompt, Prompt(classes=classes))
    version = create(fromJob=made.id)
    assert [item["name"] for item in version["classification"]["classes"]] == ["Tax", "tax"]
    changed = update(version, description="Taxes")
    with pytest.raises(ApiError, match="InvalidInput: Class names have to differ by more than case: Tax, tax"):
        update(changed, classification={"classes": [{"name": "tax"}, {"name": "Tax"}]})


def test_a_base_model_is_stored_as_its_inference_profile() -> None:
    version = create(classification={"model": "amazon.nova-pro-v1:0", "classes": [{"name": "a"}]})
    assert version["classification"]["model"] == "us.amazon.nova-pro-v1:0"
    assert version["classification"]["modelName"] == "Nova Pro v1"
    assert version["classification"]["classes"] == [{"name": "a", "description": ""}]


@pytest.mark.parametrize("model", [f"{PREFIX}custom-model-deployment/none", "gpt", "arn:"])
def test_a_model_that_is_none_of_ours_is_refused(model: str) -> None:
    with pytest.raises(ApiError, match=r"InvalidInput: model is neither .* listAvailableModels"):
        create(classification={"model": model})


def test_a_job_that_is_not_completed_gives_no_version(jobs: JobTable) -> None:
    running = jobs.create(job(), None, "")
    with pytest.raises(ApiError, match=f"Conflict: Job '{running.id}' is VALIDATING"):
        create(fromJob=running.id)
    with pytest.raises(ApiError, match="JobNotFound"):
        create(fromJob="unknown")


def test_a_prompt_that_is_not_the_trained_one_warns_and_says_why(jobs: JobTable, data: DataBucket) -> None:
    made = completed_job(jobs, data)
    version = create(fromJob=made.id)
    changed = update(version, classification={"taskPrompt": TASK_PROMPT + " Be brief."})
    (warning,) = changed["warnings"]
    assert warning.startswith(f"The task prompt is not what the model of job '{made.id}' was trained with. ")
    assert "learned to answer exactly that prompt; with another one, accuracy can drop" in warning
    assert changed["warnings"] == call("getConfigVersion", name="claims")["warnings"]
    all_changed = update(changed, classification={"systemPrompt": "Sort.", "classes": [{"name": "invoice"}]})
    (warning,) = all_changed["warnings"]
    assert "The system prompt, task prompt and classes or their descriptions are not" in warning
    trained = TRAINED.to_wire()
    back = update(all_changed, classification=trained)
    assert back["warnings"] == []


def test_a_description_alone_counts_as_another_prompt(jobs: JobTable, data: DataBucket) -> None:
    version = create(fromJob=completed_job(jobs, data).id)
    classes = [{"name": "invoice", "description": "Asks for more money."}, {"name": "letter"}]
    (warning,) = update(version, classification={"classes": classes})["warnings"]
    assert warning.startswith("The classes or their descriptions are not")


def test_a_version_that_takes_up_a_custom_model_with_its_own_prompt_is_warned_of(
    jobs: JobTable, data: DataBucket
) -> None:
    made = completed_job(jobs, data)
    version = update(create(), classification={"model": made.custom_model_deployment_arn})
    assert version["classification"]["jobId"] == made.id
    assert "system prompt and classes or their descriptions are not" in version["warnings"][0]
    base = update(version, classification={"model": NOVA_LITE})
    assert (base["classification"]["jobId"], base["warnings"]) == (None, [])


def test_a_change_keeps_what_it_does_not_name() -> None:
    version = create(description="First", classification={"temperature": 0.3, "classes": [{"name": "a"}]})
    changed = update(version, description="Second")
    kept = {"description", "revision", "updatedAt"}
    assert {key: value for key, value in changed.items() if key not in kept} == {
        key: value for key, value in version.items() if key not in kept
    }
    assert (changed["description"], changed["revision"]) == ("Second", 2)


def test_a_change_of_an_older_revision_is_refused_and_told_who_changed_it_when() -> None:
    version = create()
    changed = update(version, description="Mine")
    with pytest.raises(ApiError, match="Conflict") as refused:
        update(version, description="Yours")
    assert f"changed by author@example.com at {changed['updatedAt']} and now has revision 2" in refused.value.message
    assert call("getConfigVersion", name="claims") == changed


def test_the_built_in_version_is_neither_made_changed_nor_deleted() -> None:
    with pytest.raises(ApiError, match="InvalidInput: The name 'default' is reserved"):
        create("default")
    with pytest.raises(ApiError, match="Conflict: Configuration version 'default' is built in and cannot be changed"):
        call("updateConfigVersion", input={"name": "default", "revision": 0})
    with pytest.raises(ApiError, match="Conflict: Configuration version 'default' is built in and cannot be deleted"):
        call("deleteConfigVersion", name="default")


def test_a_taken_name_is_refused_and_nothing_changes() -> None:
    version = create(description="First")
    with pytest.raises(ApiError, match="Conflict: A configuration version 'claims' exists already"):
        create(description="Second")
    assert call("getConfigVersion", name="claims") == version


def test_one_version_is_active_and_it_is_not_deleted() -> None:
    create()
    assert call("activateConfigVersion", name="claims")["active"] is True
    assert call("activateConfigVersion", name="claims")["active"] is True
    assert [item["name"] for item in call("listConfigVersions")["items"] if item["active"]] == ["claims"]
    with pytest.raises(ApiError, match=r"Conflict: .* 'claims' is active\. Activate another one first"):
        call("deleteConfigVersion", name="claims")
    assert call("activateConfigVersion", name="default")["active"] is True
    assert call("deleteConfigVersion", name="claims") is True
    assert names() == ["default"]


def test_the_version_that_was_active_before_comes_back_in_one_call() -> None:
    with pytest.raises(ApiError, match="Conflict: No configuration version was active before"):
        call("rollbackConfigVersion")
    for name in ("first", "second"):
        create(name)
        call("activateConfigVersion", name=name)
    call("activateConfigVersion", name="second")  # again, which changes nothing
    assert call("rollbackConfigVersion")["name"] == "first"
    assert call("rollbackConfigVersion")["name"] == "second"
    call("deleteConfigVersion", name="first")
    with pytest.raises(ApiError, match="Conflict: The version that was active before was deleted"):
        call("rollbackConfigVersion")
    assert call("getConfigVersion", name="second")["active"]


def test_a_change_of_the_active_version_leaves_it_active() -> None:
    version = create()
    call("activateConfigVersion", name="claims")
    assert update(version, description="New")["active"] is True


@pytest.mark.parametrize("field", ["getConfigVersion", "activateConfigVersion", "deleteConfigVersion"])
def test_an_unknown_version_is_not_found(field: str) -> None:
    with pytest.raises(ApiError, match="ConfigVersionNotFound: There is no configuration version 'none'"):
        call(field, name="none")
    with pytest.raises(ApiError, match="InvalidInput"):
        call(field, name="#active")
    assert call("getConfigVersion", name="default")["active"] is True


def test_an_unknown_version_is_not_changed_into_being() -> None:
    with pytest.raises(ApiError, match="ConfigVersionNotFound"):
        call("updateConfigVersion", input={"name": "none", "revision": 1})
    assert names() == ["default"]


@pytest.mark.parametrize("name", ["", "a b", "a.b", "x" * 51, "ä", "a\n", "#active"])
def test_a_name_beyond_the_rules_is_refused(name: str) -> None:
    with pytest.raises(ApiError, match=r"InvalidInput: input\.name: "):
        create(name)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"description": "x" * 201}, "input.description"),
        ({"classification": {"temperature": 1.1}}, "temperature"),
        ({"classification": {"systemPrompt": ""}}, "systemPrompt"),
        ({"classification": {"systemPrompt": " \n"}}, "systemPrompt"),
        ({"classification": {"systemPrompt": "x" * 20_001}}, "systemPrompt"),
        ({"classification": {"taskPrompt": "x" * 60_001}}, "taskPrompt"),
        ({"classification": {"taskPrompt": "Which class?"}}, "The task prompt needs {DOCUMENT_IMAGE}"),
        (
            {"classification": {"systemPrompt": "Assistant: hello"}},
            "contains 'assistant:', which Nova",
        ),
        ({"classification": {"classes": [{"name": "a", "description": "user: x"}]}}, "contains 'user:'"),
        ({"classification": {"classes": [{"name": "a\nb"}]}}, "classes.0.name: one line"),
        ({"classification": {"classes": [{"name": " "}]}}, "classes.0.name"),
        ({"classification": {"classes": [{"name": "x" * 201}]}}, "classes.0.name"),
        ({"classification": {"classes": [{"name": "a", "description": "x\ny"}]}}, "classes.0.description: one line"),
        ({"classification": {"classes": [{"name": "a", "description": "x" * 2_001}]}}, "classes.0.description"),
        ({"classification": {"classes": [{"name": str(n)} for n in range(501)]}}, "classification.classes"),
        ({"classification": {"classes": [{"name": "Tax"}, {"name": "tax"}]}}, "differ by more than case: Tax, tax"),
        (
            {"classification": {"classes": [{"name": "R\u00e9sum\u00e9"}, {"name": "Re\u0301sume\u0301"}]}},
            "Class names have to differ by more than case, spaces",
        ),
        (
            {"classification": {"classes": [{"name": str(n), "description": "x" * 2_000} for n in range(200)]}},
            "300,000 are allowed",
        ),
    ],
)
def test_what_a_version_cannot_hold_is_refused(more: dict[str, Any], said: str) -> None:
    with pytest.raises(ApiError, match="InvalidInput") as refused:
        create(**more)
    assert said in refused.value.message
    assert names() == ["default"]


def test_the_largest_version_is_stored_and_read() -> None:
    classes = [{"name": f"class {n}", "description": "x" * 500} for n in range(500)]
    version = create(classification={"classes": classes})
    assert call("getConfigVersion", name="claims")["classification"]["classes"] == classes
    assert version["classification"]["classes"] == classes


def test_versions_are_listed_page_by_page_with_default_last() -> None:
    for number in range(3):
        create(f"v{number}")
    first = call("listConfigVersions", limit=2)
    second = call("listConfigVersions", limit=2, nextToken=first["nextToken"])
    assert [item["name"] for item in first["items"] + second["items"]] == ["v2", "v1", "v0", "default"]
    assert second["nextToken"] is None
    three = call("listConfigVersions", limit=3)
    assert names(limit=3, nextToken=three["nextToken"]) == ["default"]


def test_a_page_of_large_versions_ends_before_lambdas_answer_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("idp_finetuning.adapters.tables.config_versions.PAGE_BYTES", 5_000)
    for number in range(4):
        create(f"v{number}", classification={"systemPrompt": "x" * 3_000})
    first = call("listConfigVersions")
    assert [item["name"] for item in first["items"]] == ["v3", "v2"]
    assert names(nextToken=first["nextToken"]) == ["v1", "v0"]


@pytest.mark.parametrize("token", ["x", "e30=", "eyJjcmVhdGVkQXQiOiAiIn0="])
def test_a_token_of_others_starts_no_list(token: str) -> None:
    with pytest.raises(ApiError, match="InvalidInput: nextToken is not one this API returned"):
        call("listConfigVersions", nextToken=token)


def test_the_prompt_of_a_job_is_shown_once_it_is_written(jobs: JobTable, data: DataBucket) -> None:
    running = jobs.create(job("6f1c2b1e-0000-4000-8000-000000000002"), None, "")
    with pytest.raises(ApiError, match=r"Conflict: .* has no prompt yet"):
        call("getFinetuningJobPrompt", jobId=running.id)
    assert call("getFinetuningJobPrompt", jobId=completed_job(jobs, data).id) == TRAINED.to_wire()


def test_a_job_is_not_deleted_while_versions_use_its_model(jobs: JobTable, data: DataBucket) -> None:
    made = completed_job(jobs, data)
    used = create(fromJob=made.id)
    create("letters", fromJob=made.id)
    with pytest.raises(ApiError, match=r"Conflict: .* 'claims', 'letters'"):
        call("deleteFinetuningJob", jobId=made.id)
    assert call("getFinetuningJob", jobId=made.id)["status"] == "COMPLETED"
    update(used, classification={"model": NOVA_LITE})
    with pytest.raises(ApiError, match=r"Conflict: .* version 'letters'"):
        call("deleteFinetuningJob", jobId=made.id)
    call("deleteConfigVersion", name="letters")
    assert call("deleteFinetuningJob", jobId=made.id) is True


def test_a_version_that_moves_to_another_jobs_model_lets_the_first_job_go(jobs: JobTable, data: DataBucket) -> None:
    first = completed_job(jobs, data)
    second = completed_job(jobs, data, "6f1c2b1e-0000-4000-8000-000000000002")
    version = create(fromJob=first.id)
    update(version, classification={"model": second.custom_model_deployment_arn})
    assert (jobs.get(first.id).used_by, jobs.get(second.id).used_by) == ((), ("claims",))
    assert call("deleteFinetuningJob", jobId=first.id) is True


def test_a_job_keeps_the_prompt_of_the_version_it_was_started_with(jobs: JobTable, test_sets: TestSetTable) -> None:
    test_sets.create(ready_test_set())
    version = create(classification={"systemPrompt": "Sort.", "classes": [{"name": "letter", "description": "Dear"}]})
    started = call("startFinetuningJob", input=START | {"configVersion": "claims"})
    update(version, classification={"systemPrompt": "Sort well."})
    kept = jobs.configuration(started["id"])
    assert kept
    assert (kept.config_version, kept.revision, kept.system_prompt) == ("claims", 1, "Sort.")
    assert [item.to_wire() for item in kept.classes] == [{"name": "letter", "description": "Dear"}]
    assert started["configVersion"] == "claims"


def test_a_job_may_name_default_and_not_a_version_that_is_not_there(jobs: JobTable, test_sets: TestSetTable) -> None:
    test_sets.create(ready_test_set())
    started = call("startFinetuningJob", input=START | {"configVersion": "default"})
    kept = jobs.configuration(started["id"])
    assert kept
    assert (kept.system_prompt, kept.classes) == (SYSTEM_PROMPT, ())
    with pytest.raises(ApiError, match="ConfigVersionNotFound"):
        call("startFinetuningJob", input=START | {"configVersion": "none"})


def test_one_client_token_with_another_version_is_another_request(test_sets: TestSetTable) -> None:
    test_sets.create(ready_test_set())
    request = START | {"clientToken": "t1"}
    first = call("startFinetuningJob", input=request)
    assert call("startFinetuningJob", input=request)["id"] == first["id"]
    with pytest.raises(ApiError, match="Conflict: This clientToken was used"):
        call("startFinetuningJob", input=request | {"configVersion": "default"})
