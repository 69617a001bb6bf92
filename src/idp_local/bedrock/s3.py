"""The S3 objects of a customization job, read and written at a local endpoint."""

from __future__ import annotations

import csv
import io
import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import fmean
from typing import Any, Literal, NamedTuple

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from idp_local.bedrock.trainer import Pass

# What S3 calls can raise: refused, or not reached.
S3_ERRORS = (ClientError, BotoCoreError)

# The files of a finished job (Bedrock user guide, "model-customization-analyze").
TRAINING_METRICS = "training_artifacts/step_wise_training_metrics.csv"
VALIDATION_METRICS = "validation_artifacts/post_fine_tuning_validation/validation_metrics.csv"

_RECORD_COUNTS = (
    "fileName",
    "totalProcessedRecordCount",
    "acceptedRecordCount",
    "partiallyAcceptedRecordCount",
    "rejectedRecordCount",
)

_PROBE = ".write_access_check_file.tmp"


SlashEcho = Literal["as given", "with slash", "without slash"]


class Location(NamedTuple):
    """Bucket and key of an S3 URI."""

    bucket: str
    key: str


def parse_uri(uri: str) -> Location:
    """Split `s3://bucket/key`; the key may be empty."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return Location(bucket, key)


def echo_prefix(uri: str, echo: SlashEcho) -> str:
    """Return the URI of a prefix as a response shows it."""
    if echo == "as given":
        return uri
    return uri.rstrip("/") + ("/" if echo == "with slash" else "")


def local_endpoint() -> str:
    """Return the S3 endpoint of the environment; ValueError without one: this server must never reach AWS itself."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    if not endpoint:
        raise ValueError("The local Bedrock reads from a local S3. Set AWS_ENDPOINT_URL to its address.")
    return endpoint


def s3_client(endpoint: str, region: str) -> Any:
    """Return a client for that endpoint, with made-up credentials: real ones have no business here."""
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
    """Write and delete the probe object that Bedrock writes at submission; raises one of S3_ERRORS."""
    bucket, key = _below(output_uri, _PROBE)
    s3.put_object(Bucket=bucket, Key=key, Body=b"")
    s3.delete_object(Bucket=bucket, Key=key)


def read(s3: Any, location: Location) -> bytes:
    """Return a whole object; raises one of S3_ERRORS."""
    body: bytes = s3.get_object(Bucket=location.bucket, Key=location.key)["Body"].read()
    return body


def read_pieces(s3: Any, location: Location) -> Iterator[bytes]:
    """Yield an object in pieces of 64 KB; raises one of S3_ERRORS."""
    yield from s3.get_object(Bucket=location.bucket, Key=location.key)["Body"].iter_chunks(65536)


def write_metrics(s3: Any, output_uri: str, job_arn: str, passes: Sequence[Pass]) -> None:
    """Write the loss curves below `<output_uri>/model-customization-job-<id>/`; raises one of S3_ERRORS.

    The validation file exists only if there was a validation set; of several sets it has the mean loss.
    """
    tables = {TRAINING_METRICS: _table("training_loss", [(one, one.training_loss) for one in passes])}
    if all(one.validation_losses for one in passes):
        measured = [(one, fmean(one.validation_losses)) for one in passes]
        tables[VALIDATION_METRICS] = _table("validation_loss", measured)
    for name, table in tables.items():
        _write_table(s3, output_uri, job_arn, name, table)


def write_record_counts(s3: Any, output_uri: str, job_arn: str, records: Mapping[str, int]) -> None:
    """Write how many records each file of an accepted data set has, by URI; raises one of S3_ERRORS.

    The columns are those seen in a real account; its folders below input_status are not documented.
    """
    for uri, count in records.items():
        name = parse_uri(uri).key.rpartition("/")[2]
        text = io.StringIO(newline="")
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(_RECORD_COUNTS)
        writer.writerow((name, count, count, 0, 0))
        folder = f"input_status/{name.rpartition('.')[0]}"
        _write_table(s3, output_uri, job_arn, f"{folder}/manifest.report.csv", text.getvalue().encode())


def _write_table(s3: Any, output_uri: str, job_arn: str, name: str, table: bytes) -> None:
    bucket, key = _below(output_uri, f"model-customization-job-{job_arn.rpartition('/')[2]}/{name}")
    s3.put_object(Bucket=bucket, Key=key, Body=table, ContentType="text/csv")


def _below(output_uri: str, name: str) -> Location:
    bucket, prefix = parse_uri(output_uri)
    return Location(bucket, f"{prefix.rstrip('/')}/{name}".lstrip("/"))


def _table(loss_name: str, rows: Iterable[tuple[Pass, float]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("step_number", "epoch_number", loss_name, "perplexity"))
    for one, loss in rows:
        writer.writerow((one.number, one.epoch, loss, math.exp(loss)))
    return text.getvalue().encode()
