"""A test set as the API keeps it."""

from __future__ import annotations

from typing import Any

from tests.support.sdk.answers import labelled_set
from tests.support.sdk.deployment import Deployment, Refusal


class TestSetTable:
    """The one test set of the deployment, as the API keeps it."""

    __test__ = False

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        self.status: str | None = None
        deployment.answers |= {
            "createTestSet": self.create,
            "getTestSet": self.get,
            "createTestSetUploads": deployment.uploads("docsplit/"),
            "completeTestSet": self.complete,
            "deleteTestSet": self.delete,
        }

    def create(self, arguments: dict[str, Any]) -> object:
        """Return the new test set; refuse if there is one."""
        if self.status:
            raise Refusal("Conflict", "A test set 'docsplit' exists already. Choose another name.")
        self.status = "UPLOADING"
        return self.get({})

    def get(self, arguments: dict[str, Any]) -> object:
        """Return the test set; refuse if there is none."""
        if not self.status:
            raise Refusal("TestSetNotFound")
        return labelled_set(self.status)

    def delete(self, arguments: dict[str, Any]) -> object:
        """Remove the test set and its objects."""
        self.status = None
        self.deployment.objects.clear()
        return True

    def complete(self, arguments: dict[str, Any]) -> object:
        """Return the test set, READY, with the documents in S3 counted."""
        self.status = "READY"
        return labelled_set(fileCount=sum(key.startswith("docsplit/input/") for key in self.deployment.objects))
