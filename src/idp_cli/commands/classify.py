"""`classify`: the classes of a document's pages and the sections they make, or of many documents as a table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from idp_cli.api_names import in_cli_words
from idp_cli.classifying import classify_all, pages, show_pages
from idp_cli.completing import complete_models, complete_test_sets, complete_versions
from idp_cli.files import STDOUT, read_text
from idp_cli.model_names import model_id
from idp_cli.output import remark, table
from idp_cli.session import FAILED, Session, shared_options
from idp_cli.waiting import waiting

if TYPE_CHECKING:
    from idp_sdk import Classification


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path), metavar="[PATH]...")
@click.option(
    "--test-set", metavar="ID", shell_complete=complete_test_sets, help="Instead of PATH: a test set, with --document."
)
@click.option("--document", metavar="PATH", help="Path of a document in the test set, for example claims/0001.pdf.")
@click.option(
    "--config-version",
    metavar="NAME",
    shell_complete=complete_versions,
    help="Version to classify with (default: the active one).",
)
@click.option("--model", metavar="ID", shell_complete=complete_models, help="Model to use instead: id, ARN or name.")
@click.option(
    "--page-text",
    "page_texts",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="Text of a page, for prompts with {DOCUMENT_TEXT}; once for each page, in order.",
)
@click.option(
    "--csv",
    "csv_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write a row for each section; - is stdout.",
)
@click.option(
    "--jsonl",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write a line of JSON for each document; - is stdout.",
)
@shared_options
@click.pass_obj
def classify(
    session: Session,
    paths: tuple[Path, ...],
    test_set: str | None,
    document: str | None,
    config_version: str | None,
    model: str | None,
    page_texts: tuple[Path, ...],
    csv_file: Path | None,
    jsonl: Path | None,
) -> int:
    """Classify the pages of documents, or of a folder.

    PATH is a PDF, PNG, JPEG, GIF, WebP, TIFF or BMP file, or a folder of such files. Each is uploaded, and removed
    after 30 days. Several documents are classified one after the other; one that fails does not end the rest.
    """
    if bool(paths) == (test_set is not None) or (test_set is None) != (document is None):
        raise click.UsageError("Give either PATH, or --test-set ID with --document PATH.")
    if csv_file == jsonl == STDOUT or (session.json and STDOUT in (csv_file, jsonl)):
        raise click.UsageError("Only one of --json, --csv and --jsonl can be written to stdout.")
    from idp_sdk.uploads.local_files import is_folder

    with session.client() as client:
        settings: dict[str, Any] = {"config_version": config_version, "model": model_id(client, model)}
        if len(paths) > 1 or csv_file or jsonl or any(map(is_folder, paths)):
            if page_texts:
                raise click.UsageError("--page-text is for one document alone.")
            code = classify_all(session, client, paths, test_set, document, settings, csv_file, jsonl)
        else:
            texts = [read_text(file) for file in page_texts]
            path = paths[0] if paths else None
            source: dict[str, Any] = {"test_set_id": test_set, "document_path": document, "page_texts": texts or None}
            with waiting("Classifying ...") as shown:
                found = client.classify(path, **source, **settings, progress=show_pages(shown))
            session.show(found, classification_lines(found))
            for warning in found.warnings:
                remark(f"Warning: {in_cli_words(warning)}")
            code = 0 if found.status == "COMPLETED" else FAILED
        session.say_stand_in(client)
    return code


def classification_lines(found: Classification) -> list[str]:
    """Return the classification with its sections, then its pages."""
    lines = [
        "Classification:",
        f"  Document: {found.document}",
        f"  Status: {found.status}",
        f"  Model: {found.model_name}",
    ]
    if found.config_version:
        lines.append(f"  Configuration Version: {found.config_version}")
    if found.error_message:
        lines += ["", f"Error: {in_cli_words(found.error_message)}"]
    if found.sections:
        sections = [(pages(item.start_page, item.end_page), item.class_name or "-") for item in found.sections]
        lines += ["", "Sections:", *(f"  {line}" for line in table([("PAGES", "CLASS"), *sections], right=(0,)))]
    if found.pages:
        rows = [(str(page.number), page.class_name or "-", page.boundary or "-") for page in found.pages]
        lines += ["", "Pages:", *(f"  {line}" for line in table([("PAGE", "CLASS", "BOUNDARY"), *rows], right=(0,)))]
    return lines
