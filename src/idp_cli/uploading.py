"""Progress of an upload on stderr: a bar on a terminal, a line for each tenth anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from idp_cli.output import remark

_Progress = Callable[[int, int, int, int], None]


def upload_progress() -> AbstractContextManager[_Progress]:
    """Return a context with the function to call with files done, files in all, bytes done and bytes in all.

    Any thread may call it.
    """
    return _bar() if sys.stderr.isatty() else nullcontext(_Lines().show)


class _Lines:
    """A line for each tenth of the files."""

    def __init__(self) -> None:
        self._tenth = -1

    def show(self, files_done: int, files_total: int, bytes_done: int, bytes_total: int) -> None:
        """Print a line if another tenth is done."""
        tenth = 10 * files_done // files_total if files_total else 10
        if tenth > self._tenth:
            self._tenth = tenth
            remark(f"Uploaded {files_done} of {files_total} files, {_size(bytes_done)} of {_size(bytes_total)}")


@contextmanager
def _bar() -> Iterator[_Progress]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.fields[files]} files"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    progress = Progress(*columns, console=Console(stderr=True), transient=True)
    task = progress.add_task("", total=None, files="0")

    def show(files_done: int, files_total: int, bytes_done: int, bytes_total: int) -> None:
        progress.start()  # only now: earlier lines are printed above the bar
        progress.update(task, completed=bytes_done, total=bytes_total, files=f"{files_done}/{files_total}")

    try:
        yield show
    finally:
        progress.stop()


def _size(count: int) -> str:
    """`1.5 MB`."""
    amount = float(count)
    for unit in ("bytes", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"
