"""Ten thousand documents on the local runtime: upload, validate, a job that is stopped while it generates, delete."""

from __future__ import annotations

import io
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from PIL import Image

from idp_local.client import client_for
from idp_local.runtime import LocalRuntime
from idp_sdk import IDPClient, JobStatus, LabelledDocument, LabelledSection
from idp_sdk.errors import TestSetNotFound

DOCUMENTS = 10_000
CLASSES = 10
NAME = "large"
_MODEL = "us.amazon.nova-2-lite-v1:0"
_WAIT_SECONDS = 1200.0
_POLL_SECONDS = 0.5

T = TypeVar("T")


def measure_large_test_set(documents: int = DOCUMENTS) -> dict[str, Any]:
    """Measure seconds of each step and peak memory, in MB, of the runtime's processes together."""
    rows: dict[str, Any] = {"documents": documents}
    with TemporaryDirectory() as directory, LocalRuntime(Path(directory), workers=2) as runtime:

        def measure(step: str, act: Callable[[], T]) -> T:
            began = time.monotonic()
            with _peak_memory() as peak:
                result = act()
            rows[f"{step}Seconds"] = round(time.monotonic() - began, 1)
            rows[f"{step}Mb"] = peak()
            print(f"  {step}: {rows[f'{step}Seconds']} s, {rows[f'{step}Mb']} MB", flush=True)
            return result

        with client_for(runtime.connection, "author@example.com") as client:
            made = list(_documents(documents))
            measure("upload", lambda: client.test_sets.upload_documents(made, name=NAME))
            measure("validate", lambda: client.finetuning.validate_test_set(NAME, timeout=_WAIT_SECONDS))
            measure(
                "validateForModel",
                lambda: client.finetuning.validate_test_set(NAME, base_model=_MODEL, timeout=_WAIT_SECONDS),
            )
            job = client.finetuning.create_job(test_set_id=NAME, base_model=_MODEL, name="large")
            measure("generate", lambda: _wait_for(client, job.id, JobStatus.GENERATING_DATA))
            time.sleep(20)
            measure("stop", lambda: _stop(client, job.id))
            measure("list", lambda: list(client.finetuning.list_jobs()))
            measure("deleteTestSet", lambda: _delete(client))
    return rows


def _documents(count: int) -> Iterator[LabelledDocument]:
    """Yield one-page documents of different content, as many in each class."""
    for number in range(count):
        content = io.BytesIO()
        page = Image.new("L", (60, 60), 255)
        page.putpixel((number % 60, number // 60 % 60), number // 3600)
        page.save(content, "PNG")
        sections = (LabelledSection(class_name=f"class-{number % CLASSES}", page_indices=(0,)),)
        yield LabelledDocument(path=f"document-{number:05}.png", content=content.getvalue(), sections=sections)


def _wait_for(client: IDPClient, job_id: str, status: JobStatus) -> None:
    ends = time.monotonic() + _WAIT_SECONDS
    while (found := client.finetuning.get_job(job_id).status) is not status:
        if found in (JobStatus.FAILED, JobStatus.COMPLETED) or time.monotonic() > ends:
            raise RuntimeError(f"The job is {found}, not {status}.")
        time.sleep(_POLL_SECONDS)


def _stop(client: IDPClient, job_id: str) -> None:
    client.finetuning.stop_job(job_id)
    _wait_for(client, job_id, JobStatus.STOPPED)


def _delete(client: IDPClient) -> None:
    client.test_sets.delete(NAME)
    ends = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < ends:
        try:
            client.test_sets.get(NAME)
        except TestSetNotFound:
            return
        time.sleep(_POLL_SECONDS)
    raise RuntimeError("The test set was not deleted.")


@contextmanager
def _peak_memory() -> Iterator[Callable[[], int]]:
    """Sample the memory of this process and its children; the function returns the largest sum, in MB."""
    ended = threading.Event()
    peak = 0

    def sample() -> None:
        nonlocal peak
        while True:
            peak = max(peak, _memory())
            if ended.wait(1):
                return

    sampler = threading.Thread(target=sample, daemon=True)
    sampler.start()
    try:
        yield lambda: peak // 1_000_000
    finally:
        ended.set()
        sampler.join()


def _memory() -> int:
    """Return the resident memory of this process and all below it, in bytes, as Linux counts it."""
    parents, pages = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            # Field 4 of stat is the parent, after a name in brackets that may hold anything [proc(5)].
            parents[folder.name] = (folder / "stat").read_text().rpartition(")")[2].split()[1]
            pages[folder.name] = int((folder / "statm").read_text().split()[1])
        except OSError:
            continue  # it has just ended
    ours = {str(os.getpid())}
    while found := {child for child, parent in parents.items() if parent in ours} - ours:
        ours |= found
    return sum(pages.get(process, 0) for process in ours) * os.sysconf("SC_PAGE_SIZE")
