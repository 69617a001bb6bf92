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
        self.version = 1
        deployment.answers |= {
            "createTestSet": self.create,
            "getTestSet": self.get,
            "createTestSetUploads": deployment.uploads("docsplit/"),
            "completeTestSet": self.complete,
            "removeTestSetDocuments": self.remove,
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
        self.status, self.version = None, 1
        self.deployment.objects.clear()
        return True

    def complete(self, arguments: dict[str, Any]) -> object:
        """Return the test set, READY, with the documents in S3 counted; the next version if it was complete before."""
        self.version += self.status == "READY"
        self.status = "READY"
        return self.shown()

    def remove(self, arguments: dict[str, Any]) -> object:
        """Return the next version."""
        self.version += 1
        return self.shown()

    def shown(self) -> dict[str, Any]:
        """Return the test set as the API shows it."""
        documents = sum(key.startswith("docsplit/input/") for key in self.deployment.objects)
        return labelled_set(fileCount=documents, version=self.version)
