from __future__ import annotations

import pytest

from idp_finetuning.wire import WireModel
from idp_sdk import JobStatus
from idp_sdk.documents import mutation, query
from idp_sdk.errors import ServerError
from idp_sdk.operations import GET_REPORT, LIST_JOB_EVENTS, LIST_JOBS
from idp_sdk.results import Page
from tests.support.sdk.answers import CREATED, job, page


class Leaf(WireModel):
    """The innermost model."""

    page_count: int


class Tree(WireModel):
    """A model with models in it, in all the ways there are."""

    id: str
    counts: dict[str, int]
    first: Leaf
    last: Leaf | None = None
    others: tuple[Leaf, ...] = ()


def test_a_document_selects_every_member_of_every_model_in_its_result() -> None:
    assert query("getTree", Tree, treeId="ID!", depth="Int").document == (
        "query ($treeId: ID!, $depth: Int) { getTree(treeId: $treeId, depth: $depth) "
        "{ id counts first { pageCount } last { pageCount } others { pageCount } } }"
    )
    assert query("listLeaves", Page[Leaf]).document == "query { listLeaves { items { pageCount } nextToken } }"
    assert query("leaves", tuple[Leaf, ...]).document == "query { leaves { pageCount } }"


def test_a_scalar_has_no_selection() -> None:
    assert mutation("fell", bool, treeId="ID!").document == "mutation ($treeId: ID!) { fell(treeId: $treeId) }"


def test_members_of_the_future_are_ignored_at_every_depth() -> None:
    event = {"at": CREATED, "type": "TRAINING", "message": "m"}
    events = LIST_JOB_EVENTS.read({**page({**event, "ofTheFuture": 1}), "ofTheFuture": 1})
    assert events == LIST_JOB_EVENTS.read(page(event))
    side = {"documents": 1, "pages": 2, "classes": [{"name": "invoice", "documents": 1, "pages": 2, "ofTheFuture": 1}]}
    report = {"found": 1, "accepted": 1, "rejected": 0, "train": side, "validation": side}
    read = GET_REPORT.read({**report, "rejectedDocuments": [], "warnings": [], "ofTheFuture": {}})
    assert read.train.classes[0].pages == 2


def test_a_value_of_the_future_says_to_update() -> None:
    assert LIST_JOBS.read(page(job())).items[0].status is JobStatus.VALIDATING
    with pytest.raises(ServerError) as caught:
        LIST_JOBS.read(page(job("HIBERNATING")))
    assert caught.value.message == (
        "The server's response to listFinetuningJobs does not fit this version of the SDK (items.0.status). Update "
        "idp-finetuning to the version of the deployment."
    )
