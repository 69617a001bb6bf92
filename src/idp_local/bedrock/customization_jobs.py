"""Operations on model customization jobs: create, get, list, stop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from idp_local.bedrock.account import (
    PHASES,
    Account,
    CustomizationJob,
    check_tags,
    new_phases,
    now,
)
from idp_local.bedrock.errors import conflict, invalid, quota_full
from idp_local.bedrock.foundation_models import FineTunableModel, complete_hyperparameters
from idp_local.bedrock.lists import Filters, list_page
from idp_local.bedrock.s3 import S3_ERRORS, SlashEcho, check_write_access, echo_prefix
from idp_local.bedrock.shapes import UnlistedStatus
from idp_local.bedrock.training import Training

_CREATE = "CreateModelCustomizationJob"


class CustomizationJobs:
    """The customization jobs of one account."""

    def __init__(self, account: Account, training: Training, s3: Any) -> None:
        self._account = account
        self._training = training
        self._s3 = s3

    def create(self, request: dict[str, Any]) -> dict[str, Any]:
        """CreateModelCustomizationJob. Broken rules of the data set fail the job later, not the request."""
        account = self._account
        with account.lock:
            if known := account.find_created(_CREATE, request):
                return {"jobArn": known}
            self._require_free_names(request)
        base = self._find_base_model(request["baseModelIdentifier"])
        if request.get("customizationType", "FINE_TUNING") != "FINE_TUNING" or "customizationConfig" in request:
            raise invalid("The local Bedrock customizes by supervised FINE_TUNING only.")
        if "s3Uri" not in request["trainingDataConfig"]:
            raise invalid("trainingDataConfig.s3Uri is required for FINE_TUNING.")
        values = complete_hyperparameters(base, request.get("hyperParameters", {}))
        job_tags = check_tags(request.get("jobTags"))
        check_tags(request.get("customModelTags"))
        self._check_output(request["outputDataConfig"]["s3Uri"])
        moment = now()
        arn = account.new_arn("model-customization-job", base)
        job = CustomizationJob(arn, request, base, values, created=moment, modified=moment, phases=new_phases(moment))
        with account.lock:
            # Once more: another request may have come in during the calls of S3.
            if known := account.find_created(_CREATE, request):
                return {"jobArn": known}
            self._require_free_names(request)
            self._require_quota()
            account.jobs[arn] = job
            account.tags[arn] = job_tags
            account.record_created(_CREATE, request, arn)
            self._training.start(job)
        return {"jobArn": arn}

    def get(self, request: dict[str, Any]) -> dict[str, Any]:
        """GetModelCustomizationJob; by ARN or name."""
        job = self._account.get_job(request["jobIdentifier"])
        self._account.check_throttling(job)
        return {
            "jobArn": job.arn,
            "jobName": job.name,
            "outputModelName": job.model_name,
            "outputModelArn": self._model_arn(job),
            "clientRequestToken": job.request.get("clientRequestToken"),
            "roleArn": job.request["roleArn"],
            "status": self._status(job),
            "statusDetails": _status_details(job),
            "failureMessage": job.failure,
            "creationTime": job.created,
            "lastModifiedTime": job.modified,
            "endTime": job.ended,
            "baseModelArn": job.base.arn(self._account.region),
            "vpcConfig": job.request.get("vpcConfig"),
            **describe_training(job, self._account.switches.s3_uri_echo),
        }

    def list(self, request: dict[str, Any]) -> dict[str, Any]:
        """ListModelCustomizationJobs, with all its filters."""
        filters: Filters[CustomizationJob] = {
            "creationTimeAfter": lambda job, moment: job.created > moment,
            "creationTimeBefore": lambda job, moment: job.created < moment,
            "statusEquals": lambda job, status: self._status(job) == status,
            "nameContains": lambda job, text: text in job.name,
        }
        with self._account.lock:
            jobs = [job for job in self._account.jobs.values() if self._account.is_visible(job)]
        rows, token = list_page(jobs, request, filters, self._summary)
        return {"modelCustomizationJobSummaries": rows, "nextToken": token}

    def stop(self, request: dict[str, Any]) -> dict[str, Any]:
        """StopModelCustomizationJob; ConflictException if the job has ended, no effect if it is stopping."""
        with self._account.lock:
            job = self._account.get_job(request["jobIdentifier"])
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

    def _require_free_names(self, request: Mapping[str, Any]) -> None:
        # There is no DeleteModelCustomizationJob: a job's name stays in use.
        if self._account.find_job(request["jobName"]):
            raise conflict(f"The job name {request['jobName']} is already in use.")
        name = request["customModelName"]
        if self._account.find_model(name) or any(job.model_name == name for job in _unfinished(self._account)):
            raise conflict(f"The custom model name {name} is already in use.")

    def _require_quota(self) -> None:
        quota = self._account.switches.jobs_in_progress
        if quota and len(_unfinished(self._account)) >= quota:
            raise quota_full("model customization jobs in progress", quota)

    def _status(self, job: CustomizationJob) -> str:
        """Return the status to show: the job's, or before it the first ones of the switches."""
        first = self._account.switches.first_job_statuses
        shown = int((now() - job.created).total_seconds() / max(self._account.seconds_per_phase, 0.001))
        return UnlistedStatus(first[shown]) if job.status == "InProgress" and shown < len(first) else job.status

    def _model_arn(self, job: CustomizationJob) -> str | None:
        delay = timedelta(seconds=self._account.switches.model_arn_after)
        return job.model_arn if job.ended and now() >= job.ended + delay else None

    def _find_base_model(self, identifier: str) -> FineTunableModel:
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
            "status": self._status(job),
            "statusDetails": _status_details(job),
            "lastModifiedTime": job.modified,
            "creationTime": job.created,
            "endTime": job.ended,
            "customModelArn": self._model_arn(job),
            "customModelName": job.model_name,
            "customizationType": "FINE_TUNING",
        }


def _unfinished(account: Account) -> list[CustomizationJob]:
    return [job for job in account.jobs.values() if job.status in ("InProgress", "Stopping")]


def describe_training(job: CustomizationJob, echo: SlashEcho) -> dict[str, Any]:
    """Return what a job and its model both show: data, hyperparameters and the losses of the last pass."""
    last = job.passes[-1] if job.passes else None
    return {
        "customizationType": "FINE_TUNING",
        "hyperParameters": dict(job.hyperparameters),
        "trainingDataConfig": job.request["trainingDataConfig"],
        # Required in GetModelCustomizationJobResponse (botocore), even if the request had none.
        "validationDataConfig": job.request.get("validationDataConfig", {"validators": []}),
        "outputDataConfig": {"s3Uri": echo_prefix(job.request["outputDataConfig"]["s3Uri"], echo)},
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
