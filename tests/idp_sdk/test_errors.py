from __future__ import annotations

import re
from typing import Any

import pytest

from idp_finetuning import errors as server
from idp_sdk import IDPClient, errors
from tests.support.sdk.deployment import Deployment, Refusal

# What never answers a request: it ends a job or a document of a job, or is the server's own affair.
OF_JOBS = {
    "DocumentRejected",
    "DatasetUnusable",
    "CostTooHigh",
    "TrainingFailed",
    "DeploymentFailed",
    "JobStopping",
    "StaleState",
    "RemovalPending",
    "AwsCallRefused",
    "SettingMissing",
    "InternalError",
}


def classes(module: Any, root: type[Exception]) -> dict[str, type[Exception]]:
    return {name: kind for name, kind in vars(module).items() if isinstance(kind, type) and issubclass(kind, root)}


def test_every_error_a_request_may_meet_has_a_class_of_its_name() -> None:
    theirs = classes(server, server.FinetuningError).keys() - OF_JOBS - {"FinetuningError", "TransientError"}
    assert theirs == {kind.__name__ for kind in errors.Refused.__subclasses__()}


def test_the_docstring_shows_the_tree() -> None:
    shown: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        if found := re.match(r"([│ ├└─]*)(\w+)(?:\s{2,}\S|$)", line):
            shown.append((len(found[1]), found[2]))
    drawn = {}
    for place, (depth, name) in enumerate(shown):
        parents = [above for other, above in shown[:place] if other < depth]
        drawn[name] = parents[-1] if depth else "Exception"
    tree = {name: kind.__mro__[1].__name__ for name, kind in classes(errors, errors.IDPError).items()}
    assert drawn == tree


@pytest.mark.parametrize(
    ("error_type", "kind"),
    [
        ("JobNotFound", errors.JobNotFound),
        ("ConfigVersionNotFound", errors.ConfigVersionNotFound),
        ("TestSetInvalid", errors.TestSetInvalid),
        ("InternalError", errors.ServerError),
        ("OfTheFuture", errors.ServerError),
        ("IDPError", errors.ServerError),
    ],
)
def test_the_servers_error_type_chooses_the_class(
    deployment: Deployment, client: IDPClient, error_type: str, kind: type[errors.IDPError]
) -> None:
    deployment.answers["getFinetuningJob"] = Refusal(error_type, "No job 'x'. List the jobs.")
    with pytest.raises(errors.IDPError) as caught:
        client.finetuning.get_job("x")
    assert type(caught.value) is kind
    assert (caught.value.error_type, caught.value.message) == (error_type, "No job 'x'. List the jobs.")


def test_a_group_that_may_not_is_told_so_in_words(deployment: Deployment, client: IDPClient) -> None:
    deployment.groups = ("Viewer",)
    with pytest.raises(errors.Unauthorized, match=r"groups do not allow deleteFinetuningJob\. Ask an Admin"):
        client.finetuning.delete_job("job-1")
    assert deployment.calls == []
