"""Published versions of Lambda functions."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

_UNPUBLISHED = "$LATEST"


class FunctionVersion(NamedTuple):
    """A version by the name of its function and its number, which rises with each version."""

    function: str
    number: int


class FunctionVersions:
    """The versions of any function."""

    def __init__(self, lambda_: LambdaClient) -> None:
        self._lambda = lambda_

    def published(self, function: str) -> dict[FunctionVersion, datetime]:
        """Return when each version of a function was published."""
        pages = self._lambda.get_paginator("list_versions_by_function").paginate(FunctionName=function)
        return {
            FunctionVersion(function, int(found["Version"])): datetime.fromisoformat(found["LastModified"])
            for page in pages
            for found in page["Versions"]
            if found["Version"] != _UNPUBLISHED
        }

    def delete(self, version: FunctionVersion) -> None:
        """Delete one version. Without a qualifier Lambda would delete the function itself."""
        self._lambda.delete_function(FunctionName=version.function, Qualifier=str(version.number))
