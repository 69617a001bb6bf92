"""An empty local account in another process, and Lambda functions run against it in fresh processes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.adapters.tables.test_sets import TestSetTable
from idp_finetuning.deployment import JOBS_TABLE, TABLES, TEST_SETS_TABLE
from idp_finetuning.jobs.job import FinetuningJob, JobStatus
from idp_finetuning.nova.hyper_parameters import HyperParameters
from idp_finetuning.test_sets.test_set import TestSet, TestSetStatus
from idp_finetuning.wire import timestamp
from idp_local.aws.names import DATA_BUCKET, PREFIX, TEST_SET_BUCKET, variable_values
from idp_local.aws.storage import create_bucket, create_table
from idp_local.child import first_line, python_child, stop
from idp_local.environment import CHECKOUT, aws_environment, local_client, process_environment
from idp_local.http import HOST, listening_socket

TEST_SET = "bench"
_NOWHERE = f"http://{HOST}:9"  # no state machine runs here, so no function is invoked


class Call(NamedTuple):
    """An event for a function by its name in deployment.FUNCTIONS."""

    function: str
    event: Mapping[str, Any]


class Ran(NamedTuple):
    """The cost of one call: seconds, S3 requests by operation, and items that DynamoDB read for queries."""

    seconds: float
    s3: Mapping[str, int]
    items_read: int
    result: Mapping[str, Any]


class Account(NamedTuple):
    """The account's address and clients of it."""

    url: str
    s3: Any
    dynamodb: Any

    def run(self, calls: Sequence[Call]) -> tuple[list[Ran], int]:
        """Run the real handlers in order in one fresh process; return also its peak memory in bytes."""
        variables = {
            str(name): value
            for name, value in variable_values(poll_seconds=60, user_pool_id="us-east-1_Benchmark").items()
        }
        finished = subprocess.run(
            [sys.executable, "-m", "benchmarks.handler_process"],
            input=json.dumps([call._asdict() for call in calls]).encode(),
            stdout=subprocess.PIPE,
            check=True,
            cwd=CHECKOUT,
            env={
                **process_environment(),
                **variables,
                **aws_environment(self.url),
                "PYTHONPATH": f"{CHECKOUT / 'src'}:{CHECKOUT}",
                "LOG_LEVEL": "ERROR",
                "POWERTOOLS_SERVICE_NAME": PREFIX,
            },
        )
        result = json.loads(finished.stdout)
        return [Ran(**ran) for ran in result["ran"]], result["peakBytes"]

    def put_job(self, job: FinetuningJob) -> None:
        """Write a record as startFinetuningJob does, in any status."""
        JobTable(self.dynamodb, JOBS_TABLE.table_name(PREFIX)).create(job, None, "")

    def put_test_set(self) -> None:
        """Write the record of a test set whose upload is complete."""
        record = TestSet(id=TEST_SET, name=TEST_SET, status=TestSetStatus.READY, created_at=datetime.now(UTC))
        TestSetTable(self.dynamodb, TEST_SETS_TABLE.table_name(PREFIX)).create(record)


@contextmanager
def local_account() -> Iterator[Account]:
    """Run moto in a process of its own, with the stack's buckets and tables, until the block ends."""
    listener = listening_socket(0)
    with TemporaryDirectory() as folder:
        log = Path(folder) / "account.log"
        objects = Path(folder) / "objects"
        objects.mkdir()
        arguments = ["-m", "idp_local.aws", "--socket", str(listener.fileno()), "--functions", _NOWHERE]
        arguments += ["--objects", str(objects)]
        child = python_child(arguments, log=log, pass_fds=[listener.fileno()])
        try:
            first_line(child, name="account", log=log)
            url = f"http://{HOST}:{listener.getsockname()[1]}"
            account = Account(url, local_client("s3", url), local_client("dynamodb", url))
            for bucket in (DATA_BUCKET, TEST_SET_BUCKET):
                create_bucket(account.s3, bucket)
            for spec in TABLES:
                create_table(account.dynamodb, spec, PREFIX)
            yield account
        finally:
            stop([child])
            listener.close()


def job(job_id: str, status: JobStatus, created_at: str | None = None) -> FinetuningJob:
    """Make a fine-tuning job of the test set with the model that needs the fewest pages."""
    now = created_at or timestamp()
    return FinetuningJob(
        id=job_id,
        job_name="bench",
        test_set_id=TEST_SET,
        test_set_name=TEST_SET,
        base_model="us.amazon.nova-lite-v1:0",
        base_model_name="Nova Lite",
        status=status,
        stage_started_at=now,
        created_at=now,
        updated_at=now,
        train_split=0.9,
        hyper_parameters=HyperParameters(),
        created_by="author@example.com",
    )
