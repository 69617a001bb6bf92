"""Bedrock: customization jobs, custom models and their on-demand deployments, each created exactly once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from botocore.exceptions import ClientError

from idp_finetuning.adapters.aws_calls import error_code, error_text
from idp_finetuning.adapters.bedrock_account import JOB_TAG, BedrockAccount, is_missing
from idp_finetuning.errors import TransientError
from idp_finetuning.jobs.job import TrainingMetrics
from idp_finetuning.wire import WireModel, timestamp


class CustomizationJob(WireModel):
    """A customization job as Bedrock reports it (botocore: bedrock GetModelCustomizationJobResponse)."""

    arn: str
    status: Literal["InProgress", "Completed", "Failed", "Stopping", "Stopped"]
    output_s3_uri: str
    model_arn: str | None
    failure_message: str | None
    created_at: str
    ended_at: str | None
    metrics: TrainingMetrics
    training_started: bool = True
    progress: str


class ModelDeployment(WireModel):
    """An on-demand deployment as Bedrock reports it (botocore: bedrock GetCustomModelDeploymentResponse)."""

    arn: str
    status: Literal["Creating", "Active", "Failed"]
    model_arn: str
    failure_message: str | None


class CustomizationRequest(WireModel):
    """Settings of a new customization job; names are legal for Bedrock, URIs are `s3://` objects or prefixes.

    `optional_hyper_parameters` are the names that may be left out if Bedrock refuses one.
    """

    name: str
    role_arn: str
    base_model: str
    training_s3_uri: str
    validation_s3_uri: str | None
    output_s3_uri: str
    hyper_parameters: Mapping[str, str]
    optional_hyper_parameters: frozenset[str] = frozenset()
    job_id: str


class BedrockRefused(Exception):
    """Bedrock refused to create a resource and would refuse again; the message is its own."""


class BedrockBusy(BedrockRefused):
    """A quota is full or the model is not there yet; the same call may succeed later."""


# Errors Bedrock may return if a name is taken; CreateCustomModelDeployment declares no ConflictException in botocore.
_TAKEN = frozenset({"ConflictException", "ValidationException"})
_REFUSED = _TAKEN | {"ServiceQuotaExceededException", "TooManyTagsException", "AccessDeniedException"}


class Bedrock(BedrockAccount):
    """The control plane of Bedrock."""

    def find_customization_job(self, name_or_arn: str) -> CustomizationJob | None:
        """Return the job, or None if Bedrock knows none."""
        try:
            answer = self._bedrock.get_model_customization_job(jobIdentifier=name_or_arn)
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        losses = [metric.get("validationLoss") for metric in answer.get("validationMetrics") or []]
        training = ((answer.get("statusDetails") or {}).get("trainingDetails") or {}).get("status")
        return CustomizationJob(
            arn=answer["jobArn"],
            status=answer["status"],
            output_s3_uri=answer["outputDataConfig"]["s3Uri"],
            model_arn=answer.get("outputModelArn"),
            failure_message=answer.get("failureMessage"),
            created_at=timestamp(answer["creationTime"]),
            ended_at=timestamp(answer["endTime"]) if answer.get("endTime") else None,
            metrics=TrainingMetrics(
                training_loss=_drop_non_finite((answer.get("trainingMetrics") or {}).get("trainingLoss")),
                validation_loss=_drop_non_finite(losses[0] if losses else None),
            ),
            training_started=training != "NotStarted",
            progress=answer["status"] + (f", training {training}" if training and training != answer["status"] else ""),
        )

    def ensure_customization_job(self, request: CustomizationRequest) -> CustomizationJob:
        """Return the job with this name, and create it if it does not exist. Raises BedrockRefused.

        A name is never free again, so a job that has it is from an earlier run of this request.
        """
        found = self.find_customization_job(request.name)
        if not found:
            try:
                self._create_customization_job(request)
            except ClientError as error:
                if error_code(error) not in _REFUSED:
                    raise
                found = self.find_customization_job(request.name) if error_code(error) in _TAKEN else None
                if not found:
                    raise BedrockRefused(error_text(error)) from error
            found = found or self.find_customization_job(request.name)
        if not found:
            raise TransientError(f"Bedrock accepted customization job '{request.name}' but does not show it yet.")
        if found.output_s3_uri != request.output_s3_uri:
            raise BedrockRefused(f"Customization job '{request.name}' exists in Bedrock, but not for this job.")
        return found

    def _create_customization_job(self, request: CustomizationRequest) -> None:
        tags = [{"key": JOB_TAG, "value": request.job_id}]
        arguments: dict[str, Any] = {
            "jobName": request.name,
            "customModelName": request.name,
            "roleArn": request.role_arn,
            "clientRequestToken": request.name,
            "baseModelIdentifier": request.base_model,
            "customizationType": "FINE_TUNING",
            "jobTags": tags,
            "customModelTags": tags,
            "trainingDataConfig": {"s3Uri": request.training_s3_uri},
            "outputDataConfig": {"s3Uri": request.output_s3_uri},
            "hyperParameters": dict(request.hyper_parameters),
        }
        if request.validation_s3_uri:
            arguments["validationDataConfig"] = {"validators": [{"s3Uri": request.validation_s3_uri}]}
        self._bedrock.create_model_customization_job(**arguments)

    def stop_customization_job(self, arn: str) -> None:
        """Stop a running job; one that has ended stays as it is."""
        try:
            self._bedrock.stop_model_customization_job(jobIdentifier=arn)
        except ClientError as error:
            if error_code(error) not in ("ConflictException", "ResourceNotFoundException"):
                raise

    def find_deployment(self, name_or_arn: str) -> ModelDeployment | None:
        """Return the deployment, or None if Bedrock knows none."""
        try:
            answer = self._bedrock.get_custom_model_deployment(customModelDeploymentIdentifier=name_or_arn)
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        return ModelDeployment(
            arn=answer["customModelDeploymentArn"],
            status=answer["status"],
            model_arn=answer["modelArn"],
            failure_message=answer.get("failureMessage"),
        )

    def ensure_deployment(self, *, name: str, model_arn: str, job_id: str) -> ModelDeployment:
        """Return the deployment with this name, and create it if needed. Raises BedrockRefused or BedrockBusy."""
        found = self.find_deployment(name)
        if not found:
            if self._is_being_created(model_arn):
                raise BedrockBusy("The custom model is still being created.")
            try:
                self._bedrock.create_custom_model_deployment(
                    modelDeploymentName=name,
                    modelArn=model_arn,
                    clientRequestToken=name,
                    tags=[{"key": JOB_TAG, "value": job_id}],
                )
            except ClientError as error:
                if error_code(error) not in _REFUSED:
                    raise
                if error_code(error) == "ServiceQuotaExceededException":
                    raise BedrockBusy(f"Bedrock quota: {error_text(error)}") from error
                found = self.find_deployment(name) if error_code(error) in _TAKEN else None
                if not found:
                    raise BedrockRefused(error_text(error)) from error
            found = found or self.find_deployment(name)
        if not found:
            raise TransientError(f"Bedrock accepted deployment '{name}' but does not show it yet.")
        if found.model_arn != model_arn:
            raise BedrockRefused(f"Deployment '{name}' exists in Bedrock, but not for this job's model.")
        return found

    def _is_being_created(self, model_arn: str) -> bool:
        """Return whether the model is still Creating (botocore: bedrock ModelStatus); not so if it is missing."""
        try:
            answer = self._bedrock.get_custom_model(modelIdentifier=model_arn)
        except ClientError as error:
            if is_missing(error):
                return False
            raise
        return bool(answer.get("modelStatus") == "Creating")

    def delete_deployment(self, arn: str) -> None:
        """Start the deletion of a deployment, unless it is gone or being deleted."""
        try:
            self._bedrock.delete_custom_model_deployment(customModelDeploymentIdentifier=arn)
        except ClientError as error:
            if error_code(error) != "ConflictException" and not is_missing(error):
                raise

    def delete_model(self, name_or_arn: str) -> bool:
        """Delete a custom model; return False while a deployment still uses it."""
        try:
            self._bedrock.delete_custom_model(modelIdentifier=name_or_arn)
        except ClientError as error:
            if error_code(error) == "ConflictException":
                return False
            if not is_missing(error):
                raise
        return True


def _drop_non_finite(loss: float | None) -> float | None:
    """Return the loss, or None if training diverged: DynamoDB and GraphQL cannot store NaN or infinity."""
    return loss if loss is not None and math.isfinite(loss) else None
