"""The command `idp-local`: `up` runs the local runtime, `demo` shows it all, `documents` writes some to try with."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from idp_local.child import exit_on_signals
from idp_local.connection import FILE_NAME, Connection
from idp_local.environment import forget_settings
from idp_local.errors import LocalRuntimeError

if TYPE_CHECKING:
    from idp_local.bedrock.switches import Switches

DIRECTORY = Path(".idp-local")
KEPT = "Ctrl-C ends it. Jobs, test sets and models are kept for the next start with --keep."
NOT_KEPT = "Ctrl-C ends it. Users and sign-ins are kept; start with --keep to keep jobs, test sets and models, too."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    options = _parser(words[0] if words else "").parse_args(words)
    forget_settings()
    exit_on_signals()
    try:
        return _COMMANDS[options.command](options)
    except LocalRuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser(command: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="idp-local", description="Runs schema, state machines and Lambda code on this machine, without AWS."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = commands.add_parser("up", help="run the local runtime with GraphiQL until Ctrl-C")
    up.add_argument(
        "--port",
        type=int,
        default=4000,
        help="port of the API; AWS services and Bedrock stand-in have the next two; 0 takes free ones (default: 4000)",
    )
    up.add_argument("--keep", action="store_true", help="begin with what the last `up --keep` ended with")
    _add_bedrock_options(up)
    demo = commands.add_parser("demo", help="fine-tune, deploy and measure a classifier on invented or own documents")
    if command == "demo":
        from idp_local.demo.command import add_arguments  # its imports are heavy; `up` need not wait for them

        add_arguments(demo)
    documents = commands.add_parser("documents", help="write invented documents with their labels, to try it with")
    documents.add_argument("directory", type=Path, metavar="FOLDER", help="a new folder")
    return parser


def _add_bedrock_options(up: argparse.ArgumentParser) -> None:
    behaviour = up.add_mutually_exclusive_group()
    behaviour.add_argument(
        "--switches", metavar="JSON", help="how the Bedrock stand-in behaves; see docs/bedrock-answers.md"
    )
    behaviour.add_argument(
        "--answers",
        type=Path,
        metavar="FILE",
        help="the Bedrock stand-in behaves as a real account did: a file that `make smoke` wrote",
    )


def _read_switches(options: argparse.Namespace) -> Switches | None:
    """Return the switches that the options give, or None. Raises LocalRuntimeError if they cannot be read."""
    if options.switches is None and options.answers is None:
        return None
    from pydantic import ValidationError

    from idp_local.bedrock.answers import Answers
    from idp_local.bedrock.switches import Switches

    try:
        if options.switches is not None:
            return Switches.model_validate_json(options.switches)
        return Answers.model_validate_json(options.answers.read_text(encoding="utf-8")).switches()
    except (OSError, ValidationError) as error:
        source = options.answers or "--switches"
        raise LocalRuntimeError(f"{source} cannot be used: {error} See docs/bedrock-answers.md.") from error


def _demo(options: argparse.Namespace) -> int:
    from idp_local.demo.command import run

    return run(options)


def _documents(options: argparse.Namespace) -> int:
    from idp_local.documents.sample_folder import LABELLED, NEW, write_sample_folder

    labelled, new = write_sample_folder(options.directory)
    print(f"{options.directory / LABELLED}  {labelled} documents with labels, enough for every base model")
    print(f"{options.directory / NEW}  {new} documents to classify")
    print(
        f"Next: idp-cli testset upload {shlex.quote(str(options.directory / LABELLED))} --name samples", file=sys.stderr
    )
    return 0


def _up(options: argparse.Namespace) -> int:
    from idp_local.runtime import LocalRuntime

    switches = _read_switches(options)
    print("Starting the local runtime ...", flush=True)
    with LocalRuntime(DIRECTORY, options.port, keep=options.keep, switches=switches) as runtime:
        if switches:
            print(f"Bedrock switches      {switches.changed() or 'all as by default'}")
        print(_describe(runtime.connection), flush=True)
        print(KEPT if options.keep else NOT_KEPT, flush=True)
        try:
            while True:
                signal.pause()
        except KeyboardInterrupt:
            print("\nEnding.")
    return 0


def _describe(connection: Connection) -> str:
    users = (f"  {user.username:<22} {user.password:<28} {user.group or 'no group'}" for user in connection.users)
    return "\n".join(
        (
            f"GraphQL and GraphiQL  {connection.graphql_url}",
            f"AWS services          {connection.aws_endpoint_url}",
            f"Bedrock stand-in      {connection.bedrock_endpoint_url}",
            f"Addresses and names   {DIRECTORY / FILE_NAME}",
            f"Logs                  {DIRECTORY / 'logs'}",
            "Users, passwords and groups:",
            *users,
        )
    )


_COMMANDS = {"up": _up, "demo": _demo, "documents": _documents}
