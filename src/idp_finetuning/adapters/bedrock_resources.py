"""What exists in Bedrock, by its ARN: customization jobs and deployments, read, stopped and removed."""

from __future__ import annotations

import math

from botocore.exceptions import ClientError

from idp_finetuning.adapters.aws_calls import error_code, error_text
from idp_finetuning.adapters.bedrock_account import ENDED_STATUSES, BedrockAccount, is_missing
from idp_finetuning.jobs.job import TrainingMetrics
from idp_finetuning.wire import WireModel, timestamp


class CustomizationJob(WireModel):
    """A customization job as Bedrock reports it (botocore: bedrock GetModelCustomizationJobResponse).

    `status` is Bedrock's own word: any that is not known to be an end means that Bedrock still works.
    """

    arn: str
    status: str
    output_s3_uri: str
    model_arn: str | None
    failure_message: str | None
    created_at: str
    ended_at: str | None
    metrics: TrainingMetrics
    training_started: bool = True
    progress: str

    @property
    def is_completed(self) -> bool:
        """Whether the custom model is there: a completed job may not name it at once."""
        return self.status == "Completed" and self.model_arn is not None

    @property
    def ended_badly(self) -> bool:
        """Whether there will be no model."""
        return self.status in ENDED_STATUSES - {"Completed"}


class ModelDeployment(WireModel):
    """An on-demand deployment as Bedrock reports it (botocore: bedrock GetCustomModelDeploymentResponse)."""

    arn: str
    status: str
    failure_message: str | None


# How Bedrock refuses to delete or stop what is changing just now (reported: a ValidationException about a "mutating
# state"; botocore declares ConflictException).
_CHANGING = frozenset({"ConflictException", "ValidationException"})
# Codes under which Bedrock may say that it knows no model of an ARN.
_UNKNOWN = frozenset({"AccessDeniedException", "ResourceNotFoundException", "ValidationException"})


class BedrockResources(BedrockAccount):
    """The control plane of Bedrock, without creation. No call names what may not exist but by its ARN."""

    def find_customization_job(self, arn: str) -> CustomizationJob | None:
        """Return the job, or None if Bedrock does not show it."""
        try:
            answer = self._bedrock.get_model_customization_job(jobIdentifier=arn)
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

    def stop_customization_job(self, arn: str) -> None:
        """Stop a running job; one that has ended stays as it is."""
        try:
            self._bedrock.stop_model_customization_job(jobIdentifier=arn)
        except ClientError as error:
            if error_code(error) not in _CHANGING and not is_missing(error):
                raise

    def find_deployment(self, arn: str) -> ModelDeployment | None:
        """Return the deployment, or None if Bedrock does not show it."""
        try:
            answer = self._bedrock.get_custom_model_deployment(customModelDeploymentIdentifier=arn)
        except ClientError as error:
            if is_missing(error):
                return None
            raise
        return ModelDeployment(
            arn=answer["customModelDeploymentArn"],
            status=answer["status"],
            failure_message=answer.get("failureMessage"),
        )

    def delete_deployment(self, arn: str) -> str | None:
        """Start the deletion of a deployment, unless it is gone; return Bedrock's words if it cannot go just now."""
        try:
            self._bedrock.delete_custom_model_deployment(customModelDeploymentIdentifier=arn)
        except ClientError as error:
            return _words_if_changing(error)
        return None

    def delete_model(self, arn: str) -> str | None:
        """Delete a custom model, unless it is gone; return Bedrock's words if it cannot go just now."""
        try:
            self._bedrock.delete_custom_model(modelIdentifier=arn)
        except ClientError as error:
            return _words_if_changing(error)
        return None

    def is_being_created(self, model_arn: str) -> bool:
        """Return whether the model is still Creating (botocore: bedrock ModelStatus); not so if it is not shown."""
        try:
            answer = self._bedrock.get_custom_model(modelIdentifier=model_arn)
        except ClientError as error:
            if error_code(error) in _UNKNOWN:
                return False
            raise
        return answer.get("modelStatus", "Active") not in ("Active", "Failed")


def _words_if_changing(error: ClientError) -> str | None:
    if is_missing(error):
        return None
    if error_code(error) not in _CHANGING:
        raise error
    return error_text(error)


def _drop_non_finite(loss: float | None) -> float | None:
    """Return the loss, or None if training diverged: DynamoDB and GraphQL cannot store NaN or infinity."""
    return loss if loss is not None and math.isfinite(loss) else None
