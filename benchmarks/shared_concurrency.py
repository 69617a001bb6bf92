"""Two jobs at once in an account where Lambda may run ten functions: what is throttled, and how the API answers."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from PIL import Image, ImageDraw

from idp_finetuning.jobs.job import JobStatus
from idp_local.aws.names import function_name
from idp_local.client import client_for
from idp_local.functions.messages import Outcome, Task
from idp_local.runtime import LocalRuntime
from idp_sdk import IDPClient, LabelledDocument, LabelledSection
from idp_sdk.errors import IDPError

T = TypeVar("T")

LIMIT = 10
DOCUMENTS = 500
SECONDS = 5.0
_USER = "author@example.com"
_MODEL = "us.amazon.nova-lite-v1:0"
_PREPARING = (JobStatus.VALIDATING, JobStatus.GENERATING_DATA)


class SlowRendering:
    """Makes each run of GenerateExample take longer, asleep; `most_at_once` is how many were at it together."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._running = 0
        self.most_at_once = 0

    def run(self, task: Task, run: Callable[[Task], Outcome]) -> Outcome:
        """Sleep before GenerateExample; run any other function at once."""
        if task.function_name != function_name("GenerateExample"):
            return run(task)
        with self._counted():
            time.sleep(self._seconds)
            return run(task)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self._running += 1
            self.most_at_once = max(self.most_at_once, self._running)
        try:
            yield
        finally:
            with self._lock:
                self._running -= 1


def measure_shared_concurrency(
    documents: int = DOCUMENTS, seconds: float = SECONDS, *, seconds_apart: float = 0
) -> Mapping[str, Any]:
    """Run two jobs of so many documents, each of which takes so long, and ask the API all the while."""
    slow = SlowRendering(seconds)
    with (
        TemporaryDirectory() as folder,
        LocalRuntime(Path(folder), concurrency_limit=LIMIT, map_concurrency=40, interceptor=slow) as runtime,
    ):
        # Without retries: a refused call has to be seen.
        client = client_for(runtime.connection, _USER, retries=0)
        test_set = client_for(runtime.connection, _USER).test_sets.upload_documents(_draw_all(documents), name="slow")
        runtime.functions.throttles.clear()
        asked = _Asked(client)
        first = asked.start(test_set.id, "first")
        time.sleep(seconds_apart)
        began = time.monotonic()
        started = (first, asked.start(test_set.id, "second"))
        while any(asked.is_preparing(job_id) for job_id in started):
            asked.ask(lambda: list(client.finetuning.list_jobs()))
            asked.ask(lambda: list(client.test_sets.list()))
        took = time.monotonic() - began
        reports = [client.finetuning.report(one) for one in started]
        return {
            "documents": sum(report.found for report in reports),
            "rejected": sum(report.rejected for report in reports),
            "throttledRendering": runtime.functions.throttles[function_name("GenerateExample")],
            "throttledInAll": sum(runtime.functions.throttles.values()),
            "mostAtOnce": slow.most_at_once,
            "apiCalls": len(asked.seconds),
            "apiCallsRefused": asked.refused,
            "apiSlowestSeconds": round(max(asked.seconds), 2),
            "apiSeconds99": round(quantiles(asked.seconds, n=100)[-1], 2),
            "seconds": round(took),
        }


class _Asked:
    """Calls of the API: how long each took, and how many of them were refused."""

    def __init__(self, client: IDPClient) -> None:
        client.users.me()  # signs in
        self._client = client
        self.seconds: list[float] = []
        self.refused = 0

    def start(self, test_set_id: str, name: str) -> str:
        """Start a job and return its id."""
        started = self.ask(
            lambda: self._client.finetuning.create_job(test_set_id=test_set_id, base_model=_MODEL, name=name)
        )
        if started is None:
            raise RuntimeError(f"Job '{name}' was refused.")
        return started.id

    def is_preparing(self, job_id: str) -> bool:
        """Return whether the job's data set is not assembled yet; a refused call leaves it open."""
        job = self.ask(lambda: self._client.finetuning.get_job(job_id))
        return job is None or job.status in _PREPARING

    def ask(self, call: Callable[[], T]) -> T | None:
        """Return the answer, or None if the call is refused."""
        began = time.monotonic()
        try:
            return call()
        except IDPError:
            self.refused += 1
            return None
        finally:
            self.seconds.append(time.monotonic() - began)


def _draw_all(count: int) -> list[LabelledDocument]:
    return [_draw(number) for number in range(count)]


def _draw(number: int) -> LabelledDocument:
    """Draw a page that is quick to convert and differs from all others."""
    class_name = ("letter", "invoice")[number % 2]
    page = Image.new("RGB", (64, 96), "white")
    draw = ImageDraw.Draw(page)
    draw.rectangle((5, 5, 60, 25) if class_name == "letter" else (25, 5, 35, 90), fill="black")
    draw.point((number % 64, number // 64), fill="red")
    content = io.BytesIO()
    page.save(content, "PNG")
    label = (LabelledSection(class_name=class_name, page_indices=(0,)),)
    return LabelledDocument(path=f"{class_name}-{number}.png", content=content.getvalue(), sections=label)
