from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from idp_sdk import IDPClient, IgnoredFile, TestSetStatus
from idp_sdk.errors import Conflict, ServerError, TestSetNotFound, UploadFailed
from idp_sdk.uploads import test_set_uploads
from idp_sdk.uploads.labelled import LocalFile
from tests.idp_sdk.conftest import Clock
from tests.support.sdk.answers import labelled_set, page
from tests.support.sdk.deployment import Deployment, Refusal
from tests.support.sdk.folders import content_of, tree
from tests.support.sdk.test_sets import TestSetTable

DOCUMENTS = 500


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """500 documents of two classes in nested folders."""
    root = tmp_path / "documents"
    return tree(root, *(f"{('invoice', 'payslip')[n % 2]}/{n % 7}/{n % 3}/{n}.pdf" for n in range(DOCUMENTS)))


def test_500_documents_are_sent_with_their_labels_and_only_then_the_set_is_ready(
    deployment: Deployment, client: IDPClient, folder: Path
) -> None:
    table = TestSetTable(deployment)
    seen: list[tuple[int, int, int, int]] = []
    states: set[str | None] = set()

    def progress(*counts: int) -> None:
        seen.append(counts)  # type: ignore[arg-type]
        states.add(table.status)

    uploaded = client.test_sets.upload(folder, name="docsplit", description="Scans", progress=progress)

    assert uploaded.status is TestSetStatus.READY
    assert len(deployment.objects) == 2 * DOCUMENTS
    assert deployment.objects["docsplit/input/invoice/0/0/0.pdf"] == content_of("invoice/0/0/0.pdf")
    total = sum(map(len, deployment.objects.values()))
    assert [counts[0] for counts in seen] == list(range(1, 1001))
    assert seen[-1] == (1000, 1000, total, total)
    assert states == {"UPLOADING"}
    assert deployment.calls_of("createTestSet") == [{"input": {"name": "docsplit", "description": "Scans"}}]
    assert [len(call["files"]) for call in deployment.calls_of("createTestSetUploads")] == [100] * 10


def test_files_are_sent_several_at_a_time(deployment: Deployment, folder: Path) -> None:
    TestSetTable(deployment)
    together = threading.Barrier(8, timeout=10)
    met = threading.Event()

    def handle(request: httpx.Request) -> httpx.Response:
        if "s3" in request.url.host and not met.is_set():
            together.wait()
            met.set()
        return deployment.handle(request)

    http = httpx.Client(transport=httpx.MockTransport(handle))
    IDPClient(graphql_url="https://api.example.com/graphql", token="token-0", http_client=http).test_sets.upload(
        folder, name="docsplit"
    )
    assert met.is_set()


def test_the_next_addresses_are_asked_for_while_files_are_sent(deployment: Deployment, folder: Path) -> None:
    table = TestSetTable(deployment)
    asked = threading.Semaphore(0)
    create_uploads = deployment.uploads("docsplit/")

    def answer(arguments: dict[str, Any]) -> object:
        asked.release()
        return create_uploads(arguments)

    deployment.answers["createTestSetUploads"] = answer
    first = threading.Lock()

    def handle(request: httpx.Request) -> httpx.Response:
        if "s3" in request.url.host and first.acquire(blocking=False):
            # The first file to be sent waits for the second request for addresses, after that for its own.
            assert all(asked.acquire(timeout=10) for _ in range(2))
        return deployment.handle(request)

    http = httpx.Client(transport=httpx.MockTransport(handle))
    IDPClient(graphql_url="https://api.example.com/graphql", token="token-0", http_client=http).test_sets.upload(
        folder, name="docsplit"
    )
    assert (table.status, len(deployment.objects)) == ("READY", 2 * DOCUMENTS)


def test_large_files_are_prepared_a_few_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_set_uploads, "BATCH_BYTES", 10)
    files = [LocalFile(key=f"input/{n}", size=size, content=b"") for n, size in enumerate((4, 6, 1, 30, 2, 2))]
    assert [[file.size for file in batch] for batch in test_set_uploads._batches(files)] == [[4, 6], [1], [30], [2, 2]]


def test_an_interrupted_upload_sends_only_what_is_missing(
    deployment: Deployment, client: IDPClient, folder: Path
) -> None:
    table = TestSetTable(deployment)
    client_sent: list[int] = []
    interruption = 333

    def stopping(*counts: int) -> None:
        if counts[0] == interruption:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.test_sets.upload(folder, name="docsplit", progress=stopping)
    there = dict(deployment.objects)
    assert interruption <= len(there) < 2 * DOCUMENTS
    assert table.status == "UPLOADING"
    assert deployment.calls_of("completeTestSet") == []

    deployment.objects = Counting(there)
    client.test_sets.upload(folder, name="docsplit", progress=lambda *counts: client_sent.append(counts[0]))
    assert len(deployment.objects) == 2 * DOCUMENTS
    assert deployment.objects.written == 2 * DOCUMENTS - len(there)
    assert client_sent[-1] == 2 * DOCUMENTS
    assert table.status == "READY"


class Counting(dict[str, bytes]):
    """Counts what is written to it."""

    def __init__(self, content: dict[str, bytes]) -> None:
        super().__init__(content)
        self.written = 0

    def __setitem__(self, key: str, value: bytes) -> None:
        self.written += 1
        super().__setitem__(key, value)


def test_a_file_that_changed_since_the_interruption_is_sent_again(
    deployment: Deployment, client: IDPClient, tmp_path: Path
) -> None:
    table = TestSetTable(deployment)
    root = tree(tmp_path / "documents", "invoice/a.pdf", "payslip/b.pdf")
    table.status = "UPLOADING"
    deployment.objects = {"docsplit/input/invoice/a.pdf": b"old content"}
    client.test_sets.upload(root, name="docsplit")
    assert deployment.objects["docsplit/input/invoice/a.pdf"] == content_of("invoice/a.pdf")


def test_a_complete_set_is_not_touched(deployment: Deployment, client: IDPClient, folder: Path) -> None:
    TestSetTable(deployment).status = "READY"
    with pytest.raises(Conflict, match=r"complete test set 'docsplit' already.*add to it"):
        client.test_sets.upload(folder, name="DocSplit")
    assert deployment.calls_of("getTestSet") == [{"testSetId": "docsplit"}]
    assert deployment.objects == {}


@pytest.mark.parametrize("answer", [labelled_set("DELETING"), Refusal("TestSetNotFound")])
def test_another_conflict_is_told_as_the_server_tells_it(
    deployment: Deployment, client: IDPClient, folder: Path, answer: object
) -> None:
    deployment.answers = {"createTestSet": Refusal("Conflict", "It is being deleted."), "getTestSet": answer}
    with pytest.raises(Conflict, match=r"It is being deleted\."):
        client.test_sets.upload(folder, name="docsplit")


def test_documents_of_another_folder_under_the_same_name_are_told(
    deployment: Deployment, client: IDPClient, tmp_path: Path
) -> None:
    TestSetTable(deployment).status = "UPLOADING"
    deployment.objects = {"docsplit/input/invoice/other.pdf": b"x"}
    with pytest.raises(Conflict, match=r"has 2 documents, not the 1 of this upload: .* Delete the test set"):
        client.test_sets.upload(tree(tmp_path / "documents", "invoice/a.pdf"), name="docsplit")


def test_a_failing_bucket_is_tried_again(
    deployment: Deployment, client: IDPClient, clock: Clock, tmp_path: Path
) -> None:
    TestSetTable(deployment)
    stood_still = httpx.Response(400, text="<Code>RequestTimeout</Code>")
    deployment.s3 = [httpx.Response(503, text="<Code>SlowDown</Code>"), httpx.WriteError("reset"), stood_still]
    client.test_sets.upload(tree(tmp_path / "documents", "invoice/a.pdf"), name="docsplit")
    assert deployment.objects["docsplit/input/invoice/a.pdf"] == content_of("invoice/a.pdf")
    assert len(clock.slept) == 3


@pytest.mark.parametrize(
    "expired",
    [
        httpx.Response(403, text="<Message>Invalid according to Policy: Policy expired.</Message>"),
        httpx.Response(400, text="<Code>ExpiredToken</Code><Message>The provided token has expired.</Message>"),
    ],
)
def test_an_address_that_has_expired_is_asked_for_anew(
    deployment: Deployment, client: IDPClient, tmp_path: Path, expired: httpx.Response
) -> None:
    TestSetTable(deployment)
    deployment.s3 = [expired]
    client.test_sets.upload(tree(tmp_path / "documents", "invoice/a.pdf"), name="docsplit")
    assert sorted(len(call["files"]) for call in deployment.calls_of("createTestSetUploads")) == [1, 2]
    assert len(deployment.objects) == 2


@pytest.mark.parametrize(
    ("refusal", "sentence"),
    [
        (httpx.Response(403, text="<Code>AccessDenied</Code>"), "HTTP status 403. Start again: only what is missing"),
        (httpx.Response(400, text="<Code>EntityTooLarge</Code>"), "was changed while it was being sent"),
    ],
)
def test_a_refused_file_ends_the_upload_and_leaves_the_set_unfinished(
    deployment: Deployment, client: IDPClient, folder: Path, refusal: httpx.Response, sentence: str
) -> None:
    table = TestSetTable(deployment)
    deployment.s3 = [refusal]
    with pytest.raises(UploadFailed) as caught:
        client.test_sets.upload(folder, name="docsplit")
    assert sentence in caught.value.message
    assert "signed-policy" not in caught.value.message
    assert len(deployment.objects) < 200
    assert table.status == "UPLOADING"


def test_a_bucket_that_stays_down_ends_the_upload(
    deployment: Deployment, client: IDPClient, clock: Clock, tmp_path: Path
) -> None:
    table = TestSetTable(deployment)
    deployment.s3 = [httpx.Response(503) for _ in range(20)]
    with pytest.raises(ServerError):
        client.test_sets.upload(tree(tmp_path / "documents", "invoice/a.pdf"), name="docsplit")
    assert table.status == "UPLOADING"


def test_a_file_that_vanishes_is_told(deployment: Deployment, client: IDPClient, tmp_path: Path) -> None:
    TestSetTable(deployment)
    root = tree(tmp_path / "documents", "invoice/a.pdf")
    create = deployment.answers["createTestSet"]

    def vanishing(arguments: dict[str, Any]) -> object:
        (root / "invoice/a.pdf").unlink()
        return create(arguments)  # type: ignore[operator]

    deployment.answers["createTestSet"] = vanishing
    with pytest.raises(UploadFailed, match=r"a\.pdf' cannot be read: No such file"):
        client.test_sets.upload(root, name="docsplit")


def test_ignored_files_are_named(deployment: Deployment, client: IDPClient, tmp_path: Path) -> None:
    TestSetTable(deployment)
    ignored: list[IgnoredFile] = []
    root = tree(tmp_path / "documents", "invoice/a.pdf", "loose.pdf")
    client.test_sets.upload(root, name="docsplit", on_ignored=ignored.append)
    assert ignored == [IgnoredFile(path="loose.pdf", reason="outside a class folder")]


def test_test_sets_are_listed_read_and_deleted(deployment: Deployment, client: IDPClient) -> None:
    deployment.answers = {
        "listTestSets": [page(labelled_set(id="a"), next_token="more"), page(labelled_set("UPLOADING", id="b"))],
        "getTestSet": Refusal("TestSetNotFound"),
        "deleteTestSet": True,
    }
    assert [(item.id, item.status) for item in client.test_sets.list()] == [("a", "READY"), ("b", "UPLOADING")]
    with pytest.raises(TestSetNotFound):
        client.test_sets.get("c")
    assert client.test_sets.delete("a") is True


def test_documents_are_added_to_a_complete_test_set_and_removed_a_hundred_at_a_time(
    deployment: Deployment, client: IDPClient, folder: Path
) -> None:
    TestSetTable(deployment).status = "READY"
    deployment.answers["completeTestSet"] = labelled_set(version=2)
    assert client.test_sets.add("docsplit", folder).version == 2
    assert len(deployment.objects) == 2 * DOCUMENTS
    assert deployment.calls_of("createTestSet") == []
    deployment.answers["removeTestSetDocuments"] = labelled_set(version=3)
    assert client.test_sets.remove("docsplit", [f"{n}.pdf" for n in range(250)]).version == 3
    assert [len(call["paths"]) for call in deployment.calls_of("removeTestSetDocuments")] == [100, 100, 50]


def test_nothing_is_added_to_a_test_set_that_is_not_complete(
    deployment: Deployment, client: IDPClient, folder: Path
) -> None:
    TestSetTable(deployment).status = "UPLOADING"
    with pytest.raises(Conflict, match="Only to a complete one can be added"):
        client.test_sets.add("docsplit", folder)
    assert deployment.calls_of("createTestSetUploads") == []
