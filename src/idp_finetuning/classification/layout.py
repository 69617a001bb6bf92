"""Keys of a classification's data in S3."""

from __future__ import annotations

from idp_finetuning.wire import WireModel

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
