"""`python -m stacks.protection protect|check`: the stack's termination protection, beside the CDK CLI.

The CLI switches it on before it executes the first change set, and then the retry of a first deployment that failed
cannot remove what that left (decision "Termination protection comes after a deployment that succeeded"). Options of the
CDK CLI that choose the stack (`-c name=value`, `--profile`) are understood, all others are left to it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from stacks.options import REGION, OptionInvalid, read_options

_CDK_JSON = Path(__file__).resolve().parent.parent / "cdk.json"
# The ends of a deployment that leave a stack as it was asked for, or as it was before (CloudFormation user guide,
# "Stack status codes").
DEPLOYED = frozenset(
    {"CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE"}
)


class CloudFormation(Protocol):
    """The calls of boto3's client that are needed."""

    def describe_stacks(self, *, StackName: str) -> Mapping[str, Any]:  # noqa: N803
        """Return `Stacks`, a list of one. Raises ClientError."""

    def update_termination_protection(self, *, StackName: str, EnableTerminationProtection: bool) -> object:  # noqa: N803
        """Switch it on or off. Raises ClientError."""


class ProtectionRefused(Exception):
    """What was asked for cannot be done; the message is for the operator."""


def protect(stack_name: str, cloudformation: CloudFormation) -> str:
    """Switch termination protection on and return what to print. Raises ProtectionRefused if nothing is deployed."""
    status = _describe(stack_name, cloudformation)["StackStatus"]
    if status not in DEPLOYED:
        raise ProtectionRefused(
            f"Stack {stack_name} is {status}: only a deployment that succeeded is protected. Run make deploy first."
        )
    cloudformation.update_termination_protection(StackName=stack_name, EnableTerminationProtection=True)
    return f"Stack {stack_name} is protected from removal. To lift it: {_lift(stack_name)}"


def check(stack_name: str, cloudformation: CloudFormation) -> str:
    """Return what to print before a removal. Raises ProtectionRefused if the stack is protected."""
    if _describe(stack_name, cloudformation).get("EnableTerminationProtection"):
        raise ProtectionRefused(
            f"Stack {stack_name} is protected from removal. If it shall be removed, lift the protection and run make "
            f"destroy again: {_lift(stack_name)}"
        )
    return f"Stack {stack_name} is not protected from removal."


def _describe(stack_name: str, cloudformation: CloudFormation) -> Mapping[str, Any]:
    try:
        (stack,) = cloudformation.describe_stacks(StackName=stack_name)["Stacks"]
    except ClientError as error:
        # CloudFormation has no error of its own for a stack that does not exist.
        if error.response.get("Error", {}).get("Code") == "ValidationError":
            raise ProtectionRefused(
                f"There is no stack {stack_name} in {REGION}. Pass the options that it was deployed with in CDKFLAGS."
            ) from error
        raise
    found: Mapping[str, Any] = stack
    return found


def _lift(stack_name: str) -> str:
    return (
        f"aws cloudformation update-termination-protection --region {REGION} --stack-name {stack_name} "
        "--no-enable-termination-protection"
    )


def read_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Return `action`, `context` (a list of `name=value`) and `profile`; other options are ignored."""
    parser = argparse.ArgumentParser(prog="python -m stacks.protection", allow_abbrev=False)
    parser.add_argument("action", choices=["protect", "check"])
    parser.add_argument("-c", "--context", action="append", default=[])
    parser.add_argument("--profile")
    return parser.parse_known_args(arguments)[0]


def find_stack_name(context: Sequence[str], environment: Mapping[str, str]) -> str:
    """Return the name of the stack that cdk.json and these changes deploy. Raises OptionInvalid."""
    shipped: dict[str, Any] = json.loads(_CDK_JSON.read_text(encoding="utf-8"))["context"]
    changes = dict(change.partition("=")[::2] for change in context)
    return read_options({**shipped, **changes}, environment).name_prefix


def main() -> None:
    """Print one sentence, and exit with 1 if what was asked for cannot be done."""
    arguments = read_arguments(sys.argv[1:])
    try:
        stack_name = find_stack_name(arguments.context, os.environ)
        session = boto3.Session(profile_name=arguments.profile, region_name=REGION)
        cloudformation: Any = session.client("cloudformation")  # type: ignore[call-overload, unused-ignore]
        print({"protect": protect, "check": check}[arguments.action](stack_name, cloudformation))
    except (OptionInvalid, ProtectionRefused, BotoCoreError, ClientError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
