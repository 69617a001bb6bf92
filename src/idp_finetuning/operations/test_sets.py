"""Operations on test sets: create, upload file by file, complete (from then on immutable), delete."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import Field

from idp_finetuning.adapters.services import Services
from idp_finetuning.errors import Conflict, InvalidInput, JobNotFound
from idp_finetuning.jobs.evaluation import EvaluationStatus
from idp_finetuning.jobs.job import STAGES, JobStatus
from idp_finetuning.operations.arguments import Id, Input, PageArguments
from idp_finetuning.operations.identity import Identity
from idp_finetuning.pagination import Page
from idp_finetuning.stages.baseline_start import current_baseline
from idp_finetuning.stages.complete_test_set import announce, remove_documents, require_new, seal
from idp_finetuning.stages.delete_test_set import start_deletion
from idp_finetuning.stages.evaluation_records import BaselineRecords
from idp_finetuning.stages.page_counts import start_counting
from idp_finetuning.test_sets.keys import uploading_marker
from idp_finetuning.test_sets.test_set import (
    NAME_PATTERN,
    TestSet,
    TestSetFile,
    TestSetRecord,
    TestSetStatus,
    TestSetUpload,
    identifier_of,
)
from idp_finetuning.text import MAXIMUM_DESCRIPTION
from idp_finetuning.wire import WireModel


class TestSetArguments(WireModel):
    """Arguments that name a test set."""

    __test__ = False

    test_set_id: Id


class CreateTestSetInput(WireModel):
    """Name and description of a new test set."""

    name: str = Field(pattern=NAME_PATTERN)
    description: str | None = Field(default=None, max_length=MAXIMUM_DESCRIPTION)


class UploadsArguments(WireModel):
    """Arguments of createTestSetUploads: at most 100 files a call."""

    test_set_id: Id
    files: tuple[TestSetFile, ...] = Field(min_length=1, max_length=100)


class RemovalArguments(WireModel):
    """Arguments of removeTestSetDocuments: at most 100 paths below `input/` a call."""

    test_set_id: Id
    paths: tuple[Annotated[str, Field(min_length=1, max_length=1024)], ...] = Field(min_length=1, max_length=100)


def list_test_sets(arguments: PageArguments, identity: Identity, services: Services) -> Page[TestSet]:
    """Return test sets, newest first."""
    return services.test_sets.list(limit=arguments.size, next_token=arguments.next_token)


def get_test_set(arguments: TestSetArguments, identity: Identity, services: Services) -> TestSetRecord:
    """Return one test set. Raises TestSetNotFound."""
    return services.test_sets.get(arguments.test_set_id)


def create_test_set(arguments: Input[CreateTestSetInput], identity: Identity, services: Services) -> TestSetRecord:
    """Create an empty test set that takes uploads; a repeated call returns the one that was made. Raises Conflict.

    A test set under this id that is complete, is being deleted, or has another name or description is a conflict.
    Upload forms are good for an hour: what came by those of a deleted test set under this id is removed first.
    """
    name = arguments.input.name.strip()
    if not name:
        raise InvalidInput("A test set needs a name of letters, digits, spaces, '_' and '-'.")
    test_set = TestSetRecord(
        id=identifier_of(name),
        name=name,
        description=arguments.input.description or "",
        status=TestSetStatus.UPLOADING,
        created_at=datetime.now(UTC),
    )
    services.test_sets.require_writable()
    if services.test_set_bucket.holds(f"{test_set.id}/"):
        services.test_set_bucket.delete_prefix(
            f"{test_set.id}/", still_allowed=lambda: services.test_sets.is_free(test_set.id)
        )
    try:
        services.test_sets.create(test_set)
    except Conflict:
        found = services.test_sets.get(test_set.id)
        if (found.name, found.description, found.status) != (test_set.name, test_set.description, test_set.status):
            raise
        test_set = found
    services.test_set_bucket.write(uploading_marker(test_set.id), b"")
    return test_set


def create_test_set_uploads(
    arguments: UploadsArguments, identity: Identity, services: Services
) -> tuple[TestSetUpload, ...]:
    """Return where to send each file, and note what is expected.

    What is sent to a complete test set belongs to its next version, which completeTestSet makes. Raises Conflict if it
    would change what the test set has, or that is being deleted.
    """
    services.test_sets.require_writable()
    test_set = services.test_sets.get(arguments.test_set_id)
    if test_set.status is TestSetStatus.DELETING:
        raise Conflict(f"Test set '{test_set.id}' is being deleted and takes no more files. Create a new test set.")
    require_new(test_set, arguments.files, services.test_set_bucket)
    uploads = services.test_set_bucket.uploads(
        test_set.id, arguments.files, replaces=test_set.status is TestSetStatus.UPLOADING
    )
    announce(test_set, arguments.files, services.test_set_bucket)
    return uploads


def complete_test_set(arguments: TestSetArguments, identity: Identity, services: Services) -> TestSetRecord:
    """Make a test set, or what was added to it, ready for jobs, and start to count its pages. Idempotent.

    Raises InvalidInput if it has no document or other files than announced, and Conflict if it is being deleted.
    """
    services.test_sets.require_writable()
    test_set = services.test_sets.get(arguments.test_set_id)
    ready = seal(test_set, services.test_set_bucket, services.test_sets)
    _count_pages(ready, test_set.sealed_as, services)
    return ready


def remove_test_set_documents(arguments: RemovalArguments, identity: Identity, services: Services) -> TestSetRecord:
    """Make the next version of a test set, without these documents. Jobs and earlier versions keep what they have.

    Raises InvalidInput if it has none of this path, and Conflict if another request changed it.
    """
    services.test_sets.require_writable()
    test_set = services.test_sets.get(arguments.test_set_id)
    revised = remove_documents(test_set, arguments.paths, services.test_set_bucket, services.test_sets)
    _count_pages(revised, test_set.sealed_as, services)
    return revised


def _count_pages(test_set: TestSetRecord, previous: str | None, services: Services) -> None:
    start_counting(test_set, previous=previous, data=services.data, background=services.page_counter)


def delete_test_set(arguments: TestSetArguments, identity: Identity, services: Services) -> bool:
    """Start the deletion of a test set; a repeated call starts one that did not finish again.

    The test set is DELETING until all is gone. Raises Conflict while a job or an evaluation
    reads it.
    """
    services.test_sets.require_writable()
    test_set = services.test_sets.get(arguments.test_set_id)
    _refuse_while_read(test_set, services)
    services.test_sets.close(test_set.id)  # from here on no job starts with it
    try:
        _refuse_while_read(test_set, services)
    except Conflict:
        services.test_sets.reopen(test_set)  # if an earlier call began the deletion, it stays DELETING
        raise
    start_deletion(test_set, services.test_set_deleter)
    return True


def _refuse_while_read(test_set: TestSetRecord, services: Services) -> None:
    records = BaselineRecords(services.data)
    baseline = records.latest(test_set.id)
    if baseline:
        baseline = current_baseline(baseline, records=records, workflow=services.evaluation)
        if baseline.status is EvaluationStatus.RUNNING:
            raise Conflict(f"{baseline.run.title} runs. Wait for its end.")
    for job_id in services.jobs.unfinished():
        try:
            job = services.jobs.get(job_id)
        except JobNotFound:
            continue  # the index lags behind the table
        if job.test_set_id == test_set.id and job.status in (JobStatus.VALIDATING, JobStatus.GENERATING_DATA):
            raise Conflict(f"Test set '{test_set.id}' is being read by job '{job.id}'. Stop the job or wait for it.")
        if job.evaluation_run and job.evaluation and test_set.id in job.evaluation.test_set_ids:
            raise Conflict(f"Job '{job.id}' is being evaluated on test set '{test_set.id}'. Wait for the end of that.")
        if job.evaluation_test_set_id == test_set.id and job.status in STAGES:
            raise Conflict(
                f"Job '{job.id}' will evaluate its model on test set '{test_set.id}'. Stop the job or wait for it."
            )
