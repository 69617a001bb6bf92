"""Where things lie in S3: keys of test sets and of a job's data, and the ids made from them."""

from __future__ import annotations

import hashlib
from enum import StrEnum

from idp_finetuning.wire import WireModel

JOBS_PREFIX = "jobs/"


class Split(StrEnum):
    """Side of the split a document is on."""

    TRAIN = "train"
    VALIDATION = "validation"


def document_id(input_key: str) -> str:
    """20 hexadecimal characters of the SHA-256 of the input key: legal in every S3 key Bedrock reads."""
    return hashlib.sha256(input_key.encode()).hexdigest()[:20]


def input_prefix(test_set_id: str) -> str:
    """Prefix of a test set's documents."""
    return f"{test_set_id}/input/"


def baseline_prefix(test_set_id: str) -> str:
    """Prefix of a test set's labels."""
    return f"{test_set_id}/baseline/"


def page_texts_prefix(test_set_id: str, path: str) -> str:
    """Prefix of what was read of each page of a document."""
    return f"{baseline_prefix(test_set_id)}{path}/pages/"


def page_text_key(test_set_id: str, path: str, page: int) -> str:
    """Key of what was read of one page; numbers start at 1."""
    return f"{page_texts_prefix(test_set_id, path)}{page}/result.json"


def uploading_marker(test_set_id: str) -> str:
    """Key that exists while a test set is being uploaded."""
    return f"{test_set_id}/.uploading"


def labels_key(test_set_id: str, fingerprint: str) -> str:
    """Key in the data bucket of the labels read from one state of a test set."""
    return f"validation/{test_set_id}/{fingerprint}.json"


def reading_marker(test_set_id: str, fingerprint: str) -> str:
    """Key that says since when the labels of this state are being read in the background."""
    return f"validation/{test_set_id}/{fingerprint}.reading"


class JobLayout(WireModel):
    """Keys of one job in the data bucket."""

    job_id: str

    @property
    def prefix(self) -> str:
        """Everything of the job is below it."""
        return f"{JOBS_PREFIX}{self.job_id}/"

    @property
    def manifest(self) -> str:
        """JSON array of the documents with labels and split."""
        return f"{self.prefix}manifest.json"

    @property
    def prompt(self) -> str:
        """The prompt the job trains with."""
        return f"{self.prefix}prompt.json"

    @property
    def report(self) -> str:
        """What became of every document."""
        return f"{self.prefix}dataset/report.json"

    @property
    def output(self) -> str:
        """Prefix Bedrock writes to."""
        return f"{self.prefix}output/"

    def page(self, document: str, number: int) -> str:
        """JPEG of a page; numbers start at 1."""
        return f"{self.prefix}pages/{document}/{number}.jpeg"

    def examples(self, split: Split) -> str:
        """Prefix of the examples of one side of the split."""
        return f"{self.prefix}examples/{split}/"

    def example(self, split: Split, document: str) -> str:
        """JSONL with a record a page of one document."""
        return f"{self.examples(split)}{document}.jsonl"

    @property
    def rejections(self) -> str:
        """Prefix of the rejected documents."""
        return f"{self.prefix}rejected/"

    def rejection(self, document: str) -> str:
        """Why one document was rejected."""
        return f"{self.rejections}{document}.json"

    def dataset(self, split: Split) -> str:
        """JSONL that Bedrock trains on or validates with."""
        return f"{self.prefix}dataset/{split}.jsonl"


UPLOADS_PREFIX = "classifications/uploads/"


def uploads_of(sub: str) -> str:
    """Prefix of the documents a user, by the `sub` of the token, sent to be classified."""
    return f"{UPLOADS_PREFIX}{sub}/"


class ClassificationLayout(WireModel):
    """Keys of one classification in the data bucket."""

    classification_id: str

    @property
    def prefix(self) -> str:
        """Everything of the classification but an uploaded document is below it."""
        return f"classifications/{self.classification_id}/"

    @property
    def request(self) -> str:
        """What is to be classified, and how."""
        return f"{self.prefix}request.json"

    @property
    def claim(self) -> str:
        """Written by the one run that classifies."""
        return f"{self.prefix}claim.json"

    @property
    def result(self) -> str:
        """What came of it."""
        return f"{self.prefix}result.json"
