"""Follow a job to its end on stderr: in place on a terminal, a line for each change anywhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING

import click

from idp_cli.job_text import documents_text, losses
from idp_cli.output import printable, remark
from idp_cli.session import INTERRUPTED
from idp_cli.times import format_elapsed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table
    from rich.text import Text

    from idp_sdk import IDPClient, Job
    from idp_sdk.errors import IDPError

OUTAGE_SECONDS = 600.0
STAGES = ("VALIDATING", "GENERATING_DATA", "TRAINING", "DEPLOYING", "COMPLETED")

_Show = Callable[["Job"], None]


def follow(client: IDPClient, job_id: str, *, interval: float, again: str = "") -> Job:
    """Poll the job every `interval` seconds, show it, and return it once it has ended.

    Ctrl-C or a lost connection end the watching and not the job; stderr then has the command to return to it, which
    ends with `again`.
    """
    from idp_sdk.errors import ConnectionFailed, ServerError, SessionExpired

    try:
        with job_display() as show:
            return client.finetuning.wait_for_completion(
                job_id, poll_interval=interval, on_progress=show, outage=OUTAGE_SECONDS, on_outage=_say_outage
            )
    except (KeyboardInterrupt, ConnectionFailed, ServerError, SessionExpired) as end:
        remark("The job continues. Return to it with:")
        remark(f"  idp-cli finetuning status --job-id {job_id} --watch{again}")
        if isinstance(end, KeyboardInterrupt):
            raise click.exceptions.Exit(INTERRUPTED) from None
        raise


def _say_outage(error: IDPError | None) -> None:
    if error:
        remark(f"{error.message} Trying again for ten minutes; the job continues.")
    else:
        remark("The service can be reached again.")


def job_display() -> AbstractContextManager[_Show]:
    """Return what is to be called with every state of a job that is seen, in order to show it."""
    return _live() if sys.stderr.isatty() else nullcontext(_Lines().show)


class _Lines:
    """A line for each change."""

    def __init__(self) -> None:
        self._last = ""

    def show(self, job: Job) -> None:
        """Print a line if something has changed."""
        parts = [f"{job.status:<15}", _losses_text(job), documents_text(job), _waiting_text(job)]
        line = "  ".join(part for part in parts if part).rstrip()
        if line != self._last:
            remark(f"{format_elapsed(job.created_at, job.updated_at)}  {line}")
            self._last = line


@contextmanager
def _live() -> Iterator[_Show]:
    from rich.console import Console
    from rich.live import Live

    latest: list[Job] = []
    live = Live(
        console=Console(stderr=True),
        get_renderable=lambda: _picture(latest[-1]) if latest else "",
        refresh_per_second=2,
        transient=True,
    )

    def show(job: Job) -> None:
        latest[:] = [job]
        live.refresh()

    with live:
        yield show


def _picture(job: Job) -> Table:
    from rich.table import Table
    from rich.text import Text

    picture = Table.grid(padding=(0, 2))
    rows = (
        ("Job", printable(job.name)),
        ("Stage", job.status),
        ("Elapsed", format_elapsed(job.created_at, job.updated_at if job.ended else None)),
        ("Documents", documents_text(job)),
        ("Loss", _losses_text(job)),
        ("Waiting for", printable(job.waiting_for or "")),
    )
    for name, value in rows:
        if value:
            picture.add_row(Text(name, style="dim"), _stages(job) if name == "Stage" else Text(value))
    return picture


def _stages(job: Job) -> Text:
    """Return the stages in order, the current one in brackets; a status that is none of them alone."""
    from rich.text import Text

    if job.status not in STAGES:
        return Text(job.status, style="bold")
    current = STAGES.index(job.status)
    stages = []
    for place, stage in enumerate(STAGES):
        marked = f"[{stage}]" if place == current else stage
        stages.append(Text(marked, style="green" if place < current else "bold" if place == current else "dim"))
    return Text(" > ").join(stages)


def _losses_text(job: Job) -> str:
    return ", ".join(f"{name.lower()} {value}" for name, value in losses(job.training_metrics))


def _waiting_text(job: Job) -> str:
    return f"waiting for {job.waiting_for}" if job.waiting_for else ""
