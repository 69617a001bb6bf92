"""What an account holds in Bedrock: models it may fine-tune, resources this service named, and use of quotas."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from botocore.exceptions import ClientError

from idp_finetuning.adapters.aws_calls import error_code
from idp_finetuning.jobs.bedrock_names import DEPLOYMENT_TAG, job_id_in, name_fragment
from idp_finetuning.nova.lifecycle import ModelLifecycle
from idp_finetuning.nova.quotas import AccountUsage
from idp_finetuning.wire import WireModel

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient
    from mypy_boto3_bedrock.type_defs import FoundationModelSummaryTypeDef, PaginatorConfigTypeDef

# Statuses that no customization job leaves; any other, one of tomorrow too, means that Bedrock still works on it.
ENDED_STATUSES = frozenset({"Completed", "Failed", "Stopped"})
# How far back a training that still runs can have begun; a job ends at its deadline, which is days.
_TRAINS_AT_MOST = timedelta(days=90)
_PAGES: PaginatorConfigTypeDef = {"PageSize": 1000}


class NamedResource(WireModel):
    """A resource in Bedrock whose name this service made; `model_arn` is what a deployment deploys."""

    kind: Literal["customization job", "custom model", "deployment"]
    name: str
    arn: str
    status: str = ""
    created_at: datetime
    model_arn: str | None = None

    @property
    def is_training(self) -> bool:
        """Whether it is a customization job that Bedrock still works on."""
        return self.kind == "customization job" and self.status not in ENDED_STATUSES


class BedrockAccount:
    """Lists of the control plane."""

    def __init__(self, bedrock: BedrockClient) -> None:
        self._bedrock = bedrock

    def fine_tunable_models(self) -> dict[str, ModelLifecycle]:
        """Return the models the account may fine-tune, by id, each with where it is in its life."""
        response = self._bedrock.list_foundation_models(byCustomizationType="FINE_TUNING")
        return {summary["modelId"]: _lifecycle(summary) for summary in response["modelSummaries"]}

    def usage(self) -> AccountUsage:
        """Count what the account holds of the resources that have a quota."""
        owned = self._bedrock.get_paginator("list_custom_models").paginate(isOwned=True)
        return AccountUsage(
            custom_models=sum(len(page.get("modelSummaries", [])) for page in owned),
            customization_jobs=sum(job.is_training for job in self._jobs()),
            deployments=sum(1 for _ in self._deployments()),
        )

    def deployment_statuses(self) -> dict[str, str]:
        """Return the status of every deployment of the account by ARN."""
        return {found.arn: found.status for found in self._deployments()}

    def named_resources(self, *, older_than: timedelta) -> Iterator[NamedResource]:
        """Yield running customization jobs, custom models and deployments that this service named, not just created."""
        latest = datetime.now(UTC) - older_than
        running = (job for job in self._jobs() if job.is_training)
        for found in (*running, *self._models(), *self._deployments()):
            if job_id_in(found.name) and found.created_at < latest:
                yield found

    def trainings(self, job_id: str) -> tuple[NamedResource, ...]:
        """Return the customization jobs of all attempts of a job that Bedrock lists."""
        return _of_job(job_id, self._jobs(nameContains=name_fragment(job_id)))

    def models(self, job_id: str) -> tuple[NamedResource, ...]:
        """Return the custom models of all attempts of a job that Bedrock lists."""
        return _of_job(job_id, self._models(nameContains=name_fragment(job_id)))

    def deployments(self, job_id: str) -> tuple[NamedResource, ...]:
        """Return the deployments of all attempts of a job that Bedrock lists."""
        return _of_job(job_id, self._deployments(nameContains=name_fragment(job_id)))

    def tags(self, arn: str) -> Mapping[str, str]:
        """Return the tags of a resource; one that is gone meanwhile has none."""
        try:
            tags = self._bedrock.list_tags_for_resource(resourceARN=arn)["tags"]
        except ClientError as error:
            if is_missing(error):
                return {}
            raise
        return {tag["key"]: tag["value"] for tag in tags}

    def is_of(self, deployment: str, arn: str) -> bool:
        """Return whether the resource carries the tag of this deployment of the service."""
        return self.tags(arn).get(DEPLOYMENT_TAG) == deployment

    def _jobs(self, **filters: Any) -> Iterator[NamedResource]:
        filters.setdefault("creationTimeAfter", datetime.now(UTC) - _TRAINS_AT_MOST)
        lists = self._bedrock.get_paginator("list_model_customization_jobs")
        for page in lists.paginate(**filters, PaginationConfig=_PAGES):
            for row in page.get("modelCustomizationJobSummaries", []):
                yield NamedResource(
                    kind="customization job",
                    name=row["jobName"],
                    arn=row["jobArn"],
                    status=row["status"],
                    created_at=row["creationTime"],
                )

    def _models(self, **filters: Any) -> Iterator[NamedResource]:
        for page in self._bedrock.get_paginator("list_custom_models").paginate(**filters, PaginationConfig=_PAGES):
            for row in page.get("modelSummaries", []):
                yield NamedResource(
                    kind="custom model", name=row["modelName"], arn=row["modelArn"], created_at=row["creationTime"]
                )

    def _deployments(self, **filters: Any) -> Iterator[NamedResource]:
        lists = self._bedrock.get_paginator("list_custom_model_deployments")
        for page in lists.paginate(**filters, PaginationConfig=_PAGES):
            for row in page.get("modelDeploymentSummaries", []):
                yield NamedResource(
                    kind="deployment",
                    name=row["customModelDeploymentName"],
                    arn=row["customModelDeploymentArn"],
                    status=row["status"],
                    created_at=row["createdAt"],
                    model_arn=row["modelArn"],
                )


def find_named(name: str, among: Iterable[NamedResource]) -> NamedResource | None:
    """Return the resource with exactly this name, or None."""
    return next((found for found in among if found.name == name), None)


def _of_job(job_id: str, found: Iterable[NamedResource]) -> tuple[NamedResource, ...]:
    return tuple(resource for resource in found if job_id_in(resource.name) == job_id)


def _lifecycle(summary: FoundationModelSummaryTypeDef) -> ModelLifecycle:
    """Read the lifecycle; it and its end are optional (botocore: bedrock FoundationModelSummary)."""
    said = summary.get("modelLifecycle")
    if not said:
        return ModelLifecycle(status="ACTIVE")
    return ModelLifecycle(status=said["status"], end_of_life=said.get("endOfLifeTime"))


def is_missing(error: ClientError) -> bool:
    """Return whether Bedrock knows no such resource."""
    return error_code(error) == "ResourceNotFoundException"
