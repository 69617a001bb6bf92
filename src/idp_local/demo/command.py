"""The demo as a command: starts the local runtime, tells the story, and judges it by its exit code."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from idp_local.client import client_for
from idp_local.demo.console import Console
from idp_local.demo.failure import DemoFailed
from idp_local.demo.story import DEMO_MODEL, Material, Story
from idp_local.demo.wording import STAND_IN
from idp_local.documents.class_folders import read_class_folders
from idp_local.documents.generator import demo_test_set, unseen_documents
from idp_local.environment import local_client
from idp_local.errors import LocalRuntimeError
from idp_local.runtime import LocalRuntime
from idp_sdk import IDPError

DIRECTORY = Path(".idp-local/demo")
USER = "author@example.com"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The demo's options."""
    parser.add_argument(
        "--docs",
        type=Path,
        metavar="FOLDER",
        help="your own documents: a folder that holds one folder of files for each class (default: invented documents)",
    )
    parser.add_argument(
        "--directory", type=Path, default=DIRECTORY, help=f"where the local runtime keeps its files ({DIRECTORY})"
    )


def run(args: argparse.Namespace) -> int:
    """0 where the job COMPLETED and the custom model beats the majority class on held-out pages, otherwise 1."""
    console = Console()
    begun = time.monotonic()
    try:
        material = _material(args.docs, console)
        _tell(material, args.directory, console)
    except (DemoFailed, IDPError, LocalRuntimeError) as error:
        console.section(f"The demo failed: {error}")
        return 1
    minutes, seconds = divmod(round(time.monotonic() - begun), 60)
    console.section(f"The job completed and its model beats the majority class, in {minutes}:{seconds:02d} minutes.")
    console.say(f"({STAND_IN})")
    return 0


def _material(docs: Path | None, console: Console) -> Material:
    if docs is not None:
        found = read_class_folders(docs)
        return Material(name="Own documents", documents=found.documents, ignored=found.ignored)
    console.live("Drawing the documents")
    return Material(name="Demo", documents=demo_test_set(), unseen=unseen_documents(), base_model=DEMO_MODEL)


def _tell(material: Material, directory: Path, console: Console) -> None:
    console.live("Starting the local runtime")
    with LocalRuntime(directory, port=0) as runtime, client_for(runtime.connection, USER) as client:
        connection = runtime.connection
        console.say(f"Local runtime: {connection.graphql_url}")
        story = Story(
            client,
            local_client("s3", connection.aws_endpoint_url),
            local_client("bedrock-runtime", connection.bedrock_endpoint_url),
            connection.data_bucket,
            console,
        )
        story.tell(material).check()
