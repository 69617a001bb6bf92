"""What a caller's scope lets through: where it grows, where it is refused, and in which words."""

from __future__ import annotations

from typing import Any

import pytest

from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.adapters.services import Services
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.adapters.tables.test_sets import TestSetTable
from idp_finetuning.adapters.tables.users import UserTable
from idp_finetuning.classification.scopes import UserRecord, UserScope
from idp_finetuning.errors import Unauthorized
from idp_finetuning.operations.identity import Identity
from idp_finetuning.operations.scope import find_scope, require_in_scope
from tests.support.domain.api import ApiError, call
from tests.support.domain.fake_bedrock import client_error
from tests.support.domain.samples import ready_test_set
from tests.support.domain.versions import completed_job

pytestmark = pytest.mark.usefixtures("environment")

SUB = "sub-1"  # who calls
ADMIN = ("Admin",)


@pytest.fixture
def users(dynamodb: Any) -> UserTable:
    """What Admins decided."""
    return UserTable(dynamodb, "t-users")


def give(users: UserTable, *names: str) -> None:
    """Lists these versions for the caller."""
    users.put(UserRecord(id=SUB, allowed_config_versions=names, updated_at="", updated_by="admin@example.com"))


def make(*names: str) -> None:
    """New versions, made by an Admin."""
    for name in names:
        call("createConfigVersion", ADMIN, input={"name": name})


def listed(**arguments: Any) -> list[str]:
    """Names of the versions the caller sees."""
    return [item["name"] for item in call("listConfigVersions", **arguments)["items"]]


def test_a_scoped_author_makes_versions_under_listed_names_of_models_in_scope(
    users: UserTable, jobs: JobTable, data: DataBucket
) -> None:
    make("claims", "secret")
    inside = completed_job(jobs, data, config_version="claims")
    give(users, "claims", "claims-2", "claims-3")
    made = call("createConfigVersion", input={"name": "claims-2", "fromJob": inside.id})
    assert made["classification"]["jobId"] == inside.id
    assert listed() == ["claims-2", "claims"]
    by_arn = {"model": inside.custom_model_deployment_arn}
    assert call("createConfigVersion", input={"name": "claims-3", "classification": by_arn})["revision"] == 1


def test_a_scoped_author_makes_no_version_of_a_model_beyond_the_scope(
    users: UserTable, jobs: JobTable, data: DataBucket
) -> None:
    make("claims", "secret")
    outside = completed_job(jobs, data, config_version="secret")
    give(users, "claims", "mine")
    by_arn = {"model": outside.custom_model_deployment_arn}
    for given in ({"fromJob": outside.id}, {"classification": by_arn}):
        with pytest.raises(ApiError, match="Unauthorized: Configuration version 'secret' is not in your scope"):
            call("createConfigVersion", input={"name": "mine", **given})
    with pytest.raises(ApiError, match="Unauthorized"):
        call("updateConfigVersion", input={"name": "claims", "revision": 1, "classification": by_arn})
    assert listed() == ["claims"]
    assert call("getConfigVersion", name="claims")["revision"] == 1


def test_a_change_that_repeats_a_model_beyond_the_scope_leaves_it_as_it_is(
    users: UserTable, jobs: JobTable, data: DataBucket
) -> None:
    """Clients send back what they read; an Admin chose the model."""
    outside = completed_job(jobs, data, config_version="secret")
    read = call("createConfigVersion", ADMIN, input={"name": "claims", "fromJob": outside.id})
    give(users, "claims")
    same = {"model": read["classification"]["model"], "temperature": 0.5}
    changed = call("updateConfigVersion", input={"name": "claims", "revision": 1, "classification": same})
    assert (changed["classification"]["temperature"], changed["classification"]["jobId"]) == (0.5, outside.id)
    assert (changed["warnings"], jobs.get(outside.id).used_by) == ([], ("claims",))


def test_a_refused_deletion_of_a_job_names_no_version_beyond_the_scope(
    users: UserTable, jobs: JobTable, data: DataBucket
) -> None:
    made = completed_job(jobs, data)
    for name in ("claims", "secret"):
        call("createConfigVersion", ADMIN, input={"name": name, "fromJob": made.id})
    give(users, "claims")
    with pytest.raises(ApiError, match=r"Conflict: .* 'claims', 1 beyond your scope") as refused:
        call("deleteFinetuningJob", jobId=made.id)
    assert "secret" not in refused.value.message
    with pytest.raises(ApiError, match=r"Conflict: .* 'claims', 'secret'\. Give it"):
        call("deleteFinetuningJob", ADMIN, jobId=made.id)


@pytest.mark.parametrize("name", ["secret", "never-made"])
def test_a_scoped_author_makes_no_version_under_a_name_beyond_the_list(
    users: UserTable, jobs: JobTable, data: DataBucket, name: str
) -> None:
    make("claims", "secret")
    inside = completed_job(jobs, data, config_version="claims")
    give(users, "claims")
    with pytest.raises(ApiError, match=f"Unauthorized: Configuration version '{name}' is not in your scope"):
        call("createConfigVersion", input={"name": name, "fromJob": inside.id})
    assert listed() == ["claims"]
    assert jobs.get(inside.id).used_by == ()


def test_nobody_without_any_scope_makes_a_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEFAULT_SCOPE", "none")
    with pytest.raises(ApiError, match="Unauthorized"):
        call("createConfigVersion", input={"name": "mine"})
    assert listed() == []
    assert call("listConfigVersions", ADMIN)["items"] != []


@pytest.mark.parametrize("name", ["secret", "never-made", "default"])
@pytest.mark.parametrize("field", ["getConfigVersion", "activateConfigVersion", "deleteConfigVersion"])
def test_beyond_the_scope_the_answer_does_not_tell_what_exists(users: UserTable, field: str, name: str) -> None:
    make("claims", "secret")
    give(users, "claims")
    with pytest.raises(ApiError) as refused:
        call(field, name=name)
    assert str(refused.value) == (
        f"Unauthorized: Configuration version '{name}' is not in your scope. An Admin can add it with updateUser."
    )


def test_lists_are_filtered_before_they_are_cut_into_pages(users: UserTable) -> None:
    make("a", "b", "c", "d", "e")
    give(users, "a", "d", "default", "gone")
    first = call("listConfigVersions", limit=2)
    assert [item["name"] for item in first["items"]] == ["d", "a"]
    assert listed(limit=2, nextToken=first["nextToken"]) == ["default"]
    give(users, "a", "d")
    assert call("listConfigVersions", limit=2)["nextToken"] is None


def test_a_job_starts_with_a_version_in_scope_only(users: UserTable, test_sets: TestSetTable, jobs: JobTable) -> None:
    test_sets.create(ready_test_set())
    make("claims", "secret")
    give(users, "claims")
    start = {"jobName": "Job", "testSetId": "docsplit", "baseModel": "us.amazon.nova-lite-v1:0"}
    for name in ("secret", "never-made", "default"):
        with pytest.raises(ApiError, match=f"Unauthorized: Configuration version '{name}' is not in your scope"):
            call("startFinetuningJob", input=start | {"configVersion": name})
    assert call("listFinetuningJobs")["items"] == []
    assert call("startFinetuningJob", input=start | {"configVersion": "claims"})["configVersion"] == "claims"
    assert call("startFinetuningJob", input=start)["configVersion"] is None


def test_the_prompt_of_a_job_is_read_within_the_scope_but_the_job_itself_by_all(
    users: UserTable, jobs: JobTable, data: DataBucket
) -> None:
    make("claims", "secret")
    trained = completed_job(jobs, data, config_version="secret")
    give(users, "claims")
    with pytest.raises(ApiError, match="Unauthorized: Configuration version 'secret'"):
        call("getFinetuningJobPrompt", ("Viewer",), jobId=trained.id)
    assert call("getFinetuningJob", ("Viewer",), jobId=trained.id)["configVersion"] == "secret"
    give(users, "secret")
    assert call("getFinetuningJobPrompt", ("Viewer",), jobId=trained.id)["classes"]


@pytest.mark.parametrize(
    "failure",
    [client_error("GetItem", "AccessDeniedException"), client_error("GetItem", "ThrottlingException"), KeyError()],
)
def test_a_look_up_that_fails_in_any_way_denies_and_the_log_says_how(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, failure: Exception
) -> None:
    def fail(_table: UserTable, _user_id: str) -> None:
        raise failure

    monkeypatch.setattr("idp_finetuning.adapters.tables.users.UserTable.find", fail)
    for field, arguments in (
        ("listConfigVersions", {}),
        ("getConfigVersion", {"name": "default"}),
        ("getMyProfile", {}),
    ):
        with pytest.raises(
            ApiError, match="Unauthorized: Which configuration versions you may use could not be looked up"
        ):
            call(field, **arguments)
        assert caplog.records[-1].__dict__["cause"] == type(failure).__name__


@pytest.mark.parametrize("variable", ["USERS_TABLE", "DEFAULT_SCOPE"])
def test_a_deployment_without_its_settings_denies(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.delenv(variable)
    with pytest.raises(ApiError, match="Unauthorized: Which configuration versions"):
        call("listConfigVersions")


def test_an_admin_is_not_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("USERS_TABLE")
    for groups in (("Admin",), ("Viewer", "Admin")):
        assert find_scope(Identity(sub=SUB, username="a", groups=groups), Services()).kind is UserScope.ALL


@pytest.mark.parametrize("value", ["none", "All", "everything"])
def test_only_the_word_all_gives_everything_to_users_without_a_record(
    monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    monkeypatch.setenv("DEFAULT_SCOPE", value)
    with pytest.raises(Unauthorized):
        require_in_scope(Identity(sub=SUB, username="a", groups=("Author",)), "default", Services())
