"""Bedrock, and the creation of customization jobs and deployments: exactly once, whatever Bedrock answers.

Creation comes first and lookups follow: only the answer of Create and the lists name what exists. Decision: "Create
first, then look".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from idp_finetuning.adapters.aws_calls import error_code, error_text
from idp_finetuning.adapters.bedrock_account import find_named, is_missing
from idp_finetuning.adapters.bedrock_resources import BedrockResources
from idp_finetuning.errors import TransientError
from idp_finetuning.jobs.bedrock_names import JOB_TAG
from idp_finetuning.jobs.ownership import may_be_unseen
from idp_finetuning.wire import WireModel, timestamp


class CustomizationRequest(WireModel):
    """Settings of a new customization job; names are legal for Bedrock, URIs are `s3://` objects or prefixes.

    `optional_hyper_parameters` are the names that may be left out if Bedrock refuses them, `omitted` those that were.
    """

    name: str
    role_arn: str
    base_model: str
    training_s3_uri: str
    validation_s3_uri: str | None
    output_s3_uri: str
    hyper_parameters: Mapping[str, str]
    optional_hyper_parameters: frozenset[str] = frozenset()
    omitted: frozenset[str] = frozenset()
    job_id: str
    tags: Mapping[str, str]


class DeploymentRequest(WireModel):
    """Settings of a new deployment of a custom model."""

    name: str
    model_arn: str
    job_id: str
    tags: Mapping[str, str]


class Begun(WireModel):
    """When the creation of this attempt's resource was noted, and whether by an earlier call."""

    at: str
    earlier: bool = False


class Created(WireModel):
    """What exists in Bedrock now, and since when."""

    arn: str
    at: str


class BedrockRefused(Exception):
    """Bedrock refused to create a resource and would refuse again; the message is its own."""


class BedrockBusy(BedrockRefused):
    """A quota is full or the model is not there yet; the same call may succeed later."""


class HyperParametersRefused(BedrockRefused):
    """Bedrock refused hyperparameters that may be left out; `names` has them."""

    def __init__(self, message: str, names: frozenset[str]) -> None:
        super().__init__(message)
        self.names = names


_REFUSED = frozenset(
    {
        "AccessDeniedException",
        "ConflictException",
        "ResourceNotFoundException",
        "ServiceQuotaExceededException",
        "TooManyTagsException",
        "ValidationException",
    }
)


class Bedrock(BedrockResources):
    """The control plane of Bedrock."""

    def ensure_customization_job(self, request: CustomizationRequest, begun: Begun) -> Created:
        """Create the job, or find it if it may exist.

        Raises BedrockRefused, BedrockBusy, HyperParametersRefused, or TransientError if it may exist unseen.
        """

        def create() -> str:
            try:
                return self._bedrock.create_model_customization_job(**_customization_arguments(request))["jobArn"]
            except ClientError as error:
                named = _optional_names_in(error_text(error), request)
                if error_code(error) == "ValidationException" and named:
                    raise HyperParametersRefused(error_text(error), named) from error
                raise

        return self._create_once(create, lambda: self._adopt_customization_job(request), begun)

    def ensure_deployment(self, request: DeploymentRequest, begun: Begun) -> Created:
        """Create the deployment, or find it if it may exist; errors are those of ensure_customization_job."""

        def create() -> str:
            if self.is_being_created(request.model_arn):
                raise BedrockBusy("The custom model is still being created.")
            try:
                return self._bedrock.create_custom_model_deployment(
                    modelDeploymentName=request.name,
                    modelArn=request.model_arn,
                    clientRequestToken=request.name,
                    tags=[{"key": key, "value": value} for key, value in request.tags.items()],
                )["customModelDeploymentArn"]
            except ClientError as error:
                if is_missing(error):
                    raise BedrockBusy(f"Bedrock does not show the custom model yet: {error_text(error)}") from error
                raise

        return self._create_once(create, lambda: self._adopt_deployment(request), begun)

    @staticmethod
    def _create_once(create: Callable[[], str], adopt: Callable[[], Created | None], begun: Begun) -> Created:
        if begun.earlier and (found := adopt()):
            return found
        try:
            return Created(arn=create(), at=timestamp())
        except ClientError as error:
            code = error_code(error)
            if code not in _REFUSED:
                raise
            # CreateCustomModelDeployment declares no ConflictException in botocore: a name that is taken has to come
            # back under another code.
            repeated = begun.earlier or error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0) > 0
            if code in ("ConflictException", "ValidationException"):
                if found := adopt():
                    return found
                if (repeated or code == "ConflictException") and may_be_unseen(begun.at):
                    raise TransientError(f"Bedrock may have it and not list it yet: {error_text(error)}") from error
            if code == "ServiceQuotaExceededException":
                raise BedrockBusy(f"Bedrock quota: {error_text(error)}") from error
            raise BedrockRefused(error_text(error)) from error

    def _adopt_customization_job(self, request: CustomizationRequest) -> Created | None:
        row = find_named(request.name, self.trainings(request.job_id))
        if row is None:
            return None
        shown = self.find_customization_job(row.arn)
        if shown and shown.output_s3_uri.rstrip("/") == request.output_s3_uri.rstrip("/"):
            return Created(arn=row.arn, at=timestamp(row.created_at))
        if self.tags(row.arn).get(JOB_TAG) == request.job_id:
            return Created(arn=row.arn, at=timestamp(row.created_at))
        if shown is None and may_be_unseen(timestamp(row.created_at)):
            raise TransientError(f"Bedrock lists customization job '{request.name}' but does not show it yet.")
        raise BedrockRefused(f"Customization job '{request.name}' exists in Bedrock, but not for this job.")

    def _adopt_deployment(self, request: DeploymentRequest) -> Created | None:
        row = find_named(request.name, self.deployments(request.job_id))
        if row is None:
            return None
        if row.model_arn != request.model_arn:
            raise BedrockRefused(f"Deployment '{request.name}' exists in Bedrock, but not for this job's model.")
        return Created(arn=row.arn, at=timestamp(row.created_at))


def _customization_arguments(request: CustomizationRequest) -> dict[str, Any]:
    tags = [{"key": key, "value": value} for key, value in request.tags.items()]
    sent = {name: value for name, value in request.hyper_parameters.items() if name not in request.omitted}
    arguments: dict[str, Any] = {
        "jobName": request.name,
        "customModelName": request.name,
        "roleArn": request.role_arn,
        # Under the token of a request that was refused, another one might get that refusal again.
        "clientRequestToken": request.name + (f"-without-{len(request.omitted)}" if request.omitted else ""),
        "baseModelIdentifier": request.base_model,
        "customizationType": "FINE_TUNING",
        "jobTags": tags,
        "customModelTags": tags,
        "trainingDataConfig": {"s3Uri": request.training_s3_uri},
        "outputDataConfig": {"s3Uri": request.output_s3_uri},
        "hyperParameters": sent,
    }
    if request.validation_s3_uri:
        arguments["validationDataConfig"] = {"validators": [{"s3Uri": request.validation_s3_uri}]}
    return arguments


def _optional_names_in(refusal: str, request: CustomizationRequest) -> frozenset[str]:
    """Return the optional hyperparameters that were sent and that a refusal names, in any case of letters."""
    sent = request.optional_hyper_parameters & request.hyper_parameters.keys() - request.omitted
    return frozenset(name for name in sent if name.lower() in refusal.lower())
