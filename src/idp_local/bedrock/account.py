"""The state of one AWS account: customization jobs, custom models, deployments and their tags, in memory."""

from __future__ import annotations

import base64
import secrets
import string
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from idp_local.bedrock.behaviour import WELL_BEHAVED, Behaviour
from idp_local.bedrock.errors import BedrockError, invalid, not_found
from idp_local.bedrock.foundation_models import FineTunableModel
from idp_local.bedrock.trainer import PageClassifier, Pass

PhaseStatus = Literal["NotStarted", "InProgress", "Completed", "Stopping", "Stopped", "Failed"]
JobStatus = Literal["InProgress", "Completed", "Failed", "Stopping", "Stopped"]

# Rows of a list without maxResults: the shapes allow up to 1,000 and name no default.
DEFAULT_PAGE = 100

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
    lock: threading.RLock = field(default_factory=threading.RLock)
    jobs: dict[str, CustomizationJob] = field(default_factory=dict)
    models: dict[str, CustomModel] = field(default_factory=dict)
    deployments: dict[str, Deployment] = field(default_factory=dict)
    tags: dict[str, list[dict[str, str]]] = field(default_factory=dict)
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
        """Return the job with this ARN or name; ResourceNotFoundException if there is none."""
        return _require(self.find_job(identifier), "model customization job", identifier)

    def get_model(self, identifier: str) -> CustomModel:
        """Return the custom model with this ARN or name; ResourceNotFoundException if there is none."""
        return _require(self.find_model(identifier), "custom model", identifier)

    def get_deployment(self, identifier: str) -> Deployment:
        """Return the deployment with this ARN or name; ResourceNotFoundException if there is none."""
        return _require(self.find_deployment(identifier), "custom model deployment", identifier)

    def find_created(self, operation: str, request: Mapping[str, Any]) -> str | None:
        """Return the ARN that an earlier request with the same clientRequestToken created, or None."""
        return self._created.get((operation, request.get("clientRequestToken", "")))

    def record_created(self, operation: str, request: Mapping[str, Any], arn: str) -> None:
        """Keep what a request created, for a retry with its clientRequestToken."""
        if token := request.get("clientRequestToken"):
            self._created[operation, token] = arn

    def _find(self, resources: Mapping[str, Resource], identifier: str) -> Resource | None:
        with self.lock:
            by_name = (resource for resource in resources.values() if resource.name == identifier)
            return resources.get(identifier) or next(by_name, None)


def _require(resource: Resource | None, kind: str, identifier: str) -> Resource:
    if resource is None:
        raise not_found(kind, identifier)
    return resource


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


Filters = Mapping[str, Callable[[Resource, Any], bool]]
"""For each filter member of a list request: whether a resource fits its value."""


def list_page(
    in_creation_order: list[Resource],
    request: Mapping[str, Any],
    filters: Filters[Resource],
    summary: Callable[[Resource], dict[str, Any]],
) -> tuple[list[dict[str, Any]], str | None]:
    """Return the summaries of one page and its nextToken; newest first unless sortOrder says Ascending.

    ValidationException for a nextToken that does not come from this list.
    """
    asked = [(filters[name], value) for name, value in request.items() if name in filters]
    kept = [resource for resource in in_creation_order if all(fits(resource, value) for fits, value in asked)]
    if request.get("sortOrder") != "Ascending":
        kept.reverse()
    start = 0
    if token := request.get("nextToken"):
        start = next((index for index, resource in enumerate(kept, 1) if _token(resource) == token), 0)
        if not start:
            raise invalid("The nextToken is not valid.")
    end = start + request.get("maxResults", DEFAULT_PAGE)
    return [summary(resource) for resource in kept[start:end]], _token(kept[end - 1]) if end < len(kept) else None


def _token(last: CustomizationJob | CustomModel | Deployment) -> str:
    return base64.urlsafe_b64encode(last.arn.encode()).decode()
