"""The state of one AWS account: customization jobs, custom models, deployments and their tags, in memory."""

from __future__ import annotations

import secrets
import string
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeVar

from idp_local.bedrock.behaviour import WELL_BEHAVED, Behaviour
from idp_local.bedrock.errors import Absence, BedrockError, invalid, mutating, not_found
from idp_local.bedrock.foundation_models import FineTunableModel
from idp_local.bedrock.switches import DEFAULTS, Switches
from idp_local.bedrock.trainer import PageClassifier, Pass

PhaseStatus = Literal["NotStarted", "InProgress", "Completed", "Stopping", "Stopped", "Failed"]
JobStatus = Literal["InProgress", "Completed", "Failed", "Stopping", "Stopped"]

# The phases of a job in their order, and the member of StatusDetails that shows each. The first begins with the job.
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
        """The request's jobName."""
        return str(self.request["jobName"])

    @property
    def model_name(self) -> str:
        """The request's customModelName."""
        return str(self.request["customModelName"])

    @property
    def validation_uris(self) -> tuple[str, ...]:
        """S3 URIs of the validation files, in the order given."""
        validators = self.request.get("validationDataConfig", {}).get("validators", [])
        return tuple(validator["s3Uri"] for validator in validators)


@dataclass(frozen=True)
class CustomModel:
    """A trained model and the job it came from."""

    arn: str
    job: CustomizationJob
    created: datetime
    classifier: PageClassifier

    @property
    def name(self) -> str:
        """The customModelName of its job."""
        return self.job.model_name


@dataclass(frozen=True)
class Deployment:
    """An on-demand deployment of a model; it becomes Active, or Failed with `failure`, at `active_from`.

    `deleted` is when its deletion began.
    """

    arn: str
    name: str
    model_arn: str
    created: datetime
    active_from: datetime
    description: str | None = None
    failure: str | None = None
    deleted: datetime | None = None

    @property
    def status(self) -> Literal["Creating", "Active", "Failed"]:
        """The status that the time of this call implies."""
        if now() < self.active_from:
            return "Creating"
        return "Failed" if self.failure else "Active"

    @property
    def updated(self) -> datetime:
        """When the status last changed."""
        return self.created if self.status == "Creating" else self.active_from


Resource = TypeVar("Resource", CustomizationJob, CustomModel, Deployment)


@dataclass
class Account:
    """One AWS account in one Region. Hold `lock` while changing it or reading it more than once.

    `seconds_per_phase` is the least time of each phase of a job and of a deployment in Creating.
    """

    region: str
    account_id: str
    fine_tunable: Mapping[str, FineTunableModel]
    seconds_per_phase: float
    behaviour: Behaviour = WELL_BEHAVED
    switches: Switches = DEFAULTS
    lock: threading.RLock = field(default_factory=threading.RLock)
    jobs: dict[str, CustomizationJob] = field(default_factory=dict)
    models: dict[str, CustomModel] = field(default_factory=dict)
    deployments: dict[str, Deployment] = field(default_factory=dict)
    tags: dict[str, list[dict[str, str]]] = field(default_factory=dict)
    _refused_deletions: Counter[str] = field(default_factory=Counter)  # by ARN
    _created: dict[tuple[str, str], str] = field(default_factory=dict)  # ARN by operation and clientRequestToken

    def new_arn(self, kind: str, base: FineTunableModel | None = None) -> str:
        """Return a fresh ARN of a kind, its last segment 12 random lower-case letters and digits."""
        alphabet = string.ascii_lowercase + string.digits
        resource = "".join(secrets.choice(alphabet) for _ in range(12))
        middle = f"{base.id}/" if base else ""
        return f"arn:aws:bedrock:{self.region}:{self.account_id}:{kind}/{middle}{resource}"

    def find_job(self, identifier: str) -> CustomizationJob | None:
        """Return the job with this ARN or name, or None."""
        return self._find(self.jobs, identifier)

    def find_model(self, identifier: str) -> CustomModel | None:
        """Return the custom model with this ARN or name, or None."""
        return self._find(self.models, identifier)

    def find_deployment(self, identifier: str) -> Deployment | None:
        """Return the deployment with this ARN or name, or None."""
        return self._find(self.deployments, identifier)

    def get_job(self, identifier: str) -> CustomizationJob:
        """Return the job with this ARN or name; the error of an absent one if nobody can see it."""
        job = self.find_job(identifier)
        visible = job if job and self.is_visible(job) else None
        return _require(visible, "model customization job", identifier, self.switches.absent_job)

    def get_model(self, identifier: str) -> CustomModel:
        """Return the custom model with this ARN or name; the error of an absent one if there is none."""
        return _require(self.find_model(identifier), "custom model", identifier, self.switches.absent_model)

    def get_deployment(self, identifier: str) -> Deployment:
        """Return the deployment with this ARN or name; the error of an absent one if nobody can see it."""
        deployment = self.find_deployment(identifier)
        visible = deployment if deployment and self.is_visible(deployment) else None
        return _require(visible, "custom model deployment", identifier, self.switches.absent_deployment)

    def is_visible(self, resource: CustomizationJob | Deployment) -> bool:
        """Return whether Get and List show the resource yet."""
        return now() >= resource.created + timedelta(seconds=self.switches.visible_after)

    def check_throttling(self, resource: CustomizationJob | Deployment) -> None:
        """Refuse a Get by ThrottlingException if the resource is young and the switch says so."""
        if now() < resource.created + timedelta(seconds=self.switches.get_throttled_for):
            raise BedrockError("ThrottlingException", "Too many requests, please wait before trying again.")

    def check_deletion(self, kind: str, arn: str) -> None:
        """Refuse the first deletions of a resource as the switch says."""
        if self._refused_deletions[arn] < self.switches.deletions_refused:
            self._refused_deletions[arn] += 1
            raise mutating(kind, arn, self.switches.mutating)

    def find_created(self, operation: str, request: Mapping[str, Any]) -> str | None:
        """Return the ARN that an earlier request with the same clientRequestToken created, or None.

        Refused is such a request if the switch says so.
        """
        arn = self._created.get((operation, request.get("clientRequestToken", "")))
        if arn and self.switches.token_replay:
            raise BedrockError(self.switches.token_replay, "The client request token was used before.")
        return arn

    def record_created(self, operation: str, request: Mapping[str, Any], arn: str) -> None:
        """Keep what a request created, for a retry with its clientRequestToken."""
        if token := request.get("clientRequestToken"):
            self._created[operation, token] = arn

    def _find(self, resources: Mapping[str, Resource], identifier: str) -> Resource | None:
        with self.lock:
            by_name = (resource for resource in resources.values() if resource.name == identifier)
            return resources.get(identifier) or next(by_name, None)


def _require(resource: Resource | None, kind: str, identifier: str, absence: Absence) -> Resource:
    if resource is None:
        # The switch is about names: an ARN says by itself that the resource was there.
        raise not_found(kind, identifier, "ResourceNotFoundException" if identifier.startswith("arn:") else absence)
    return resource


def new_phases(moment: datetime) -> Mapping[str, Phase]:
    """Return the phases of a job that begins: the first is in progress as soon as Get can see the job."""
    phases = {name: Phase("NotStarted", moment, moment) for name in PHASES}
    return {**phases, "validation": Phase("InProgress", moment, moment)}


def now() -> datetime:
    """Return the time in UTC and whole milliseconds, as AWS shows it."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def check_tags(tags: list[dict[str, str]] | None) -> list[dict[str, str]]:
    """Return the tags of a request; refused are more than 50 (botocore TooManyTagsException) and a key given twice."""
    given = tags or []
    if len(given) > 50:
        raise BedrockError("TooManyTagsException", f"A resource can have up to 50 tags; the request has {len(given)}.")
    if len({tag["key"] for tag in given}) != len(given):
        raise invalid("A tag key can be given only once.")
    return given
