"""What users do with their jobs: start, stop, retry and delete them, at random moments, and sometimes twice."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from idp_finetuning.deployment import FINETUNING
from idp_finetuning.jobs.job import ENDED, JobStatus
from idp_local.aws.names import state_machine_arn
from idp_local.client import client_for
from idp_local.connection import Connection
from idp_local.environment import local_client
from idp_sdk import IDPError
from idp_sdk.errors import Conflict, JobNotFound
from tests.chaos.schedule import OnceEvery

USER = "author@example.com"

STOPPED = "user: stop"
RETRIED = "user: retry"
DELETED = "user: delete"
KINDS = (STOPPED, RETRIED, DELETED)

_POLL_SECONDS = 1.0  # every poll is work for the one process that serves the account
_RETRY_SECONDS = 0.4
_PATIENCE_SECONDS = 75.0
_TRIES = 3
_MOST_RETRIES = 2
_RUNS_AN_ABORTION = 6
_RUNS_A_STOP = 5
_ENDS_A_DELETION = 3


class Users:
    """All users of the jobs.

    `started`, `stops`, `deletions` and `gone` are the jobs they started, stopped, deleted and saw gone.
    """

    def __init__(self, connection: Connection, seed: int, test_set_id: str) -> None:
        # The client's own retries would hide errors of the API.
        self._jobs = client_for(connection, USER, retries=0).finetuning
        self._dynamodb = local_client("dynamodb", connection.aws_endpoint_url)
        self._stepfunctions = local_client("stepfunctions", connection.aws_endpoint_url)
        self._table = connection.jobs_table
        self._seed = seed
        self._test_set_id = test_set_id
        self.started: set[str] = set()
        self.stops: set[str] = set()
        self.deletions: set[str] = set()
        self.gone: set[str] = set()
        self.counts: Counter[str] = Counter()
        self._aborts = OnceEvery(_RUNS_AN_ABORTION, f"{seed}/abort")
        self._stops = OnceEvery(_RUNS_A_STOP, f"{seed}/stop")
        self._deletes = OnceEvery(_ENDS_A_DELETION, f"{seed}/delete")
        self._lock = threading.Lock()

    def work(self, number: int) -> None:
        """Start a job, then stop, retry and delete it as its user happens to."""
        chance = random.Random(f"{self._seed}/user/{number}")
        job_id = self._start(number)
        if not job_id:
            return
        self.started.add(job_id)
        for retries in range(_MOST_RETRIES + 1):
            self._interfere(job_id, retries, chance)
            status = self._wait(job_id, ENDED)
            if status is None or status not in ENDED:
                return
            with self._lock:
                deletes = self._deletes.happens()
            if deletes:
                self._delete(job_id, chance)
                return
            if status is JobStatus.COMPLETED or retries == _MOST_RETRIES or chance.random() > 0.9:
                return
            self._ask(RETRIED, self._jobs.retry_job, job_id)

    def _start(self, number: int) -> str | None:
        """Start the job and return its id, with retries as clients do; None if all of them fail."""
        for _ in range(_TRIES):
            try:
                return self._jobs.create_job(
                    test_set_id=self._test_set_id,
                    base_model="us.amazon.nova-lite-v1:0",
                    name=f"chaos {self._seed} {number}",
                    client_token=f"{self._seed}-{number}",
                ).id
            except IDPError:
                time.sleep(_RETRY_SECONDS)
        return None

    def _interfere(self, job_id: str, retries: int, chance: random.Random) -> None:
        """Stop the job or abort its execution some time after it began; mostly do neither."""
        with self._lock:
            aborts, stops = self._aborts.happens(), self._stops.happens()
        seconds = chance.uniform(0.2, 8)
        if not aborts and not stops:
            return
        time.sleep(seconds)
        if aborts:
            name = job_id if not retries else f"{job_id}-run-{retries + 1}"
            arn = state_machine_arn(FINETUNING).replace(":stateMachine:", ":execution:") + f":{name}"
            try:
                self._stepfunctions.stop_execution(executionArn=arn)
            except self._stepfunctions.exceptions.ExecutionDoesNotExist:
                return  # its start failed
        else:
            self.stops.add(job_id)
            self._ask(STOPPED, self._jobs.stop_job, job_id)
            if chance.random() < 0.3:
                self._ask(STOPPED, self._jobs.stop_job, job_id)

    def _delete(self, job_id: str, chance: random.Random) -> None:
        self.deletions.add(job_id)
        self._ask(DELETED, self._jobs.delete_job, job_id)
        if chance.random() < 0.3:
            self._ask(DELETED, self._jobs.delete_job, job_id)
        if self._wait(job_id, frozenset()) is None:
            self.gone.add(job_id)

    def _ask(self, kind: str, action: Callable[[str], object], job_id: str) -> None:
        """Call the API with retries, and count what it did; a refusal is no error: others may have been faster."""
        for _ in range(_TRIES):
            try:
                action(job_id)
            except (Conflict, JobNotFound):
                return
            except IDPError:
                time.sleep(_RETRY_SECONDS)
            else:
                self._count(kind)
                return

    def _wait(self, job_id: str, wanted: frozenset[JobStatus]) -> JobStatus | None:
        """Return the status once it is wanted, or when the user's patience ends; None if the job is gone."""
        end = time.monotonic() + _PATIENCE_SECONDS
        while True:
            status = self._status(job_id)
            if status is None or status in wanted or time.monotonic() > end:
                return status
            time.sleep(_POLL_SECONDS)

    def _status(self, job_id: str) -> JobStatus | None:
        key: dict[str, Any] = {"id": {"S": job_id}, "item": {"S": "job"}}
        item = self._dynamodb.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        return JobStatus(item["status"]["S"]) if item else None

    def _count(self, kind: str) -> None:
        with self._lock:
            self.counts[kind] += 1
