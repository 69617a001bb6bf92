"""Classify many documents, one after the other, and write each result as it comes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from idp_cli.api_names import in_cli_words
from idp_cli.files import STDOUT, Rows, rows_of
from idp_cli.output import print_lines, remark
from idp_cli.session import FAILED, INTERRUPTED, Session
from idp_cli.waiting import Waiting, waiting

if TYPE_CHECKING:
    from idp_sdk import Classification, IDPClient
    from idp_sdk.classification import FoundFile

COLUMNS = ("document", "status", "class", "start_page", "end_page", "model", "error", "classification_id")
# Errors that the other documents would meet, too.
_CONCERNS_ALL = (
    "ConnectionFailed",
    "NotConfigured",
    "SessionExpired",
    "SignInFailed",
    "Unauthorized",
    "ConfigVersionNotFound",
)

_Write = Callable[[str, "Classification | None", "str | None"], None]


def classify_all(
    session: Session,
    client: IDPClient,
    paths: Sequence[Path],
    test_set: str | None,
    document: str | None,
    settings: dict[str, Any],
    csv_file: Path | None,
    jsonl: Path | None,
) -> int:
    """Classify one document after the other, and write each result as it comes."""
    from idp_sdk.classification import find_documents
    from idp_sdk.errors import IDPError

    files = list(find_documents(paths))
    sources: list[tuple[str, dict[str, Any]]] = [(str(found.path), {"path": found.path}) for found in _usable(files)]
    if test_set is not None:
        sources = [(str(document), {"test_set_id": test_set, "document_path": document})]
    done: list[Classification] = []
    failed = 0
    with _outputs(session, csv_file, jsonl) as write, waiting("Classifying ...") as shown:
        try:
            for number, (name, source) in enumerate(sources, 1):
                beginning = f"{number} of {len(sources)}: {name}"
                shown.say(beginning)
                try:
                    found = client.classify(**source, **settings, progress=show_pages(shown, beginning))
                except IDPError as error:
                    if _concerns_all(error):
                        remark(f"{len(sources) - number + 1} documents are left. Name them again to go on.")
                        raise
                    failed += 1
                    remark(f"{name}: {in_cli_words(error.message)}")
                    write(name, None, in_cli_words(error.message))
                    continue
                failed += found.status != "COMPLETED"
                if found.error_message:
                    remark(f"{name}: {in_cli_words(found.error_message)}")
                for warning in found.warnings:
                    remark(f"{name}: Warning: {in_cli_words(warning)}")
                done.append(found)
                write(name, found, None)
        except KeyboardInterrupt:
            remark(f"Interrupted: {len(done) + failed} of {len(sources)} documents were classified.")
            raise click.exceptions.Exit(INTERRUPTED) from None
    if session.json:
        session.show(done, [])
    remark(f"{len(sources) - failed} of {len(sources)} documents were classified, {failed} failed.")
    return FAILED if failed else 0


def _usable(files: Sequence[FoundFile]) -> Iterator[FoundFile]:
    for found in files:
        if found.reason:
            remark(f"Not classified: {found.path} ({found.reason})")
        else:
            yield found


def _concerns_all(error: Exception) -> bool:
    """Return whether the other documents would fail in the same way."""
    from idp_sdk import errors

    return isinstance(error, tuple(getattr(errors, kind) for kind in _CONCERNS_ALL))


@contextmanager
def _outputs(session: Session, csv_file: Path | None, jsonl: Path | None) -> Iterator[_Write]:
    """Return a function that writes a document's result, or why there is none, to all outputs that were asked for."""
    with ExitStack() as stack:
        in_csv = stack.enter_context(rows_of(csv_file)) if csv_file else None
        in_lines = stack.enter_context(rows_of(jsonl)) if jsonl else None
        if in_csv:
            in_csv.csv([COLUMNS])

        def write(name: str, found: Classification | None, error: str | None) -> None:
            rows = list(_rows(name, found, error))
            if in_csv:
                in_csv.csv(rows)
            if in_lines:
                _write_line(in_lines, name, found, error)
            if not (session.json or STDOUT in (csv_file, jsonl)):
                print_lines(f"{row[0]}  {_where(row[3], row[4])}  {row[2] or row[1]}" for row in rows)

        yield write


def _rows(name: str, found: Classification | None, error: str | None) -> Iterator[tuple[Any, ...]]:
    if found is None:
        yield (name, "FAILED", "", "", "", "", error, "")
        return
    end = (found.model_name, in_cli_words(found.error_message or ""), found.id)
    if not found.sections:
        yield (name, found.status, "", "", "", *end)
    for section in found.sections:
        yield (name, found.status, section.class_name or "", section.start_page, section.end_page, *end)


def _write_line(out: Rows, name: str, found: Classification | None, error: str | None) -> None:
    known = found.model_dump(mode="json", by_alias=True) if found else {"status": "FAILED", "errorMessage": error}
    out.json_line({"path": name, **known})


def _where(start: object, end: object) -> str:
    return pages(start, end) if isinstance(start, int) else "-"


def show_pages(shown: Waiting, beginning: str = "Classifying ...") -> Callable[[Classification], None]:
    """Return what shows the pages done of a document."""

    def show(found: Classification) -> None:
        if found.page_count:
            shown.say(f"{beginning} page {found.pages_done} of {found.page_count}")

    return show


def pages(start: object, end: object) -> str:
    """Return `1-3`, or `1` if that is all."""
    return str(start) if start == end else f"{start}-{end}"
