"""What the account holds: customization jobs, custom models, deployments and their tags, in memory."""

from __future__ import annotations

import secrets
import string
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from idp_local.bedrock.catalogue import FineTunableModel
from idp_local.bedrock.errors import BedrockError, invalid
from idp_local.bedrock.trainer import PageClassifier, Pass

PhaseStatus = Literal["NotStarted", "InProgress", "Completed", "Stopping", "Stopped", "Failed"]
JobStatus = Literal["InProgress", "Completed", "Failed", "Stopping", "Stopped"]

# The order in which a job goes through them, and the member of StatusDetails that shows each. The first begins with the
# job itself.
PHASES = {"validation": "validationDetails", "processing": "dataProcessingDetails", "training": "trainingDetails"}


@dataclass(frozen=True)
class Phase:
    """One part of a job's work, as StatusDetails shows it."""

    status: PhaseStatus
    created: datetime
    modified: datetime


@dataclass(frozen=True)
class CustomizationJob:
    """A customization job at one moment; `request` is the checked input of CreateModelCustomizationJob."""

    arn: str
    request: Mapping[str, Any]
    base: FineTunableModel
    hyperparameters: Mapping[str, str]
    created: datetime
    modified: datetime
    phases: Mapping[str, Phase]  # by key of PHASES
    status: JobStatus = "InProgress"
    ended: datetime | None = None
    failure: str | None = None
    model_arn: str | None = None
    passes: tuple[Pass, ...] = ()

    @property
    def name(self) -> str:
        """Name of the job."""
        return str(self.request["jobName"])

    @property
    def model_name(self) -> str:
        """Name of the model it makes."""
        return str(self.request["customModelName"])

    @property
    def validation_uris(self) -> tuple[str, ...]:
        """The validation files, in the order given."""
        validators = self.request.get("validationDataConfig", {}).get("validators", [])
        return tuple(validator["s3Uri"] for validator in validators)


@dataclass(frozen=True)
class CustomModel:
    """A trained model and the job it came from."""

    arn: str
    job: CustomizationJob
    created: datetime
    classifier: PageClassifier


@dataclass(frozen=True)
class Deployment:
    """An on-demand deployment of a model; it becomes Active, or Failed with `failure`, at `active_from`."""

    arn: str
    name: str
    model_arn: str
    created: datetime
    active_from: datetime
    description: str | None = None
    failure: str | None = None

    @property
    def status(self) -> Literal["Creating", "Active", "Failed"]:
        """Status now."""
        if now() < self.active_from:
            return "Creating"
        return "Failed" if self.failure else "Active"

    @property
    def updated(self) -> datetime:
        """When the status last changed."""
        return self.created if self.status == "Creating" else self.active_from


@dataclass
class Account:
    """One AWS account in one Region. Hold `lock` while changing it or reading more than one thing."""

    region: str
    account_id: str
    fine_tunable: Mapping[str, FineTunableModel]
    seconds_per_phase: float
    lock: threading.RLock = field(default_factory=threading.RLock)
    jobs: dict[str, CustomizationJob] = field(default_factory=dict)
    models: dict[str, CustomModel] = field(default_factory=dict)
    deployments: dict[str, Deployment] = field(default_factory=dict)
    tags: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    # What a clientRequestToken created, by operation: sending it again is ignored and answered alike.
    tokens: dict[tuple[str, str], str] = field(default_factory=dict)

    def new_arn(self, kind: str, base: FineTunableModel | None = None) -> str:
        """A fresh ARN of a kind, its last segment 12 random lower-case letters and digits."""
        alphabet = string.ascii_lowercase + string.digits
        resource = "".join(secrets.choice(alphabet) for _ in range(12))
        middle = f"{base.id}/" if base else ""
        return f"arn:aws:bedrock:{self.region}:{self.account_id}:{kind}/{middle}{resource}"

    def job(self, identifier: str) -> CustomizationJob | None:
        """A job by ARN or name."""
        return self.jobs.get(identifier) or _named(self.jobs, identifier)

    def model(self, identifier: str) -> CustomModel | None:
        """A model by ARN or name."""
        by_name = (model for model in self.models.values() if model.job.model_name == identifier)
        return self.models.get(identifier) or next(by_name, None)

    def deployment(self, identifier: str) -> Deployment | None:
        """A deployment by ARN or name."""
        return self.deployments.get(identifier) or _named(self.deployments, identifier)


Named = TypeVar("Named", CustomizationJob, Deployment)


def _named(things: Mapping[str, Named], name: str) -> Named | None:
    return next((thing for thing in things.values() if thing.name == name), None)


def now() -> datetime:
    """The time, in UTC and whole milliseconds, as the answers show it."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def checked_tags(tags: list[dict[str, str]] | None) -> list[dict[str, str]]:
    """The tags of a request; a resource takes 50 of them, each key once [botocore TooManyTagsException]."""
    given = tags or []
    if len(given) > 50:
        raise BedrockError("TooManyTagsException", f"A resource can have up to 50 tags; the request has {len(given)}.")
    if len({tag["key"] for tag in given}) != len(given):
        raise invalid("A tag key can be given only once.")
    return given
