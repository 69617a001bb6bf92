"""Keys of a classification's data in S3."""

from __future__ import annotations

from idp_finetuning.wire import WireModel

UPLOADS_PREFIX = "classifications/uploads/"


def uploads_prefix(sub: str) -> str:
    """Return the prefix of the documents that a user (the `sub` of the token) sent to be classified."""
    return f"{UPLOADS_PREFIX}{sub}/"


def running_key(sub: str, slot: int) -> str:
    """Return the key of one of the classifications that may run at once for a user."""
    return f"classifications/running/{sub}/{slot}.json"


class ClassificationLayout(WireModel):
    """Keys of one classification in the data bucket."""

    classification_id: str

    @property
    def prefix(self) -> str:
        """Prefix of everything but an uploaded document."""
        return f"classifications/{self.classification_id}/"

    @property
    def request(self) -> str:
        """Key of the ClassificationRequest."""
        return f"{self.prefix}request.json"

    @property
    def progress(self) -> str:
        """Key of the ClassificationProgress, which only the run that works may write."""
        return f"{self.prefix}progress.json"

    @property
    def pages(self) -> str:
        """Prefix of the answers."""
        return f"{self.prefix}pages/"

    def page(self, number: int) -> str:
        """Key of the ClassifiedPage of one page, counted from 1."""
        return f"{self.pages}{number}.json"

    @property
    def result(self) -> str:
        """Key of the ClassificationResult."""
        return f"{self.prefix}result.json"
