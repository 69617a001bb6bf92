"""Commands of `testset` on evaluations before any job."""

from __future__ import annotations

from pathlib import Path

import click

from idp_cli.commands.evaluation import report_files, require_one_output, write_report
from idp_cli.commands.options import interval_option, maximum_cost_option, maximum_pages_option
from idp_cli.completing import complete_test_sets
from idp_cli.evaluation_text import baseline_lines, evaluation_lines
from idp_cli.model_names import model_id
from idp_cli.session import FAILED, Session, find_stand_in, shared_options
from idp_cli.waiting import waiting

_test_set = click.argument("test_set", metavar="ID", shell_complete=complete_test_sets)


@click.command("evaluate")
@_test_set
@click.option("--base-model", "base_models", multiple=True, metavar="ID", help="A base model; may be repeated.")
@click.option(
    "--config-version",
    "config_versions",
    multiple=True,
    metavar="NAME",
    help="A configuration version; may be repeated.",
)
@maximum_pages_option
@maximum_cost_option
@click.option("--wait", is_flag=True, help="Wait for its end; exit code 1 unless it is COMPLETED.")
@interval_option
@shared_options
@click.pass_obj
def evaluate_test_set(
    session: Session,
    test_set: str,
    base_models: tuple[str, ...],
    config_versions: tuple[str, ...],
    maximum_pages: int | None,
    maximum_cost: float | None,
    wait: bool,
    interval: float,
) -> int:
    """Ask models about a test set before anything is trained.

    Base models with the built-in prompt, and configuration versions as they are. The verdict is on the first, beside
    the second. Answers that are there are not paid for again.
    """
    with session.client() as client:
        begun = client.test_sets.evaluate(
            test_set,
            base_models=[model_id(client, name) or name for name in base_models],
            config_versions=config_versions,
            maximum_pages=maximum_pages,
            maximum_cost=maximum_cost,
        )
        if wait:
            with waiting(f"Evaluation {begun.number} of test set {test_set}"):
                begun = client.test_sets.wait_for_evaluation(test_set, begun.number, poll_interval=interval)
            session.say_stand_in(client)
    session.show(begun, baseline_lines(begun))
    return FAILED if wait and begun.status == "FAILED" else 0


@click.command("evaluation")
@_test_set
@click.option("--number", type=click.IntRange(min=1), metavar="N", help="Which evaluation (default: the latest).")
@report_files
@shared_options
@click.pass_obj
def test_set_evaluation(
    session: Session,
    test_set: str,
    number: int | None,
    csv_file: Path | None,
    jsonl: Path | None,
    html_file: Path | None,
) -> int:
    """Show how good models are on a test set as they are.

    With scores by class, and the pages that a person should look at: labels may be wrong.
    """
    require_one_output(session, csv_file, jsonl)
    with session.client() as client:
        found = client.test_sets.evaluation(test_set, number)
        if found.report is None:
            earlier = [f"--number {found.number - 1} shows the one before."] if found.number > 1 else []
            session.show(found, [*baseline_lines(found), *earlier])
            return FAILED
        session.say_stand_in(client)
        write_report(
            session,
            found.report,
            lambda: client.test_sets.evaluated_pages(test_set, found.number),
            evaluation_lines(found.report),
            stand_in=find_stand_in(client),
            csv_file=csv_file,
            jsonl=jsonl,
            html_file=html_file,
        )
    return 0
