"""`classify`: the classes of a document's pages and the sections they make."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from idp_cli.api_names import in_cli_words
from idp_cli.files import read_text
from idp_cli.output import remark, table
from idp_cli.session import FAILED, Session, shared_options
from idp_cli.waiting import waiting

if TYPE_CHECKING:
    from idp_sdk import Classification


@click.command()
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--test-set", metavar="ID", help="Instead of PATH: a test set, with --document.")
@click.option("--document", metavar="PATH", help="Path of a document in the test set, for example claims/0001.pdf.")
@click.option("--config-version", metavar="NAME", help="Version to classify with (default: the active one).")
@click.option("--model", metavar="ID", help="Base model's id or custom model's deployment ARN instead.")
@click.option(
    "--page-text",
    "page_texts",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="FILE",
    help="Text of a page, for prompts with {DOCUMENT_TEXT}; once for each page, in order.",
)
@shared_options
@click.pass_obj
def classify(
    session: Session,
    path: Path | None,
    test_set: str | None,
    document: str | None,
    config_version: str | None,
    model: str | None,
    page_texts: tuple[Path, ...],
) -> int:
    """Classify the pages of a document.

    PATH is a PDF, PNG, JPEG, GIF, WebP, TIFF or BMP file. It is uploaded, and removed after 30 days.
    """
    if (path is None) == (test_set is None) or (test_set is None) != (document is None):
        raise click.UsageError("Give either PATH, or --test-set ID with --document PATH.")
    texts = [read_text(file) for file in page_texts]
    with session.client() as client:
        with waiting("Classifying ..."):
            found = client.classify(
                path,
                test_set_id=test_set,
                document_path=document,
                config_version=config_version,
                model=model,
                page_texts=texts or None,
            )
        session.show(found, classification_lines(found))
        for warning in found.warnings:
            remark(f"Warning: {in_cli_words(warning)}")
        session.say_stand_in(client)
    return 0 if found.status == "COMPLETED" else FAILED


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
        sections = [(_pages(item.start_page, item.end_page), item.class_name or "-") for item in found.sections]
        lines += ["", "Sections:", *(f"  {line}" for line in table([("PAGES", "CLASS"), *sections], right=(0,)))]
    if found.pages:
        pages = [(str(page.number), page.class_name or "-", page.boundary or "-") for page in found.pages]
        lines += ["", "Pages:", *(f"  {line}" for line in table([("PAGE", "CLASS", "BOUNDARY"), *pages], right=(0,)))]
    return lines


def _pages(start: int, end: int) -> str:
    return str(start) if start == end else f"{start}-{end}"
