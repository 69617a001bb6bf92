"""Run the local Bedrock (`python -m idp_local.bedrock`) until interrupted, or until stdin ends."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from idp_local.bedrock.foundation_models import DEFAULT_FINE_TUNABLE, MODELS
from idp_local.bedrock.server import BedrockServer
from idp_local.bedrock.state import FORM
from idp_local.bedrock.switches import DEFAULTS, Switches
from idp_local.state_file import UNREADABLE, StateFile, StateUnreadable


def main(arguments: list[str] | None = None) -> int:
    """Print the address once the server listens, then serve."""
    parser = argparse.ArgumentParser(
        prog="python -m idp_local.bedrock",
        description="Local stand-in for Amazon Bedrock. It reads training data from the S3 at AWS_ENDPOINT_URL.",
    )
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument(
        "--seconds-per-phase", type=float, default=1.0, help="least time in each phase of a job, and in Creating"
    )
    parser.add_argument(
        "--model",
        action="append",
        choices=sorted(MODELS),
        help="a model the account can fine-tune; repeat for more",
    )
    parser.add_argument(
        "--switches",
        type=Switches.model_validate_json,
        default=DEFAULTS,
        metavar="JSON",
        help="how it behaves if AWS does not document it; see docs/bedrock-answers.md",
    )
    parser.add_argument("--exit-with-stdin", action="store_true", help="end when stdin reaches its end")
    parser.add_argument("--state", type=Path, metavar="FILE", help="begin with this state and store it at the end")
    options = parser.parse_args(arguments)
    ended = threading.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: ended.set())
    if options.exit_with_stdin:
        threading.Thread(target=_watch_stdin, args=(ended,), daemon=True).start()
    try:
        server = BedrockServer(
            options.port,
            seconds_per_phase=options.seconds_per_phase,
            fine_tunable=options.model or DEFAULT_FINE_TUNABLE,
            switches=options.switches,
            state=StateFile(options.state, form=FORM) if options.state else None,
        )
    except StateUnreadable:
        print(UNREADABLE, flush=True)
        return 1
    with server:
        print(server.url, flush=True)
        ended.wait()
    return 0


def _watch_stdin(ended: threading.Event) -> None:
    # Not through sys.stdin: its lock, held by a waiting thread, would break a regular end.
    while os.read(0, 1024):
        pass
    ended.set()


if __name__ == "__main__":
    sys.exit(main())
