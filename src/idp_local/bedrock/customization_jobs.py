"""Customization-job operations: create, get, list, stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from idp_local.bedrock.account import PHASES, Account, CustomizationJob, Phase, checked_tags, now
from idp_local.bedrock.bucket import S3_ERRORS, check_write_access
from idp_local.bedrock.catalogue import FineTunableModel, hyperparameters
from idp_local.bedrock.errors import conflict, invalid, not_found
from idp_local.bedrock.listing import page
from idp_local.bedrock.training import Training

_TOKENS = "CreateModelCustomizationJob"


class CustomizationJobs:
    """The customization jobs of one account."""

    def __init__(self, account: Account, training: Training, s3: Any) -> None:
        self._account = account
        self._training = training
        self._s3 = s3

    def create(self, request: dict[str, Any]) -> dict[str, Any]:
        """CreateModelCustomizationJob. What only the data shows is refused later, in the job."""
        account = self._account
        token = request.get("clientRequestToken")
        with account.lock:
            if token and (known := account.tokens.get((_TOKENS, token))):
                return {"jobArn": known}
            self._names_are_free(request)
        base = self._base_model(request["baseModelIdentifier"])
        if request.get("customizationType", "FINE_TUNING") != "FINE_TUNING" or "customizationConfig" in request:
            raise invalid("The local Bedrock customizes by supervised FINE_TUNING only.")
        if "s3Uri" not in request["trainingDataConfig"]:
            raise invalid("trainingDataConfig.s3Uri is required for FINE_TUNING.")
        values = hyperparameters(request.get("hyperParameters", {}))
        job_tags = checked_tags(request.get("jobTags"))
        checked_tags(request.get("customModelTags"))
        self._check_output(request["outputDataConfig"]["s3Uri"])
        moment = now()
        phases = {name: Phase("NotStarted", moment, moment) for name in PHASES}
        # The first phase has begun once Get can see the job.
        phases["validation"] = Phase("InProgress", moment, moment)
        arn = account.new_arn("model-customization-job", base)
        job = CustomizationJob(arn, request, base, values, created=moment, modified=moment, phases=phases)
        with account.lock:
            # Again, for another request may have been faster while S3 was asked.
            if token and (known := account.tokens.get((_TOKENS, token))):
                return {"jobArn": known}
            self._names_are_free(request)
            account.jobs[arn] = job
            account.tags[arn] = job_tags
            if token:
                account.tokens[_TOKENS, token] = arn
            self._training.start(job)
        return {"jobArn": arn}

    def get(self, request: dict[str, Any]) -> dict[str, Any]:
        """GetModelCustomizationJob; by ARN or name."""
        job = self._job(request["jobIdentifier"])
        return {
            "jobArn": job.arn,
            "jobName": job.name,
            "outputModelName": job.model_name,
            "outputModelArn": job.model_arn,
            "clientRequestToken": job.request.get("clientRequestToken"),
            "roleArn": job.request["roleArn"],
            "status": job.status,
            "statusDetails": _status_details(job),
            "failureMessage": job.failure,
            "creationTime": job.created,
            "lastModifiedTime": job.modified,
            "endTime": job.ended,
            "baseModelArn": job.base.arn(self._account.region),
            "vpcConfig": job.request.get("vpcConfig"),
            **trained_with(job),
        }

    def list(self, request: dict[str, Any]) -> dict[str, Any]:
        """ListModelCustomizationJobs."""
        wanted: Mapping[str, Callable[[CustomizationJob, Any], bool]] = {
            "creationTimeAfter": lambda job, moment: job.created > moment,
            "creationTimeBefore": lambda job, moment: job.created < moment,
            "statusEquals": lambda job, status: job.status == status,
            "nameContains": lambda job, text: text in job.name,
        }
        with self._account.lock:
            jobs = list(self._account.jobs.values())
        filters = [(wanted[name], value) for name, value in request.items() if name in wanted]
        kept = [job for job in jobs if all(fits(job, value) for fits, value in filters)]
        return page("modelCustomizationJobSummaries", kept, request, self._summary)

    def stop(self, request: dict[str, Any]) -> dict[str, Any]:
        """StopModelCustomizationJob; a job that has ended is a ConflictException, one that is stopping is left be."""
        with self._account.lock:
            job = self._job(request["jobIdentifier"])
            if job.status == "Stopping":
                return {}
            if job.status != "InProgress":
                raise conflict(f"The job {job.name} is {job.status}; only a job in progress can be stopped.")
            moment = now()
            phases = {
                name: replace(phase, status="Stopping", modified=moment) if phase.status == "InProgress" else phase
                for name, phase in job.phases.items()
            }
            self._account.jobs[job.arn] = replace(job, status="Stopping", modified=moment, phases=phases)
            self._training.stop(job)
        return {}

    def _job(self, identifier: str) -> CustomizationJob:
        with self._account.lock:
            job = self._account.job(identifier)
        if job is None:
            raise not_found("model customization job", identifier)
        return job

    def _names_are_free(self, request: Mapping[str, Any]) -> None:
        # There is no DeleteModelCustomizationJob: a job's name is taken for good.
        if self._account.job(request["jobName"]):
            raise conflict(f"The job name {request['jobName']} is already in use.")
        name = request["customModelName"]
        unfinished = (job for job in self._account.jobs.values() if job.status in ("InProgress", "Stopping"))
        if self._account.model(name) or any(job.model_name == name for job in unfinished):
            raise conflict(f"The custom model name {name} is already in use.")

    def _base_model(self, identifier: str) -> FineTunableModel:
        offered = self._account.fine_tunable
        by_arn = {model.arn(self._account.region): model for model in offered.values()}
        model = offered.get(identifier) or by_arn.get(identifier)
        if model is None:
            raise invalid("The provided model identifier is invalid.")
        return model

    def _check_output(self, uri: str) -> None:
        try:
            check_write_access(self._s3, uri)
        except S3_ERRORS as error:
            raise invalid(f"Could not validate PutObject permissions to access Amazon S3: {uri}") from error

    def _summary(self, job: CustomizationJob) -> dict[str, Any]:
        return {
            "jobArn": job.arn,
            "baseModelArn": job.base.arn(self._account.region),
            "jobName": job.name,
            "status": job.status,
            "statusDetails": _status_details(job),
            "lastModifiedTime": job.modified,
            "creationTime": job.created,
            "endTime": job.ended,
            "customModelArn": job.model_arn,
            "customModelName": job.model_name,
            "customizationType": "FINE_TUNING",
        }


def trained_with(job: CustomizationJob) -> dict[str, Any]:
    """What a job and its model both show: data, hyperparameters and the losses of the last pass."""
    last = job.passes[-1] if job.passes else None
    return {
        "customizationType": "FINE_TUNING",
        "hyperParameters": dict(job.hyperparameters),
        "trainingDataConfig": job.request["trainingDataConfig"],
        # Present even where none was sent [botocore GetModelCustomizationJobResponse.required].
        "validationDataConfig": job.request.get("validationDataConfig", {"validators": []}),
        "outputDataConfig": job.request["outputDataConfig"],
        "trainingMetrics": {"trainingLoss": last.training_loss} if last else None,
        "validationMetrics": [{"validationLoss": loss} for loss in last.validation_losses] if last else None,
    }


def _status_details(job: CustomizationJob) -> dict[str, Any]:
    return {
        member: {
            "status": job.phases[name].status,
            "creationTime": job.phases[name].created,
            "lastModifiedTime": job.phases[name].modified,
        }
        for name, member in PHASES.items()
    }
