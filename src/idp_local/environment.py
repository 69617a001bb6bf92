"""Region and account of the local runtime, and the environments of its processes."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

REGION = "us-east-1"
ACCOUNT_ID = "123456789012"  # moto's account
CONCURRENCY_LIMIT = 1000  # functions that run at once, in an ordinary account
CHECKOUT = Path(__file__).resolve().parents[2]

# Made up on purpose: the user's own credentials must not be used here.
CREDENTIALS: Mapping[str, str] = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}

# boto3 makes clients with a session that is not thread-safe.
_making_client = threading.Lock()

_KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def process_environment() -> dict[str, str]:
    """Return what a process needs to run, without any AWS setting or proxy of the user."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "PYTHONPATH": str(CHECKOUT / "src"), "PYTHONUNBUFFERED": "1", **_no_aws_files()}


def aws_environment(aws_url: str, bedrock_url: str | None = None) -> dict[str, str]:
    """Return region, made-up credentials and endpoints, as boto3 reads them."""
    variables = {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "AWS_ENDPOINT_URL": aws_url, **CREDENTIALS}
    if bedrock_url:
        variables |= {"AWS_ENDPOINT_URL_BEDROCK": bedrock_url, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME": bedrock_url}
    return variables


def forget_settings() -> None:
    """Remove the user's settings for AWS, deployments and proxies from this process: every call must stay local."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "IDP_")) or name.lower() in _PROXIES:
            del os.environ[name]
    os.environ.update(_no_aws_files())


def local_client(service: str, url: str) -> Any:
    """Return a boto3 client of the local account."""
    # Imported here: half a second that the processes which serve need not wait for.
    import boto3
    from botocore.config import Config

    with _making_client:
        make: Any = boto3.client  # its overloads know services by literal names
        return make(
            service,
            endpoint_url=url,
            region_name=REGION,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
            config=Config(proxies={}, s3={"addressing_style": "path"}, retries={"total_max_attempts": 3}),
        )


def _no_aws_files() -> dict[str, str]:
    return {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
