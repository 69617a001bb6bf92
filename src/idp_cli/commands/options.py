"""Options that several commands on jobs have."""

from __future__ import annotations

import math

import click

from idp_cli.completing import complete_jobs


def _require_number(ctx: click.Context, parameter: click.Parameter, value: float) -> float:  # noqa: ARG001
    if not math.isfinite(value):  # NaN is in every range
        raise click.BadParameter("give a number of seconds.")
    return value


job_id_option = click.option(
    "--job-id", required=True, metavar="ID", shell_complete=complete_jobs, help="The job's id, from `finetuning list`."
)
interval_option = click.option(
    "--interval",
    type=click.FloatRange(min=0.1),
    default=5.0,
    show_default=True,
    metavar="SECONDS",
    callback=_require_number,
    help="How often to poll while watching.",
)
maximum_cost_option = click.option(
    "--maximum-cost", type=float, metavar="USD", help="Ask nothing if the answers could cost more US dollars."
)
maximum_pages_option = click.option(
    "--maximum-pages",
    type=click.IntRange(min=1),
    metavar="N",
    help="Ask about so many pages at most: whole documents, of each class in turn (default: 1000).",
)
