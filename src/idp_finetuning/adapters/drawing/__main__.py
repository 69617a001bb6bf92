"""`python -m idp_finetuning.adapters.drawing <MB> <seconds> <descriptor>`: draws pages within limits.

Requests come on stdin, replies go to stdout. The descriptor is of a pipe whose other end the parent holds as long as it
lives.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import resource
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from idp_finetuning.adapters.drawing.document import Document
from idp_finetuning.adapters.drawing.encoding import encode_page
from idp_finetuning.adapters.drawing.frames import (
    Kind,
    pack_number,
    pack_rejection,
    read_frame,
    unpack_number,
    write_frame,
)
from idp_finetuning.adapters.drawing.limits import MEMORY_EXIT, memory_rejection
from idp_finetuning.adapters.drawing.opening import open_bytes
from idp_finetuning.errors import DocumentRejected

# Python imports a codec when it is first needed.
_ENCODINGS = ("ascii", "latin-1", "cp1252", "utf-8", "utf-16", "utf-16-le", "utf-16-be")

# Times the resident memory allowed. A limit that is met while PDFium draws would not do: refused memory, it leaves
# patterns and images out without a word.
_ADDRESS_SPACE = 3
_LOOK_SECONDS = 0.01


def main() -> None:
    """Serve until stdin ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's; the child ends with it
    memory_mb, cpu_seconds = int(sys.argv[1]), float(sys.argv[2])
    requests, replies = os.fdopen(os.dup(0), "rb", buffering=0), os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what a library prints is no reply
    resident = _resident_memory()
    _confine(memory_mb)
    threading.Thread(target=_leave_with_parent, args=(int(sys.argv[3]),), daemon=True).start()
    server = _Server(requests, replies, memory_mb, cpu_seconds)
    threading.Thread(target=_watch_memory, args=(memory_mb, resident, server.busy), daemon=True).start()
    server.serve()


def _confine(memory_mb: int) -> None:
    """Limit address space, and open no file or socket any more: modules, codecs and fonts have been loaded."""
    for encoding in _ENCODINGS:
        codecs.lookup(encoding)
    most = _ADDRESS_SPACE * memory_mb << 20
    with contextlib.suppress(ValueError, OSError):  # macOS knows this limit and refuses it
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def _leave_with_parent(lifeline: int) -> None:
    """Wait until the parent's end of a pipe is closed, in the middle of a page too."""
    os.read(lifeline, 1)
    os._exit(0)


def _watch_memory(memory_mb: int, resident: Callable[[], int], busy: threading.Event) -> None:
    """End the process once more memory is resident than allowed; looks only while there is a request."""
    while busy.wait():
        if resident() > memory_mb << 20:
            os._exit(MEMORY_EXIT)
        time.sleep(_LOOK_SECONDS)


def _resident_memory() -> Callable[[], int]:
    """Return a function for the bytes in memory; on Linux not the peak, which is inherited from the parent."""
    if sys.platform == "linux":
        statm, page = os.open("/proc/self/statm", os.O_RDONLY), resource.getpagesize()
        return lambda: int(os.pread(statm, 100, 0).split()[1]) * page
    return lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


class _Server:
    def __init__(self, requests: BinaryIO, replies: BinaryIO, memory_mb: int, cpu_seconds: float) -> None:
        self._requests = requests
        self._replies = replies
        self._memory_mb = memory_mb
        self._cpu_seconds = cpu_seconds
        self._document: Document | None = None
        self.busy = threading.Event()

    def serve(self) -> None:
        while True:
            try:
                kind, payload = read_frame(self._requests)
            except EOFError:
                return
            if kind is Kind.CLOSE:
                self._close()
                continue
            # The default action of SIGPROF ends the process, in the middle of PDFium too.
            signal.setitimer(signal.ITIMER_PROF, self._cpu_seconds)
            self.busy.set()
            try:
                reply = self._open(payload) if kind is Kind.OPEN else self._draw(unpack_number(payload))
                signal.setitimer(signal.ITIMER_PROF, 0)
            except DocumentRejected as rejection:
                signal.setitimer(signal.ITIMER_PROF, 0)
                write_frame(self._replies, Kind.REJECTED, pack_rejection(rejection))
            except MemoryError:
                signal.setitimer(signal.ITIMER_PROF, 0)
                subject = "The document" if kind is Kind.OPEN else f"Page {unpack_number(payload) + 1}"
                write_frame(self._replies, Kind.REJECTED, pack_rejection(memory_rejection(subject, self._memory_mb)))
                os._exit(MEMORY_EXIT)
            except Exception as error:
                signal.setitimer(signal.ITIMER_PROF, 0)
                write_frame(self._replies, Kind.FAILED, _describe(error).encode())
            else:
                write_frame(self._replies, *reply)
            finally:
                self.busy.clear()

    def _open(self, content: bytes) -> tuple[Kind, bytes]:
        self._close()
        self._document = open_bytes(content)
        return Kind.PAGES, pack_number(self._document.page_count)

    def _draw(self, index: int) -> tuple[Kind, bytes, bytes]:
        assert self._document is not None  # noqa: S101
        drawing = self._document.draw(index)
        jpeg = drawing.picture if isinstance(drawing.picture, bytes) else encode_page(drawing.picture)
        return Kind.PAGE, pack_number(drawing.missing_glyphs), jpeg

    def _close(self) -> None:
        if self._document is not None:
            self._document.close()
            self._document = None


def _describe(error: Exception) -> str:
    """Return name and places of an error; its text could quote the document."""
    places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)]
    return f"{type(error).__name__} at {', '.join(places)}"


if __name__ == "__main__":
    main()
