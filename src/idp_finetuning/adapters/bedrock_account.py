"""What an account holds in Bedrock: the models it may fine-tune, what carries names of ours, and how much there is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from botocore.exceptions import ClientError

from idp_finetuning.adapters.aws_calls import error_code
from idp_finetuning.jobs.bedrock_names import job_id_in
from idp_finetuning.nova.quotas import AccountUsage
from idp_finetuning.wire import WireModel

JOB_TAG = "idp-finetuning:job-id"


class Found(WireModel):
    """Something in Bedrock whose name this service made."""

    kind: Literal["customization job", "custom model", "deployment"]
    name: str
    arn: str


_LISTS: tuple[tuple[Any, ...], ...] = (
    (
        "customization job",
        "list_model_customization_jobs",
        "modelCustomizationJobSummaries",
        "jobName",
        "jobArn",
        "creationTime",
        {"statusEquals": "InProgress"},
    ),
    ("custom model", "list_custom_models", "modelSummaries", "modelName", "modelArn", "creationTime", {}),
    (
        "deployment",
        "list_custom_model_deployments",
        "modelDeploymentSummaries",
        "customModelDeploymentName",
        "customModelDeploymentArn",
        "createdAt",
        {},
    ),
)


class BedrockAccount:
    """Lists of the control plane."""

    def __init__(self, bedrock: Any) -> None:
        self._bedrock = bedrock

    def fine_tunable_models(self) -> frozenset[str]:
        """Ids the account may fine-tune."""
        answer = self._bedrock.list_foundation_models(byCustomizationType="FINE_TUNING")
        return frozenset(summary["modelId"] for summary in answer["modelSummaries"])

    def usage(self) -> AccountUsage:
        """How much the account holds of what has a quota."""
        return AccountUsage(
            custom_models=self._count("list_custom_models", "modelSummaries", isOwned=True),
            customization_jobs=self._count(
                "list_model_customization_jobs", "modelCustomizationJobSummaries", statusEquals="InProgress"
            ),
            deployments=self._count("list_custom_model_deployments", "modelDeploymentSummaries"),
        )

    def _count(self, operation: str, rows: str, **filters: Any) -> int:
        return sum(len(page.get(rows, [])) for page in self._bedrock.get_paginator(operation).paginate(**filters))

    def ours(self, *, older_than: timedelta) -> Iterator[Found]:
        """Running customization jobs, custom models and deployments whose names are of our making, not just created."""
        latest = datetime.now(UTC) - older_than
        for kind, operation, rows, name, arn, created, filters in _LISTS:
            pages = self._bedrock.get_paginator(operation).paginate(**filters)
            for page in pages:
                for row in page.get(rows, []):
                    if job_id_in(row[name]) and row[created] < latest:
                        yield Found(kind=kind, name=row[name], arn=row[arn])

    def is_tagged_ours(self, arn: str) -> bool:
        """Whether the resource carries this service's tag; one that is gone meanwhile carries none."""
        try:
            tags = self._bedrock.list_tags_for_resource(resourceARN=arn)["tags"]
        except ClientError as error:
            if is_missing(error):
                return False
            raise
        return any(tag["key"] == JOB_TAG for tag in tags)

    def deployment_statuses(self) -> dict[str, str]:
        """Status of every deployment of the account by ARN, in one list."""
        pages = self._bedrock.get_paginator("list_custom_model_deployments").paginate()
        return {
            row["customModelDeploymentArn"]: row["status"]
            for page in pages
            for row in page.get("modelDeploymentSummaries", [])
        }


def is_missing(error: ClientError) -> bool:
    """Whether Bedrock knows no such thing."""
    return error_code(error) == "ResourceNotFoundException"
