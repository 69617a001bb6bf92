"""A Bedrock that fails by itself at random, and trains each data set only once."""

from __future__ import annotations

import hashlib
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import cycle
from typing import Any

from idp_local.bedrock.behaviour import Behaviour
from idp_local.bedrock.errors import BedrockError
from idp_local.bedrock.s3 import parse_uri, read
from idp_local.bedrock.training_process import Order, Progress
from tests.chaos.schedule import InTurn, OnceEvery

THROTTLED = "Bedrock: ThrottlingException"
INTERNAL = "Bedrock: InternalServerException"
QUOTA = "Bedrock: quota of deployments full"
JOB_FAILED = "Bedrock: customization job failed"
DEPLOYMENT_FAILED = "Bedrock: deployment failed"
POLLS_REFUSED = "Bedrock: polls of a training refused for a while"
TRAININGS_FULL = "Bedrock: quota of customization jobs full"
KINDS = (THROTTLED, INTERNAL, QUOTA, TRAININGS_FULL, POLLS_REFUSED, JOB_FAILED, DEPLOYMENT_FAILED)

_THROTTLED_RATE = 0.03
_INTERNAL_RATE = 0.03
_CALLS_A_FAULT = 25  # certain, beside those that are drawn
_DEPLOYMENTS_A_FULL_QUOTA = 5
_JOBS_A_FAILURE = 7
_TRAININGS_A_FULL_QUOTA = 6
_REFUSALS_OF_TRAINING = 3
_TRAININGS_A_REFUSAL = 4
_REFUSED_SECONDS = 6.0  # a refusal is not retried: the workflow waits and polls several times
_DEPLOYMENTS_A_FAILURE = 5
# How many times a full quota refuses, in turn; some so often that their executions time out and are replaced. So does
# the first, so that this happens while other jobs run.
_QUOTA_LASTS = (25, 1, 3, 25)
_JOB_IN_KEY = re.compile(rb"jobs/[0-9a-f-]{36}/")


class FailingBedrock(Behaviour):
    """Draws from the seed what fails."""

    def __init__(self, seed: int) -> None:
        self.active = True
        self.counts: Counter[str] = Counter()
        self._chance = random.Random(f"{seed}/bedrock")
        self._quota_lasts = cycle(_QUOTA_LASTS)
        self._quota_fills = OnceEvery(_DEPLOYMENTS_A_FULL_QUOTA, f"{seed}/quota")
        self._job_fails = OnceEvery(_JOBS_A_FAILURE, f"{seed}/job")
        self._deployment_fails = OnceEvery(_DEPLOYMENTS_A_FAILURE, f"{seed}/deployment")
        self._training_fills = OnceEvery(_TRAININGS_A_FULL_QUOTA, f"{seed}/training")
        self._polls_are_refused = OnceEvery(_TRAININGS_A_REFUSAL, f"{seed}/polls")
        self._quota: dict[str, int] = {}
        self._trainings: dict[str, int] = {}
        self._refused_until: dict[str, float] = {}
        self._trained: dict[str, tuple[tuple[Progress, ...], bytes]] = {}
        self._sure = InTurn((THROTTLED, INTERNAL), _CALLS_A_FAULT, f"{seed}/call")
        self._lock = threading.Lock()

    def refusal(self, operation: str, request: Mapping[str, Any]) -> BedrockError | None:
        """Refuse some calls by throttling or an error, some creations by a full quota, and the polls of some jobs."""
        with self._lock:
            if not self.active:
                return None
            if operation == "CreateCustomModelDeployment" and self._fill_quota(request["modelDeploymentName"]):
                self.counts[QUOTA] += 1
                return BedrockError("ServiceQuotaExceededException", "The quota of custom model deployments is full.")
            if operation == "CreateModelCustomizationJob" and self._fill_training_quota(request["jobName"]):
                self.counts[TRAININGS_FULL] += 1
                return BedrockError("ServiceQuotaExceededException", "The quota of customization jobs is full.")
            if operation == "GetModelCustomizationJob" and self._refuse_poll(request["jobIdentifier"]):
                self.counts[POLLS_REFUSED] += 1
                return BedrockError("AccessDeniedException", "You are not authorized to perform this operation.")
            sure = self._sure.next()
            if self._draw(THROTTLED, 1 if sure == THROTTLED else _THROTTLED_RATE):
                return BedrockError("ThrottlingException", "Too many requests.")
            if self._draw(INTERNAL, 1 if sure == INTERNAL else _INTERNAL_RATE):
                return BedrockError("InternalServerException", "Something went wrong.")
        return None

    def training_failure(self, job_name: str) -> str | None:
        """Fail some jobs."""
        with self._lock:
            failed = self.active and self._job_fails.happens()
            self.counts[JOB_FAILED] += failed
        return "The training instance was lost." if failed else None

    def deployment_failure(self, name: str) -> str | None:
        """Fail some deployments."""
        with self._lock:
            failed = self.active and self._deployment_fails.happens()
            self.counts[DEPLOYMENT_FAILED] += failed
        return "There was no capacity." if failed else None

    def progress(self, order: Order, s3: Any, train: Callable[[], Iterator[Progress]]) -> Iterator[Progress]:
        """Train a data set that was not seen before; for one that was, repeat the progress and model of its training.

        Data sets of two jobs are the same if they differ only by the job's id in keys.
        """
        key = _fingerprint(order, s3)
        if known := self._trained.get(key):
            seen, model = known
            order.model_path.write_bytes(model)
            yield from seen
            return
        new = []
        for progress in train():
            new.append(progress)
            if progress.trained:
                self._trained[key] = (tuple(new), order.model_path.read_bytes())
            yield progress

    def _fill_quota(self, name: str) -> bool:
        if name not in self._quota:
            self._quota[name] = next(self._quota_lasts) if self._quota_fills.happens() else 0
        self._quota[name] -= 1
        return self._quota[name] >= 0

    def _fill_training_quota(self, name: str) -> bool:
        if name not in self._trainings:
            self._trainings[name] = _REFUSALS_OF_TRAINING if self._training_fills.happens() else 0
        self._trainings[name] -= 1
        return self._trainings[name] >= 0

    def _refuse_poll(self, arn: str) -> bool:
        if arn not in self._refused_until:
            seconds = _REFUSED_SECONDS if self._polls_are_refused.happens() else 0
            self._refused_until[arn] = time.monotonic() + seconds
        return time.monotonic() < self._refused_until[arn]

    def _draw(self, kind: str, rate: float) -> bool:
        drawn = self.active and self._chance.random() < rate
        self.counts[kind] += drawn
        return drawn


def _fingerprint(order: Order, s3: Any) -> str:
    digest = hashlib.sha256(f"{order.model.model_dump_json()} {order.epochs}".encode())
    for uri in (order.training_uri, *order.validation_uris):
        digest.update(_JOB_IN_KEY.sub(b"", read(s3, parse_uri(uri))))
    return digest.hexdigest()
