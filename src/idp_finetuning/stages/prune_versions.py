"""Versions of functions that no execution calls any more are deleted: they count against the account's code storage."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from idp_finetuning.adapters.aws_calls import aws_calls
from idp_finetuning.adapters.function_versions import FunctionVersion, FunctionVersions
from idp_finetuning.adapters.workflows import Workflow
from idp_finetuning.errors import FinetuningError
from idp_finetuning.wire import WireModel

# An execution ends within seven days (TimeoutSeconds in statemachines/) and calls the versions it began with.
KEPT = timedelta(days=8)


class PrunedVersions(WireModel):
    """The versions that were deleted (`<function>:<number>`), and the code of the error that ended the search."""

    deleted: tuple[str, ...] = ()
    failure: str | None = None


def prune_versions(*, sweeps: bool, workflows: Sequence[Workflow], versions: FunctionVersions) -> PrunedVersions:
    """Delete the versions that a newer one replaced more than eight days ago, unless a state machine still calls them.

    Does nothing in a pass that does not sweep. A failure is reported: no job depends on this.
    """
    if not sweeps:
        return PrunedVersions()
    deleted: list[str] = []
    try:
        with aws_calls():
            called = {version for workflow in workflows for version in workflow.called_versions()}
            for function in sorted({version.function for version in called}):
                for version in _replaced(versions.published(function), before=datetime.now(UTC) - KEPT):
                    if version not in called:
                        versions.delete(version)
                        deleted.append(f"{version.function}:{version.number}")
    except FinetuningError as error:
        return PrunedVersions(deleted=tuple(deleted), failure=error.code)
    return PrunedVersions(deleted=tuple(deleted))


def _replaced(published: Mapping[FunctionVersion, datetime], *, before: datetime) -> Iterator[FunctionVersion]:
    """Yield the versions whose successor was published before this moment."""
    for version, successor in pairwise(sorted(published)):
        if published[successor] < before:
            yield version
