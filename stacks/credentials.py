"""`python -m stacks.credentials`: ends with a sentence if there are no AWS credentials, before anything is built."""

from __future__ import annotations

import sys

import boto3
from botocore.exceptions import BotoCoreError

NONE = (
    "There are no AWS credentials. Sign in with `aws sso login`, set AWS_PROFILE, or set AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY; then run this again."
)


def find_problem(session: boto3.Session) -> str | None:
    """Return what keeps the CDK CLI from using AWS, or None."""
    try:
        return None if session.get_credentials() else NONE
    except BotoCoreError as error:
        return f"The AWS credentials cannot be used: {error} Correct that, then run this again."


if __name__ == "__main__":
    try:
        sys.exit(find_problem(boto3.Session()))
    except BotoCoreError as error:  # a profile that does not exist
        sys.exit(f"The AWS credentials cannot be used: {error}. Correct that, then run this again.")
