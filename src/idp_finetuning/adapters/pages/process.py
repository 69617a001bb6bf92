"""The process that parses and draws documents: started when one is opened, kept for the next, ended by its limits."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import threading
from typing import BinaryIO, cast

from idp_finetuning.adapters.drawing import limits
from idp_finetuning.adapters.drawing.frames import Kind, read_frame, unpack_rejection, write_frame
from idp_finetuning.errors import DocumentRejected

# All that the child sees of the environment: where Python and its libraries are. No credentials of AWS.
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "LANG", "LC_ALL", "TMPDIR")
# The heap keeps what a page needed for the next page, in one arena, so that the limit of memory holds pages only.
_HEAP = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "67108864", "MALLOC_TRIM_THRESHOLD_": "268435456"}
# Longer than any page's processor time on a busy machine: for a child that waits and never ends.
_SILENT_SECONDS = 300.0
_PIPE_BYTES = 1 << 20


class ProcessEnded(Exception):
    """The child ended in the middle of a request; `rejection` says by which limit, if the signal shows it."""

    def __init__(self, rejection: DocumentRejected, *, by_own_cost: bool) -> None:
        super().__init__(rejection.message)
        self.rejection = rejection
        self.by_own_cost = by_own_cost


class DrawingFailed(Exception):
    """The code that draws has an error; says which and where, without a word of the document."""


class DrawingProcess:
    """A child process with one open document at a time."""

    def __init__(self, memory_mb: int, cpu_seconds: float) -> None:
        self._cpu_seconds = cpu_seconds
        self._memory_mb = memory_mb
        self.documents = 0
        self._ended = False
        self._parent = os.getpid()
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        lifeline, self._lifeline = os.pipe()
        self._child = subprocess.Popen(
            [
                *(sys.executable, "-P", "-s", "-m", "idp_finetuning.adapters.drawing"),
                *(str(memory_mb), str(cpu_seconds), str(lifeline)),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            pass_fds=(lifeline,),
            env=environment | _HEAP | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        os.close(lifeline)
        self._requests = cast(BinaryIO, self._child.stdin)
        self._replies = cast(BinaryIO, self._child.stdout)
        _widen(self._requests, self._replies)

    @property
    def process_id(self) -> int:
        """The child's id, for who measures it."""
        return self._child.pid

    @property
    def is_usable(self) -> bool:
        """Whether it runs, and is this process's own and not that of the one this was forked from."""
        return self._parent == os.getpid() and self._child.poll() is None

    def ask(self, kind: Kind, payload: bytes, subject: str) -> bytes:
        """Send a request and return the payload of its reply; `subject` begins the reason if the child ends.

        Raises DocumentRejected, and ProcessEnded if the child ended; it is of no use afterwards.
        """
        try:
            write_frame(self._requests, kind, payload)
            if not select.select([self._replies], [], [], _SILENT_SECONDS)[0]:
                self.end()
                raise ProcessEnded(self._too_slow(subject), by_own_cost=True)
            answer, content = read_frame(self._replies)
        except (EOFError, BrokenPipeError, ConnectionResetError) as error:
            raise self._why_ended(subject) from error
        if answer is Kind.REJECTED:
            raise unpack_rejection(content)
        if answer is Kind.FAILED:
            raise DrawingFailed(content.decode())
        return content

    def close_document(self) -> None:
        """Let the child forget its document; it may be gone."""
        with contextlib.suppress(OSError):
            write_frame(self._requests, Kind.CLOSE)

    def end(self) -> None:
        """End the child at once. Idempotent."""
        if self._ended:
            return
        self._ended = True
        self._child.kill()
        self._child.wait()
        self._requests.close()
        self._replies.close()
        os.close(self._lifeline)

    def _why_ended(self, subject: str) -> ProcessEnded:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(5)
        self.end()
        number = -(self._child.returncode or 0)
        if number in (signal.SIGPROF, signal.SIGXCPU):
            return ProcessEnded(self._too_slow(subject), by_own_cost=True)
        if self._child.returncode == limits.MEMORY_EXIT or number in (signal.SIGABRT, signal.SIGTRAP, signal.SIGILL):
            # PDFium ends the process by one of these if it is refused memory.
            rejection = limits.memory_rejection(subject, self._memory_mb)
        else:
            rejection = DocumentRejected("damaged", f"{subject} ended the process that draws. Save the document again.")
        return ProcessEnded(rejection, by_own_cost=False)

    def _too_slow(self, subject: str) -> DocumentRejected:
        return DocumentRejected(
            "too_slow",
            f"{subject} needs more than {self._cpu_seconds:g} seconds of processor time. Save it in a simpler form.",
        )


def _widen(*pipes: BinaryIO) -> None:
    """Let a page pass in one piece where the system can (Linux)."""
    if sys.platform == "linux":
        import fcntl

        for pipe in pipes:
            with contextlib.suppress(OSError):
                fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


_idle: list[DrawingProcess] = []
_lock = threading.Lock()


def take_process() -> DrawingProcess:
    """Return the process that was kept, or a new one; two documents open at once have two."""
    with _lock:
        kept = _idle.pop() if _idle else None
    return kept if kept is not None and kept.is_usable else new_process()


def new_process() -> DrawingProcess:
    """Start a process with the limits of documents."""
    return DrawingProcess(limits.DRAWING_MEMORY_MB, limits.PAGE_CPU_SECONDS)


def give_back(process: DrawingProcess) -> None:
    """Keep a process for the next document, one of them at most."""
    if process.is_usable:
        process.close_document()
        with _lock:
            if not _idle:
                _idle.append(process)
                return
    process.end()
