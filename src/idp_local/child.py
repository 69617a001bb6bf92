"""Processes of the local runtime: each ends when its stdin does, so none outlives the one that started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType

from idp_local.environment import process_environment
from idp_local.errors import LocalRuntimeError

START_SECONDS = 60.0
STOP_SECONDS = 3.0


def python_child(
    arguments: Sequence[str],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start this Python with pipes as stdin and stdout and the log as stderr.

    It gets a session of its own: Ctrl-C and a closed terminal reach only the parent, which ends it in order.
    """
    with os.fdopen(os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "ab") as errors:
        return subprocess.Popen(
            [sys.executable, "-P", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**process_environment(), **(environment or {})},
            pass_fds=tuple(pass_fds),
            start_new_session=True,
        )


def first_line(child: subprocess.Popen[bytes], *, name: str, log: Path) -> str:
    """Return the line a server prints once it listens. Raises LocalRuntimeError if it ends or is silent."""
    assert child.stdout is not None  # noqa: S101 - python_child makes it a pipe
    silence = threading.Timer(START_SECONDS, child.kill)
    silence.start()
    line = child.stdout.readline()
    silence.cancel()
    if not line.endswith(b"\n"):
        raise LocalRuntimeError(f"The local {name} did not start. See {log}.")
    return line.decode().strip()


def stop(children: Sequence[subprocess.Popen[bytes]], seconds: float = STOP_SECONDS) -> None:
    """End the processes: by closing their stdin, and by force if that has not ended them after some seconds."""
    for child in children:
        if child.stdin and not child.stdin.closed:
            try:
                child.stdin.close()
            except BrokenPipeError:
                continue  # it is gone already
    for child in children:
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        if child.stdout:
            child.stdout.close()


def exit_on_signals() -> None:
    """In a parent: exit in order on SIGTERM and SIGHUP, so that `with` blocks end the children."""

    def leave(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)


def end_with_stdin(end: Callable[[], object] = lambda: os._exit(0)) -> None:
    """In a child: call `end` once stdin reaches its end, that is, once the parent is gone."""

    def watch() -> None:
        # Not through sys.stdin: its lock, held by a waiting thread, would break a regular end.
        while os.read(0, 1024):
            pass
        end()

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=watch, daemon=True, name="stdin").start()
