"""The demo as a command: starts the local runtime, runs the story, and ends with its exit code."""

from __future__ import annotations

import argparse
import time
from contextlib import ExitStack
from pathlib import Path

from idp_cli.output import escape_unencodable, print_lines
from idp_cli.session import STAND_IN
from idp_cli.waiting import waiting
from idp_local.client import client_for
from idp_local.demo.failure import DemoFailed
from idp_local.demo.story import DEMO_MODEL, DEMO_SPLIT, Material, Outcome, Story
from idp_local.demo.wording import section
from idp_local.documents.class_folders import read_class_folders
from idp_local.documents.generator import demo_test_set, unseen_documents
from idp_local.errors import LocalRuntimeError
from idp_local.runtime import LocalRuntime
from idp_sdk import IDPError

DIRECTORY = Path(".idp-local/demo")
USER = "author@example.com"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the demo's options."""
    parser.add_argument(
        "--docs",
        type=Path,
        metavar="FOLDER",
        help="your own documents: a folder with one folder of files for each class (default: invented documents)",
    )
    parser.add_argument(
        "--directory", type=Path, default=DIRECTORY, help=f"where the local runtime keeps its files ({DIRECTORY})"
    )


def run(args: argparse.Namespace) -> int:
    """Return 0 if the job is COMPLETED, and with invented documents if its model is proven better; otherwise 1."""
    escape_unencodable()
    began = time.monotonic()
    try:
        material = _material(args.docs)
        outcome = _run(material, args.directory)
        if args.docs is None:
            outcome.require_better()
    except (DemoFailed, IDPError, LocalRuntimeError) as error:
        print_lines(section(f"The demo failed: {error}"))
        return 1
    minutes, seconds = divmod(round(time.monotonic() - began), 60)
    print_lines(section(f"The job completed in {minutes}:{seconds:02d} minutes."))
    print_lines([f"({STAND_IN})"])
    return 0


def _material(docs: Path | None) -> Material:
    if docs is not None:
        found = read_class_folders(docs)
        return Material(name="Own documents", documents=found.documents, ignored=found.ignored)
    with waiting("Drawing the documents ..."):
        return Material(
            name="Demo",
            documents=demo_test_set(),
            unseen=unseen_documents(),
            base_model=DEMO_MODEL,
            train_split=DEMO_SPLIT,
        )


def _run(material: Material, directory: Path) -> Outcome:
    with ExitStack() as ending:
        with waiting("Starting the local runtime ..."):
            connection = ending.enter_context(LocalRuntime(directory, port=0)).connection
        client = ending.enter_context(client_for(connection, USER))
        print_lines([f"Local runtime: {connection.graphql_url}"])
        return Story(client, directory / "report.html").run(material)
