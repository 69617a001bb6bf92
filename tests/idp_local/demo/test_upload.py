from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from idp_local.demo.failure import DemoFailed
from idp_local.demo.labelled import LabelledDocument, LabelledSection
from idp_local.demo.service import FinetuningService
from idp_local.demo.upload import upload

DOCUMENTS = [
    LabelledDocument(
        path=f"März/file {number}.pdf",
        content=f"%PDF-{number}".encode(),
        sections=(LabelledSection(class_name="letter", page_indices=(0,)),),
    )
    for number in range(70)
]


class Bucket:
    """What arrived at an S3 endpoint that answers every POST with one status."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.forms: list[list[tuple[str, bytes]]] = []


@contextmanager
def serving(bucket: Bucket) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            message = message_from_bytes(f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode() + body)
            parts = [part for part in message.walk() if not part.is_multipart()]
            bucket.forms.append(
                [
                    (str(part.get_param("name", header="content-disposition")), bytes(part.get_payload(decode=True)))
                    for part in parts
                ]
            )
            self.send_response(bucket.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/bucket"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class UploadsGraphQL:
    """Answers createTestSetUploads: files named in `present` are in S3 already."""

    def __init__(self, url: str, present: frozenset[str] = frozenset()) -> None:
        self._url = url
        self._present = present
        self.files: list[list[dict[str, Any]]] = []

    def execute(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        self.files.append(variables["files"])
        return {"createTestSetUploads": [self._upload(file["key"]) for file in variables["files"]]}

    def _upload(self, key: str) -> dict[str, Any]:
        if key in self._present:
            return {"key": key, "present": True, "url": None, "fields": []}
        fields = [{"name": "key", "value": f"demo/{key}"}, {"name": "policy", "value": "abc"}]
        return {"key": key, "present": False, "url": self._url, "fields": fields}


def test_documents_and_baselines_are_announced_a_hundred_at_a_time_and_posted_with_the_file_last() -> None:
    bucket = Bucket(204)
    counts: list[int] = []
    with serving(bucket) as url:
        graphql = UploadsGraphQL(url)
        assert upload(FinetuningService(graphql), "demo", DOCUMENTS, counts.append) == 140
    assert [len(batch) for batch in graphql.files] == [100, 40]
    assert counts[-1] == 140
    announced = {f"demo/{f['key']}": (f["size"], f["md5"]) for batch in graphql.files for f in batch}
    for form in bucket.forms:
        assert [name for name, _ in form] == ["key", "policy", "file"]
        content = form[-1][1]
        assert announced.pop(form[0][1].decode()) == (len(content), md5(content).hexdigest())
    assert not announced


def test_what_s3_already_holds_is_not_sent_again() -> None:
    bucket = Bucket(204)
    with serving(bucket) as url:
        graphql = UploadsGraphQL(url, present=frozenset({f"input/{DOCUMENTS[0].path}"}))
        upload(FinetuningService(graphql), "demo", DOCUMENTS[:1], lambda count: None)
    assert len(bucket.forms) == 1


def test_a_refused_file_fails_the_demo_by_name() -> None:
    with serving(Bucket(403)) as url, pytest.raises(DemoFailed, match=r"refused 'input/März/file 0\.pdf' with .* 403"):
        upload(FinetuningService(UploadsGraphQL(url)), "demo", DOCUMENTS[:1], lambda count: None)
