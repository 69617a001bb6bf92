"""Configuration versions and their jobs while others write the same: one wins, the other is told, nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.adapters.tables.config_versions import ConfigVersionTable
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.classification.config_versions import DEFAULT_NAME, ConfigVersion, default_version
from idp_finetuning.errors import ConfigVersionNotFound, Conflict, TransientError
from idp_finetuning.jobs.job import JobStatus
from tests.support.domain.service_model import AnyClient
from tests.support.domain.versions import completed_job

TABLE = "t-config-versions"


class Interrupted(AnyClient):  # type: ignore[misc]
    """DynamoDB where something else happens right before each transaction of one caller."""

    def __init__(self, dynamodb: Any, meanwhile: Callable[[], object]) -> None:
        self._dynamodb = dynamodb
        self._meanwhile = meanwhile

    def __getattr__(self, name: str) -> Any:
        return getattr(self._dynamodb, name)

    def transact_write_items(self, **request: Any) -> Any:
        """DynamoDB's TransactWriteItems."""
        self._meanwhile()
        return self._dynamodb.transact_write_items(**request)


def interrupted(dynamodb: Any, meanwhile: Callable[[], object]) -> Any:
    """A client for one caller's table."""
    return Interrupted(dynamodb, meanwhile)


@pytest.fixture
def versions(dynamodb: Any) -> ConfigVersionTable:
    """The table without disturbance."""
    return ConfigVersionTable(dynamodb, TABLE)


def version(name: str = "claims", **changes: Any) -> ConfigVersion:
    """A version as createConfigVersion makes it."""
    made = {"name": name, "built_in": False, "revision": 1, "created_at": "2026-11-22T10:00:00.000Z"}
    return default_version(active=False).model_copy(update=made | changes)


def names(versions: ConfigVersionTable) -> list[str]:
    """Names of all versions."""
    return [item.name for item in versions.page(limit=100, next_token=None, allows=lambda _: True).items]


def test_of_two_writers_the_later_is_told_who_was_faster_and_overwrites_nothing(
    dynamodb: Any, versions: ConfigVersionTable
) -> None:
    versions.create(version())
    theirs = version(description="Theirs", revision=2, updated_by="them", updated_at="2026-11-22T11:00:00.000Z")
    late = ConfigVersionTable(interrupted(dynamodb, lambda: versions.replace(theirs, revision=1)), TABLE)
    with pytest.raises(Conflict, match=r"changed by them at 2026-11-22T11:00:00.000Z and now has revision 2"):
        late.replace(version(description="Ours", revision=2, updated_by="us"), revision=1)
    assert versions.get("claims") == theirs


def test_of_two_who_make_one_name_the_later_is_told(dynamodb: Any, versions: ConfigVersionTable) -> None:
    late = ConfigVersionTable(interrupted(dynamodb, lambda: versions.create(version(description="First"))), TABLE)
    with pytest.raises(Conflict, match="exists already"):
        late.create(version(description="Second"))
    assert versions.get("claims").description == "First"


def test_a_version_activated_meanwhile_is_not_deleted(dynamodb: Any, versions: ConfigVersionTable) -> None:
    versions.create(version())
    late = ConfigVersionTable(interrupted(dynamodb, lambda: versions.activate("claims")), TABLE)
    with pytest.raises(Conflict, match="is active"):
        late.delete(versions.get("claims"))
    assert versions.active().name == "claims"


def test_of_two_activations_at_once_none_is_overwritten_without_a_word(
    dynamodb: Any, versions: ConfigVersionTable
) -> None:
    for name in ("claims", "other"):
        versions.create(version(name=name))
    late = ConfigVersionTable(interrupted(dynamodb, lambda: versions.activate("other")), TABLE)
    with pytest.raises(TransientError, match="at the same time"):
        late.activate("claims")
    assert (versions.active().name, versions.previous()) == ("other", DEFAULT_NAME)


def test_a_version_deleted_meanwhile_is_neither_activated_nor_changed_nor_deleted_twice(
    dynamodb: Any, versions: ConfigVersionTable
) -> None:
    acts: list[Callable[[ConfigVersionTable], object]] = [
        lambda late: late.activate("claims"),
        lambda late: late.replace(version(revision=2), revision=1),
        lambda late: late.delete(version()),
    ]
    for act in acts:
        versions.create(version())
        late = ConfigVersionTable(interrupted(dynamodb, lambda: versions.delete(version())), TABLE)
        with pytest.raises(ConfigVersionNotFound):
            act(late)
        assert (versions.active().name, names(versions)) == (DEFAULT_NAME, [DEFAULT_NAME])


def test_a_version_changed_meanwhile_is_not_deleted_and_its_job_stays_its_own(
    dynamodb: Any, versions: ConfigVersionTable, jobs: JobTable, data: DataBucket
) -> None:
    job = completed_job(jobs, data)
    versions.create(version(), [jobs.use(job.id, "claims")])
    late = ConfigVersionTable(
        interrupted(dynamodb, lambda: versions.replace(version(revision=2, updated_by="them"), revision=1)), TABLE
    )
    released = jobs.release(job.id, "claims")
    assert released
    with pytest.raises(Conflict, match="changed by them"):
        late.delete(version(), [released])
    assert names(versions) == ["claims", DEFAULT_NAME]
    assert jobs.get(job.id).used_by == ("claims",)


def test_a_job_deleted_meanwhile_gives_no_version(
    dynamodb: Any, versions: ConfigVersionTable, jobs: JobTable, data: DataBucket
) -> None:
    job = completed_job(jobs, data)
    late = ConfigVersionTable(interrupted(dynamodb, lambda: jobs.move(job.current_run, JobStatus.DELETING)), TABLE)
    with pytest.raises(Conflict, match="the job of its model is being deleted"):
        late.create(version(), [jobs.use(job.id, "claims")])
    assert names(versions) == [DEFAULT_NAME]
    assert jobs.get(job.id).used_by == ()


def test_a_job_whose_model_was_taken_up_meanwhile_is_not_deleted(
    dynamodb: Any, versions: ConfigVersionTable, jobs: JobTable, data: DataBucket
) -> None:
    job = completed_job(jobs, data)
    taken: list[str] = []

    def meanwhile() -> None:
        if not taken:
            taken.append("claims")
            versions.create(version(), [jobs.use(job.id, "claims")])

    late = JobTable(interrupted(dynamodb, meanwhile), "t-jobs")
    with pytest.raises(Conflict, match="is used by a configuration version"):
        late.move(job.current_run, JobStatus.DELETING)
    assert jobs.get(job.id).status is JobStatus.COMPLETED


def test_requests_that_meet_in_one_transaction_may_be_repeated(dynamodb: Any) -> None:
    def conflict() -> None:
        reasons = [{"Code": "None"}, {"Code": "TransactionConflict"}]
        error: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
        raise ClientError(error, "TransactWriteItems")

    with pytest.raises(TransientError, match="being changed by another request"):
        ConfigVersionTable(interrupted(dynamodb, conflict), TABLE).create(version())


def test_versions_made_in_one_moment_are_listed_once_each(versions: ConfigVersionTable) -> None:
    made = {f"v{number}" for number in range(7)}
    for name in made:
        versions.create(version(name))
    seen: list[str] = []
    token = None
    while True:
        page = versions.page(limit=3, next_token=token, allows=lambda _: True)
        seen += [item.name for item in page.items]
        token = page.next_token
        if not token:
            break
    assert len(seen) == len(made) + 1
    assert {*seen[:-1]} == made
    assert seen[-1] == DEFAULT_NAME


def test_a_version_that_is_gone_but_still_in_the_index_is_left_out(
    versions: ConfigVersionTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions.create(version())
    keys = [("2026-11-22T10:00:01.000Z", "gone"), ("2026-11-22T10:00:00.000Z", "claims")]
    monkeypatch.setattr(versions, "_keys", lambda: iter(keys))
    first = versions.page(limit=1, next_token=None, allows=lambda _: True)
    assert first.items == ()
    second = versions.page(limit=1, next_token=first.next_token, allows=lambda _: True)
    assert [item.name for item in second.items] == ["claims"]


def test_a_transaction_that_meets_another_one_is_repeated(dynamodb: Any) -> None:
    error: Any = {
        "Error": {"Code": "TransactionCanceledException"},
        "CancellationReasons": [{"Code": "TransactionConflict"}],
    }
    met = ClientError(error, "TransactWriteItems")

    class Contended:
        calls = 0

        def __getattr__(self, name: str) -> Any:
            return getattr(dynamodb, name)

        def transact_write_items(self, **request: Any) -> Any:
            self.calls += 1
            if self.calls < 3:
                raise met
            return dynamodb.transact_write_items(**request)

    contended = Contended()
    ConfigVersionTable(contended, TABLE).create(version())  # type: ignore[arg-type]
    assert contended.calls == 3
    assert ConfigVersionTable(dynamodb, TABLE).get("claims") == version()
