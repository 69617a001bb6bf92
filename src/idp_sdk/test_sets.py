"""`client.test_sets`: labelled documents to train with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from os import PathLike
from pathlib import Path

from idp_finetuning.test_sets import TestSetStatus, identifier_of
from idp_sdk import operations
from idp_sdk.api import Api
from idp_sdk.errors import Conflict, TestSetNotFound
from idp_sdk.folders import IgnoredFile, Layout, read_folder
from idp_sdk.results import Result
from idp_sdk.sending import Sender
from idp_sdk.uploads import Progress, TestSetUploads


class TestSet(Result):
    """A test set: UPLOADING until all of it is there, then READY and unchangeable. `file_count` counts documents."""

    __test__ = False

    id: str
    name: str
    description: str
    file_count: int
    status: TestSetStatus
    created_at: datetime


class TestSets:
    """Lists, uploads and deletes test sets."""

    __test__ = False

    def __init__(self, api: Api, sender: Sender) -> None:
        self._api = api
        self._sender = sender

    def list(self, *, page_size: int = 50) -> Iterator[TestSet]:
        """All test sets, newest first."""
        return map(TestSet.read, self._api.items(operations.LIST_TEST_SETS, {}, page_size))

    def get(self, test_set_id: str) -> TestSet:
        """One test set. Raises TestSetNotFound."""
        return TestSet.read(self._api.call(operations.GET_TEST_SET, {"testSetId": test_set_id}))

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
        """Makes a test set of a folder and answers it, READY.

        The folder holds one folder for each class, or has the accelerator's layout (`idp_sdk.Layout`). An upload that
        was interrupted goes on where it stood when it is run again with the same name; until all files are there no
        job can use the test set. `progress(files_done, files, bytes_done, bytes)` is called after every file, from
        several threads but never at once; `on_ignored` with each file that is not sent, and why.
        Raises InvalidInput, Conflict where the name is taken, UploadFailed.
        """
        folder = read_folder(Path(path), Layout(layout))
        if on_ignored:
            for ignored in folder.ignored:
                on_ignored(ignored)
        test_set = self._begun(name, description)
        TestSetUploads(self._api, self._sender, test_set.id, progress).send(folder.files)
        ready = TestSet.read(self._api.call(operations.COMPLETE_TEST_SET, {"testSetId": test_set.id}))
        if ready.file_count != folder.documents:
            raise Conflict(
                f"Test set '{ready.id}' holds {ready.file_count} documents, the folder {folder.documents}: an earlier "
                "upload under this name sent others. Delete the test set and upload the folder again."
            )
        return ready

    def delete(self, test_set_id: str) -> bool:
        """Removes a test set and its documents. Raises Conflict while a job reads it."""
        return bool(self._api.call(operations.DELETE_TEST_SET, {"testSetId": test_set_id}))

    def _begun(self, name: str, description: str) -> TestSet:
        """A new test set, or the one of this name whose upload was interrupted."""
        given = {"name": name, "description": description}
        try:
            return TestSet.read(self._api.call(operations.CREATE_TEST_SET, {"input": given}))
        except Conflict as taken:
            try:
                existing = self.get(identifier_of(name))
            except TestSetNotFound:
                raise taken from None
            if existing.status is TestSetStatus.UPLOADING:
                return existing
            if existing.status is TestSetStatus.READY:
                raise Conflict(
                    f"There is a complete test set '{existing.id}' already, and it cannot be changed. Choose another "
                    "name, or delete it first."
                ) from None
            raise
