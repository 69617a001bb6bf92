"""`client.test_sets`: labelled documents to train with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from os import PathLike
from pathlib import Path

from idp_finetuning.evaluation.baseline import BaselineEvaluation
from idp_finetuning.evaluation.report import EvaluatedPage
from idp_finetuning.jobs.evaluation import EvaluationStatus
from idp_finetuning.test_sets.test_set import TestSet, TestSetStatus, identifier_of
from idp_finetuning.text import join_first
from idp_sdk import operations
from idp_sdk.api import Api, without_none
from idp_sdk.errors import Conflict, InvalidInput, TestSetNotFound, WaitTimeout
from idp_sdk.sending import Sender
from idp_sdk.uploads.folders import Layout, read_folder, why_document_not_sent
from idp_sdk.uploads.labelled import LabelledDocument, LocalFile
from idp_sdk.uploads.local_files import IgnoredFile
from idp_sdk.uploads.test_set_uploads import BATCH, Progress, TestSetUploads
from idp_sdk.waiting import Deadline, require_seconds


class TestSets:
    """Lists, uploads and deletes test sets."""

    __test__ = False

    def __init__(self, api: Api, sender: Sender) -> None:
        self._api = api
        self._sender = sender

    def list(self, *, page_size: int = 50) -> Iterator[TestSet]:
        """Yield all test sets, newest first."""
        return self._api.items(operations.LIST_TEST_SETS, {}, page_size)

    def get(self, test_set_id: str) -> TestSet:
        """Return a test set. Raises TestSetNotFound."""
        return self._api.call(operations.GET_TEST_SET, {"testSetId": test_set_id})

    def upload(
        self,
        path: str | PathLike[str],
        *,
        name: str,
        description: str = "",
        layout: Layout = Layout.AUTO,
        progress: Progress | None = None,
        on_ignored: Callable[[IgnoredFile], None] | None = None,
    ) -> TestSet:
        """Make a test set of a folder and return it, READY.

        The folder has one folder for each class, or has the accelerator's layout (`idp_sdk.Layout`). An upload that
        was interrupted continues when it is run again with the same name; no job can use the test set until all files
        are there. `progress(files_done, files, bytes_done, bytes)` is called after every file, from
        several threads but never at once; `on_ignored` with each file that is not sent, and why.
        Raises InvalidInput, Conflict if the name is taken, UploadFailed.
        """
        folder = read_folder(Path(path), Layout(layout))
        if on_ignored:
            for ignored in folder.ignored:
                on_ignored(ignored)
        return self._upload(folder.files, folder.documents, name, description, progress)

    def upload_documents(
        self,
        documents: Sequence[LabelledDocument],
        *,
        name: str,
        description: str = "",
        progress: Progress | None = None,
    ) -> TestSet:
        """Make a test set of labelled documents, packets among them, and return it, READY.

        Continues after an interruption and reports its progress as `upload` does.
        Raises InvalidInput before anything is sent if a file cannot be read or is no document, or two documents have
        one path; Conflict if the name is taken; UploadFailed.
        """
        return self._upload(_files_of(documents), len(documents), name, description, progress)

    def add(
        self,
        test_set_id: str,
        path: str | PathLike[str],
        *,
        layout: Layout = Layout.AUTO,
        progress: Progress | None = None,
        on_ignored: Callable[[IgnoredFile], None] | None = None,
    ) -> TestSet:
        """Add the documents of a folder to a complete test set and return its next version.

        Documents that the test set has already, with the same labels, are no change. It takes, reports and continues as
        `upload` does. Raises Conflict if a path has another document or other labels.
        """
        folder = read_folder(Path(path), Layout(layout))
        if on_ignored:
            for ignored in folder.ignored:
                on_ignored(ignored)
        return self._add(test_set_id, folder.files, progress)

    def add_documents(
        self, test_set_id: str, documents: Sequence[LabelledDocument], *, progress: Progress | None = None
    ) -> TestSet:
        """Add labelled documents to a complete test set, as `add` does with a folder's."""
        return self._add(test_set_id, _files_of(documents), progress)

    def remove(self, test_set_id: str, paths: Sequence[str]) -> TestSet:
        """Remove documents, by their paths in the test set, and return its next version.

        Jobs and earlier versions keep them. Raises InvalidInput if there is none of a path.
        """
        revised = self.get(test_set_id)
        for start in range(0, len(paths), BATCH):
            given = {"testSetId": test_set_id, "paths": [*paths[start : start + BATCH]]}
            revised = self._api.call(operations.REMOVE_TEST_SET_DOCUMENTS, given)
        return revised

    def _add(self, test_set_id: str, files: Sequence[LocalFile], progress: Progress | None) -> TestSet:
        before = self.get(test_set_id)
        if before.status is not TestSetStatus.READY:
            raise Conflict(f"Test set '{test_set_id}' is {before.status}. Only to a complete one can be added.")
        TestSetUploads(self._api, self._sender, test_set_id, progress).send(files)
        return self._api.call(operations.COMPLETE_TEST_SET, {"testSetId": test_set_id})

    def delete(self, test_set_id: str) -> bool:
        """Start the removal of a test set with its documents; it is DELETING until it is gone.

        Raises Conflict while a job reads it.
        """
        return self._api.call(operations.DELETE_TEST_SET, {"testSetId": test_set_id})

    def evaluate(
        self,
        test_set_id: str,
        *,
        base_models: Sequence[str] = (),
        config_versions: Sequence[str] = (),
        maximum_pages: int | None = None,
        maximum_cost: float | None = None,
    ) -> BaselineEvaluation:
        """Start an evaluation of models on a test set, before any job.

        Base models, by id, are asked with the built-in prompt and the test set's classes; configuration versions as
        they are. The verdict is on the first of all, beside the second. The same request while it runs returns the one
        that runs; answers that an earlier one stored are not paid for again. At most `maximum_pages` are asked about
        (default 1,000), whole documents of each class in turn. If it could cost more US dollars than `maximum_cost`, it
        fails before the first answer. Raises TestSetNotFound, TestSetInvalid, InvalidInput, ConfigVersionNotFound,
        PriceUnknown, Conflict, Unauthorized.
        """
        given = {"testSetId": test_set_id, "maximumPages": maximum_pages, "maximumCost": maximum_cost}
        names = {"baseModels": [*base_models], "configVersions": [*config_versions]}
        wanted = without_none(given)
        return self._api.call(operations.START_BASELINE, {**wanted, **names})

    def evaluation(self, test_set_id: str, number: int | None = None) -> BaselineEvaluation:
        """Return an evaluation of a test set, the latest without a number; `report` is None until it is COMPLETED.

        Raises TestSetNotFound, Conflict if there is none, Unauthorized.
        """
        return self._api.call(operations.GET_BASELINE, without_none({"testSetId": test_set_id, "number": number}))

    def evaluated_pages(
        self, test_set_id: str, number: int | None = None, *, page_size: int = 100
    ) -> Iterator[EvaluatedPage]:
        """Yield what each contestant of an evaluation said of each scored page. Raises Conflict without a report."""
        return self._api.items(
            operations.LIST_BASELINE_PAGES, without_none({"testSetId": test_set_id, "number": number}), page_size
        )

    def wait_for_evaluation(
        self,
        test_set_id: str,
        number: int | None = None,
        *,
        poll_interval: float = 10.0,
        timeout: float | None = None,
    ) -> BaselineEvaluation:
        """Wait until an evaluation of a test set does not run any more, and return it.

        Raises WaitTimeout (the evaluation continues), TestSetNotFound and Conflict if there is none.
        """
        require_seconds(poll_interval, timeout)
        deadline = Deadline(timeout)
        while True:
            found = self._api.call(
                operations.GET_BASELINE, without_none({"testSetId": test_set_id, "number": number}), deadline=deadline
            )
            if found.status is not EvaluationStatus.RUNNING:
                return found
            if not deadline.sleep(poll_interval):
                raise WaitTimeout(
                    f"Evaluation {found.number} of test set '{test_set_id}' still runs after {timeout:g} seconds. It "
                    "continues; wait for it again."
                )

    def _upload(
        self, files: Sequence[LocalFile], documents: int, name: str, description: str, progress: Progress | None
    ) -> TestSet:
        test_set = self._create_or_resume(name, description)
        TestSetUploads(self._api, self._sender, test_set.id, progress).send(files)
        ready = self._api.call(operations.COMPLETE_TEST_SET, {"testSetId": test_set.id})
        if ready.file_count != documents:
            raise Conflict(
                f"Test set '{ready.id}' has {ready.file_count} documents, not the {documents} of this upload: an "
                "earlier one under this name sent others. Delete the test set and upload again."
            )
        return ready

    def _create_or_resume(self, name: str, description: str) -> TestSet:
        """Return a new test set, or the one of this name whose upload was interrupted."""
        given = {"name": name, "description": description}
        try:
            return self._api.call(operations.CREATE_TEST_SET, {"input": given})
        except Conflict as taken:
            try:
                existing = self.get(identifier_of(name))
            except TestSetNotFound:
                raise taken from None
            if existing.status is TestSetStatus.UPLOADING:
                return existing
            if existing.status is TestSetStatus.READY:
                raise Conflict(
                    f"There is a complete test set '{existing.id}' already. Choose another name, add to it, or delete "
                    "it first."
                ) from None
            raise


def _files_of(documents: Sequence[LabelledDocument]) -> Sequence[LocalFile]:
    """Return the files of documents with their labels. Raises InvalidInput if one cannot be sent."""
    path, count = Counter(document.path for document in documents).most_common(1)[0] if documents else ("", 0)
    if count > 1:
        raise InvalidInput(f"{count} documents have the path '{path}'. Give each its own.")
    try:
        files = [file for document in documents for file in document.files()]
    except OSError as error:
        raise InvalidInput(f"'{error.filename}' cannot be read: {error.strerror}. Correct its path.") from None
    reasons = ((document.path, why_document_not_sent(document)) for document in documents)
    if refused := [f"{path} ({reason})" for path, reason in reasons if reason]:
        raise InvalidInput(f"{len(refused)} of the files cannot be sent: {join_first(refused)}. Leave them out.")
    return files
