"""Documents are drawn in a process of their own: a crafted one ends nothing else, and its reason names the limit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from idp_finetuning.adapters.drawing import limits
from idp_finetuning.adapters.drawing.frames import Kind
from idp_finetuning.adapters.pages import open_document, process
from idp_finetuning.errors import DocumentRejected
from tests.support.domain.pdf_files import page_of, stream
from tests.support.domain.samples import coloured_pdf, image_bytes

SOUND = coloured_pdf((200, 30, 30))
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A process of this test's own, with a second and 500 MB; those that are kept stay out of it."""
    monkeypatch.setattr(limits, "PAGE_CPU_SECONDS", 1)
    monkeypatch.setattr(limits, "DRAWING_MEMORY_MB", 500)
    monkeypatch.setattr(process, "_idle", [])
    yield
    for kept in process._idle:
        kept.end()


def draw(content: bytes) -> int:
    """Draw the first page and return the id of the process that did."""
    with open_document(content) as source:
        source.jpeg(0)
        return source.process_id


def tiling() -> bytes:
    """A pattern of cells far smaller than a pixel."""
    cell = stream(
        "/Type/Pattern/PatternType 1/PaintType 1/TilingType 1/BBox[0 0 1 1]/XStep 0.001/YStep 0.001/Resources<<>>",
        b"0 0 1 1 re f",
    )
    return page_of(
        b"/Pattern cs /P scn 0 0 5000 5000 re f", resources="/Pattern<</P 5 0 R>>", box="0 0 5000 5000", more=(cell,)
    )


def nested_forms(depth: int = 12, each: int = 12) -> bytes:
    """A form that draws twelve forms that draw twelve forms."""
    forms = [
        stream(
            f"/Type/XObject/Subtype/Form/BBox[0 0 300 200]/Resources<</XObject<</F {6 + level} 0 R>>>>",
            b"/F Do " * each,
        )
        for level in range(depth)
    ]
    return page_of(b"/F Do", resources="/XObject<</F 5 0 R>>", more=(*forms, stream("/Subtype/Form", b"0 0 m 9 9 l S")))


@pytest.mark.usefixtures("small_limits")
@pytest.mark.parametrize(
    ("seconds", "make", "code", "words"),
    [
        pytest.param(1, tiling, "too_slow", "Page 1 needs more than 1 seconds of processor time", id="time"),
        pytest.param(
            60,
            lambda: image_bytes(Image.new("RGBA", (12_000, 12_000)), "PNG", compress_level=1),
            "too_much_memory",
            "Page 1 needs more than 500 MB of memory",
            id="memory of an image",
        ),
    ],
)
def test_a_document_beyond_a_limit_is_rejected_with_the_limit(
    monkeypatch: pytest.MonkeyPatch, seconds: int, make: Callable[[], bytes], code: str, words: str
) -> None:
    monkeypatch.setattr(limits, "PAGE_CPU_SECONDS", seconds)
    draw(SOUND)
    with pytest.raises(DocumentRejected, match=words) as rejected:
        draw(make())
    assert rejected.value.reason_code == code
    draw(SOUND)  # the next document has a new process


@pytest.mark.usefixtures("small_limits")
def test_forms_in_forms_end_at_one_of_the_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PAGE_CPU_SECONDS", 20)
    with pytest.raises(DocumentRejected) as rejected:
        draw(nested_forms())
    assert rejected.value.reason_code in ("too_much_memory", "too_slow")


@pytest.mark.usefixtures("small_limits")
def test_a_process_is_kept_for_the_next_document() -> None:
    assert draw(SOUND) == draw(SOUND)


@pytest.mark.usefixtures("small_limits")
def test_a_process_that_ended_is_replaced_in_the_middle_of_a_document() -> None:
    kept = draw(SOUND)
    with open_document(coloured_pdf((1, 0, 0), (0, 1, 0))) as source:
        first = source.jpeg(0)
        assert source.process_id == kept
        os.kill(kept, signal.SIGKILL)
        assert source.jpeg(0) == first
        source.jpeg(1)
        assert source.process_id != kept


@pytest.mark.usefixtures("small_limits")
def test_two_documents_open_at_once_have_two_processes() -> None:
    with open_document(SOUND) as one, open_document(SOUND) as other:
        assert one.process_id != other.process_id
        assert one.jpeg(0) == other.jpeg(0)
    assert len(process._idle) == 1


@LINUX
@pytest.mark.usefixtures("small_limits")
def test_the_process_has_no_credentials_and_can_open_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret")
    with open_document(SOUND) as source:
        own = Path(f"/proc/{source.process_id}")
        assert b"AWS_" not in (own / "environ").read_bytes()
        limited = {line[:26].strip(): line[26:].split()[0] for line in (own / "limits").read_text().splitlines()}
        assert limited["Max open files"] == "0"
        assert limited["Max address space"] == str(3 * 500 << 20)
        assert "/dev/shm" not in (own / "maps").read_text()


@LINUX
def test_the_process_ends_with_its_parent_in_the_middle_of_a_page() -> None:
    code = (
        "import sys, threading, time\n"
        "from idp_finetuning.adapters.pages import open_document\n"
        "with open_document(sys.stdin.buffer.read()) as source:\n"
        "    print(source.process_id, flush=True)\n"
        "    source.jpeg(0)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdin is not None
    assert parent.stdout is not None
    parent.stdin.write(tiling())
    parent.stdin.close()
    child = Path(f"/proc/{int(parent.stdout.readline())}")
    assert child.exists()
    parent.kill()
    parent.wait()
    latest = time.monotonic() + 10
    while child.exists() and (child / "stat").read_text().split(") ")[1][0] != "Z":
        assert time.monotonic() < latest
        time.sleep(0.05)


def test_what_the_code_that_draws_gets_wrong_is_no_fault_of_the_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_idle", [])
    with open_document(SOUND) as source, pytest.raises(process.DrawingFailed, match=r"__main__\.py:\d+"):
        source._ask(Kind.DRAW, b"", "Page 1")
