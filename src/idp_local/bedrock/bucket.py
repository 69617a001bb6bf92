"""Reads and writes the S3 objects of a customization job, always at a local endpoint."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

# What S3 calls can raise: refused, or not reached.
S3_ERRORS = (ClientError, BotoCoreError)

_PROBE = ".write_access_check_file.tmp"


class Location(NamedTuple):
    """Bucket and key of an S3 URI."""

    bucket: str
    key: str


def parse(uri: str) -> Location:
    """`s3://bucket/key` in its two parts; the key may be empty."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return Location(bucket, key)


def local_endpoint() -> str:
    """The S3 endpoint of the environment; ValueError without one, for this server must never reach AWS itself."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if not endpoint:
        raise ValueError("The local Bedrock reads from a local S3: set AWS_ENDPOINT_URL.")
    return endpoint


def s3_client(endpoint: str, region: str) -> Any:
    """A client for that endpoint, with made-up credentials: real ones have no business here."""
    # A session of its own: threads must not make clients with one.
    return boto3.Session().client(
        "s3",
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id="local-bedrock",
        aws_secret_access_key="local-bedrock",  # noqa: S106
        config=Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 2}),
    )


def check_write_access(s3: Any, output_uri: str) -> None:
    """Writes and deletes the probe object that Bedrock writes at submission; raises one of S3_ERRORS where refused."""
    bucket, prefix = parse(output_uri)
    key = f"{prefix.rstrip('/')}/{_PROBE}".lstrip("/")
    s3.put_object(Bucket=bucket, Key=key, Body=b"")
    s3.delete_object(Bucket=bucket, Key=key)


def read(s3: Any, location: Location) -> bytes:
    """A whole object; raises one of S3_ERRORS."""
    body: bytes = s3.get_object(Bucket=location.bucket, Key=location.key)["Body"].read()
    return body


def read_lines(s3: Any, location: Location) -> Iterator[bytes]:
    """An object line by line, without line ends; raises one of S3_ERRORS."""
    lines: Iterator[bytes] = s3.get_object(Bucket=location.bucket, Key=location.key)["Body"].iter_lines(
        chunk_size=65536
    )
    yield from lines
