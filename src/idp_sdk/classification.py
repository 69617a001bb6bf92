"""`client.classify`: the classes of a document's pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from idp_finetuning.classification.classification import Classification, ClassificationStatus
from idp_sdk import operations
from idp_sdk.api import Api, without_none
from idp_sdk.errors import InvalidInput, TooManyRunning, WaitTimeout
from idp_sdk.sending import Sender
from idp_sdk.uploads.local_files import is_folder, is_regular_file, walk, why_content_not_sent, why_not_sent
from idp_sdk.uploads.s3_posts import md5_of, post_file
from idp_sdk.waiting import Deadline, require_seconds


class FoundFile(NamedTuple):
    """A file that may be classified, or `reason` if it is left out."""

    path: Path
    reason: str | None


def find_documents(paths: Sequence[Path]) -> Iterator[FoundFile]:
    """Yield the files that these paths name, those of a folder and of the folders in it in path order.

    A file that is named is never left out: classifying it says what is wrong with it. Raises InvalidInput if a path
    leads to nothing, or a folder cannot be read.
    """
    for path in paths:
        if is_folder(path):
            for file, reason in walk(path):
                yield FoundFile(file, reason or why_not_sent(file, file.name))
        elif is_regular_file(path):
            yield FoundFile(path, None)
        else:
            raise InvalidInput(f"'{path}' is neither a file nor a folder. Name documents to classify.")


class Classifications:
    """Starts classifications and waits for them."""

    def __init__(self, api: Api, sender: Sender) -> None:
        self._api = api
        self._sender = sender

    def classify(
        self,
        path: str | PathLike[str] | None = None,
        *,
        content: bytes | None = None,
        test_set_id: str | None = None,
        document_path: str | None = None,
        config_version: str | None = None,
        model: str | None = None,
        page_texts: Sequence[str] | None = None,
        progress: Callable[[Classification], None] | None = None,
        poll_interval: float = 1.0,
        timeout: float = 1800.0,
    ) -> Classification:
        """Classify a file, or the document `document_path` of a test set; return the result, COMPLETED or FAILED.

        `content` is a file in memory; `path` then only names it. `config_version` names model, prompts and
        classes; without it the active version is used. `model` replaces the version's model; alone, a custom model
        gets the prompt it was trained with. `page_texts` has the text of each page, for prompts with
        {DOCUMENT_TEXT}. If as many of this user's classifications run as may run at once, it waits for one to end.
        `progress` is called with what is known after each poll, see `pages_done` and `page_count`.
        Raises InvalidInput, ConfigVersionNotFound, Unauthorized, UploadFailed, TooManyRunning, WaitTimeout.
        """
        require_seconds(poll_interval, timeout)
        given: dict[str, Any] = {
            **self._source(path, content, test_set_id, document_path),
            "configVersion": config_version,
            "model": model,
            "pageTexts": None if page_texts is None else [*page_texts],
        }
        wanted = without_none(given)
        deadline = Deadline(timeout)
        found = self._start(wanted, deadline, poll_interval)
        while found.status is ClassificationStatus.RUNNING:
            if not deadline.sleep(poll_interval):
                raise WaitTimeout(
                    f"Classification '{found.id}' of '{found.document}' did not end within {timeout:g} seconds. It "
                    "continues on the server; getClassification of the API returns it."
                )
            variables = {"classificationId": found.id}
            found = self._api.call(operations.GET_CLASSIFICATION, variables, deadline=deadline)
            if progress:
                progress(found)
        return found

    def _start(self, wanted: dict[str, Any], deadline: Deadline, poll_interval: float) -> Classification:
        """Start as soon as the number of this user's running classifications allows it."""
        while True:
            try:
                return self._api.call(operations.START_CLASSIFICATION, {"input": wanted})
            except TooManyRunning:
                if not deadline.sleep(poll_interval):
                    raise

    def _source(
        self,
        path: str | PathLike[str] | None,
        content: bytes | None,
        test_set_id: str | None,
        document_path: str | None,
    ) -> dict[str, str | None]:
        if (path is None) == (test_set_id is None) or (test_set_id is None) != (document_path is None):
            raise InvalidInput("Name either a file, or a test set and the path of a document in it.")
        if path is None:
            return {"testSetId": test_set_id, "documentPath": document_path}
        file = Path(path)
        if content is None and not is_regular_file(file):
            raise InvalidInput(f"'{file}' is not a file. Name the document to classify.")
        sent = file if content is None else content
        if reason := why_content_not_sent(sent, file.name.lstrip(".")):
            raise InvalidInput(f"'{file}' is not sent: it is {reason}. Name a PDF or an image.")
        size = len(sent) if isinstance(sent, bytes) else sent.stat().st_size
        described = {"fileName": file.name, "size": size, "md5": md5_of(sent)}
        upload = self._api.call(operations.CREATE_CLASSIFICATION_UPLOAD, {"input": described})
        post_file(self._sender, upload, sent)
        return {"uploadKey": upload.key}
