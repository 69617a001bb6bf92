"""What an account holds in Bedrock: models it may fine-tune, resources this service named, and use of quotas."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Literal

from botocore.exceptions import ClientError

from idp_finetuning.adapters.aws_calls import error_code
from idp_finetuning.jobs.bedrock_names import job_id_in
from idp_finetuning.nova.lifecycle import ModelLifecycle
from idp_finetuning.nova.quotas import AccountUsage
from idp_finetuning.wire import WireModel

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient
    from mypy_boto3_bedrock.type_defs import (
        CustomModelDeploymentSummaryTypeDef,
        CustomModelSummaryTypeDef,
        FoundationModelSummaryTypeDef,
        ModelCustomizationJobSummaryTypeDef,
    )

JOB_TAG = "idp-finetuning:job-id"


class NamedResource(WireModel):
    """A resource in Bedrock whose name this service made."""

    kind: Literal["customization job", "custom model", "deployment"]
    name: str
    arn: str


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
            customization_jobs=sum(1 for _ in self._running_jobs()),
            deployments=sum(1 for _ in self._deployments()),
        )

    def deployment_statuses(self) -> dict[str, str]:
        """Return the status of every deployment of the account by ARN."""
        return {row["customModelDeploymentArn"]: row["status"] for row in self._deployments()}

    def named_resources(self, *, older_than: timedelta) -> Iterator[NamedResource]:
        """Yield running customization jobs, custom models and deployments that this service named, not just created."""
        latest = datetime.now(UTC) - older_than
        for job in self._running_jobs():
            if job_id_in(job["jobName"]) and job["creationTime"] < latest:
                yield NamedResource(kind="customization job", name=job["jobName"], arn=job["jobArn"])
        for model in self._models():
            if job_id_in(model["modelName"]) and model["creationTime"] < latest:
                yield NamedResource(kind="custom model", name=model["modelName"], arn=model["modelArn"])
        for row in self._deployments():
            name = row["customModelDeploymentName"]
            if job_id_in(name) and row["createdAt"] < latest:
                yield NamedResource(kind="deployment", name=name, arn=row["customModelDeploymentArn"])

    def has_job_tag(self, arn: str) -> bool:
        """Return whether the resource carries this service's tag; one that is gone meanwhile does not."""
        try:
            tags = self._bedrock.list_tags_for_resource(resourceARN=arn)["tags"]
        except ClientError as error:
            if is_missing(error):
                return False
            raise
        return any(tag["key"] == JOB_TAG for tag in tags)

    def _running_jobs(self) -> Iterator[ModelCustomizationJobSummaryTypeDef]:
        for page in self._bedrock.get_paginator("list_model_customization_jobs").paginate(statusEquals="InProgress"):
            yield from page.get("modelCustomizationJobSummaries", [])

    def _models(self) -> Iterator[CustomModelSummaryTypeDef]:
        for page in self._bedrock.get_paginator("list_custom_models").paginate():
            yield from page.get("modelSummaries", [])

    def _deployments(self) -> Iterator[CustomModelDeploymentSummaryTypeDef]:
        for page in self._bedrock.get_paginator("list_custom_model_deployments").paginate():
            yield from page.get("modelDeploymentSummaries", [])


def _lifecycle(summary: FoundationModelSummaryTypeDef) -> ModelLifecycle:
    """Read the lifecycle; it and its end are optional (botocore: bedrock FoundationModelSummary)."""
    said = summary.get("modelLifecycle")
    if not said:
        return ModelLifecycle(status="ACTIVE")
    return ModelLifecycle(status=said["status"], end_of_life=said.get("endOfLifeTime"))


def is_missing(error: ClientError) -> bool:
    """Return whether Bedrock knows no such resource."""
    return error_code(error) == "ResourceNotFoundException"
