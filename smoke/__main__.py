"""`make smoke`: asks the real Bedrock what its documentation leaves open, and records its answers."""

from __future__ import annotations

import argparse
import sys
from functools import cache, partial
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from idp_local.documents.generator import demo_test_set
from smoke.run import REGION, SmokeRun
from smoke.state import StateFile
from smoke.steps import Step

ROOT = Path(__file__).resolve().parents[1]
STATE = ROOT / ".bedrock-smoke.json"
ANSWERS = ROOT / "docs" / "bedrock-answers"


def main() -> int:
    """Run until all is asked; return 0, or 1 if AWS cannot be used."""
    parser = argparse.ArgumentParser(prog="make smoke", description=__doc__)
    parser.add_argument("--yes", action="store_true", help="agree to every step that costs money; needs a terminal too")
    parser.add_argument("--profile", help="profile of your AWS configuration")
    parser.add_argument("--bucket", help="a bucket in us-east-1 to use instead of one made for the run")
    parser.add_argument("--role", help="ARN of the role that Bedrock assumes, with --bucket")
    options = parser.parse_args()
    if bool(options.bucket) != bool(options.role):
        parser.error("--bucket and --role belong together")
    file = StateFile(STATE)
    if options.bucket and not file.state.bucket:
        file.change(bucket=options.bucket, role_arn=options.role)
    session = boto3.Session(profile_name=options.profile, region_name=REGION)
    run = SmokeRun(
        file,
        ANSWERS,
        partial(make_client, session),
        cache(demo_test_set),
        consent=partial(agree, everything=options.yes),
        say=partial(print, flush=True),
    )
    try:
        run.run()
    except KeyboardInterrupt:
        print("\nInterrupted. `make smoke` goes on where it was; what it made in AWS is still there.")
        return 130
    except (ClientError, BotoCoreError) as error:
        print(f"AWS refused a call: {error} `make smoke` goes on where it was.", file=sys.stderr)
        return 1
    return 0


def make_client(session: Any, service: str) -> Any:
    """Return a client that repeats no call of Bedrock by itself: a repetition is a question of its own."""
    attempts = 1 if service.startswith("bedrock") else 4
    return session.client(service, config=Config(retries={"mode": "standard", "total_max_attempts": attempts}))


def agree(step: Step, *, everything: bool) -> bool:
    """Ask whether to pay for a step; no without a terminal."""
    if not sys.stdin.isatty():
        return False
    question = f"{step.title}: costs up to about ${step.dollars:.2f}."
    if everything:
        print(question)
        return True
    return input(f"{question} Go on? (y/N) ").strip().lower() in ("y", "yes")


if __name__ == "__main__":
    sys.exit(main())
