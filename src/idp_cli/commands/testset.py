"""`testset`: labelled documents for fine-tuning."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from idp_cli.commands.baseline import evaluate_test_set, test_set_evaluation
from idp_cli.completing import complete_test_sets
from idp_cli.noun import Noun
from idp_cli.output import remark, table
from idp_cli.session import INTERRUPTED, Session, shared_options
from idp_cli.times import moment
from idp_cli.uploading import upload_progress

if TYPE_CHECKING:
    from idp_sdk import TestSet


_layout = click.option(
    "--layout",
    type=click.Choice(["auto", "classes", "accelerator"]),
    default="auto",
    show_default=True,
    help="How the folder is labelled.",
)


@click.group(cls=Noun)
def testset() -> None:
    """Test sets: upload labelled documents, add to them, list, evaluate models on them, delete."""


@testset.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--name", required=True, help="Name of letters, digits, spaces, _ and -, at most 50; the id is made of it."
)
@click.option("--description", default="", metavar="TEXT", help="What the test set contains.")
@_layout
@shared_options
@click.pass_obj
def upload(session: Session, path: Path, name: str, description: str, layout: str) -> None:
    """Upload a folder of labelled documents.

    PATH has one folder for each class (`invoice/march/1.pdf` is an invoice), or `input/` and `baseline/` in the
    accelerator's layout. An upload that was interrupted sends only what is missing when it is run again; no job can use
    the test set until all files are there.
    """
    from idp_sdk.uploads.folders import Layout

    with _say_how_to_go_on("The test set is not complete."), session.client() as client, upload_progress() as progress:
        made = client.test_sets.upload(
            path,
            name=name,
            description=description,
            layout=Layout(layout),
            progress=progress,
            on_ignored=lambda ignored: remark(f"Not uploaded: {ignored.path} ({ignored.reason})"),
        )
    session.show(
        made,
        [
            "Test set uploaded:",
            f"  ID: {made.id}",
            f"  Documents: {made.file_count}",
            f"  Status: {made.status}",
            "",
            "Check it with:",
            f"  idp-cli finetuning validate --test-set {made.id}",
        ],
    )


@testset.command()
@click.argument("test_set", metavar="ID", shell_complete=complete_test_sets)
@click.argument("path", type=click.Path(path_type=Path))
@_layout
@shared_options
@click.pass_obj
def add(session: Session, test_set: str, path: Path, layout: str) -> None:
    """Add a folder of labelled documents to a test set.

    Makes its next version; jobs that run, and what was trained before, keep theirs. PATH is a folder as `upload` takes
    it. An addition that was interrupted continues when it is run again.
    """
    from idp_sdk.uploads.folders import Layout

    with (
        _say_how_to_go_on("The test set is unchanged so far."),
        session.client() as client,
        upload_progress() as progress,
    ):
        revised = client.test_sets.add(
            test_set,
            path,
            layout=Layout(layout),
            progress=progress,
            on_ignored=lambda ignored: remark(f"Not uploaded: {ignored.path} ({ignored.reason})"),
        )
    session.show(revised, version_lines(revised))


@testset.command()
@click.argument("test_set", metavar="ID", shell_complete=complete_test_sets)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@shared_options
@click.pass_obj
def remove(session: Session, test_set: str, paths: tuple[str, ...]) -> None:
    """Remove documents from a test set.

    Makes its next version; jobs that run, and what was trained before, keep theirs. PATH is a document's path in the
    test set, for example invoice/1.pdf.
    """
    with session.client() as client:
        revised = client.test_sets.remove(test_set, paths)
    session.show(revised, version_lines(revised))


@testset.command("list")
@shared_options
@click.pass_obj
def list_test_sets(session: Session) -> None:
    """List test sets, newest first."""
    with session.client() as client:
        found = list(client.test_sets.list())
    session.show(found, test_set_lines(found))


@testset.command()
@click.argument("test_set", metavar="ID", shell_complete=complete_test_sets)
@shared_options
@click.pass_obj
def delete(session: Session, test_set: str) -> None:
    """Delete a test set with its documents.

    Jobs made from it stay.
    """
    with session.client() as client:
        deleted = client.test_sets.delete(test_set)
    session.show(deleted, [f"Test set '{test_set}' is being deleted, with its documents."])


@contextmanager
def _say_how_to_go_on(state: str) -> Iterator[None]:
    """Say how an upload that is interrupted continues."""
    from idp_sdk.errors import ConnectionFailed, ServerError, SessionExpired

    try:
        yield
    except (KeyboardInterrupt, ConnectionFailed, ServerError, SessionExpired) as end:
        remark(f"{state} Run the same command again: only what is missing is sent.")
        if isinstance(end, KeyboardInterrupt):
            raise click.exceptions.Exit(INTERRUPTED) from None
        raise


def version_lines(revised: TestSet) -> list[str]:
    """Return a line that says which version a test set has now."""
    documents = "1 document" if revised.file_count == 1 else f"{revised.file_count} documents"
    return [f"Test set '{revised.id}' is version {revised.version}, with {documents}."]


def test_set_lines(found: Iterable[TestSet]) -> list[str]:
    """Return a table of test sets, or a sentence if there are none."""
    rows = [(item.id, item.name, item.status, str(item.file_count), moment(item.created_at)) for item in found]
    if not rows:
        return ["No test sets yet. Upload one with: idp-cli testset upload FOLDER --name NAME"]
    return table([("ID", "NAME", "STATUS", "DOCUMENTS", "CREATED"), *rows], right=(3,))


for _command in (evaluate_test_set, test_set_evaluation):
    testset.add_command(_command)
