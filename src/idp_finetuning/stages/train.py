"""From a data set to a custom model: Bedrock's customization job, created once and polled to its end."""

from __future__ import annotations

from contextlib import suppress
from typing import Literal

from idp_finetuning.adapters.aws_calls import aws_calls
from idp_finetuning.adapters.bedrock import (
    Bedrock,
    BedrockBusy,
    BedrockRefused,
    Begun,
    Created,
    CustomizationRequest,
    HyperParametersRefused,
)
from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.errors import (
    AwsCallRefused,
    JobNotFound,
    JobStopping,
    StaleState,
    TrainingFailed,
    TransientError,
)
from idp_finetuning.jobs.bedrock_names import bedrock_tags
from idp_finetuning.jobs.job import FinetuningJob, JobRun, JobStatus, TrainingMetrics
from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.jobs.life import JobChanges
from idp_finetuning.jobs.ownership import is_abandoned, may_be_unseen
from idp_finetuning.nova.base_models import find_base_model
from idp_finetuning.stages.bedrock_records import report_bedrock_records
from idp_finetuning.stages.loss_curve import keep_loss_curve
from idp_finetuning.test_sets.split import Split
from idp_finetuning.wire import WireModel, timestamp


class TrainingProgress(WireModel):
    """Result of GetCustomizationJob; IsTrained decides on it.

    The customization job is NotCreated while it waits for a quota, and if its creation met passing trouble.
    """

    status: Literal["NotCreated", "InProgress", "Completed"]


def create_customization_job(
    run: JobRun, *, jobs: JobTable, bedrock: Bedrock, data_bucket: str, role_arn: str, deployment_name: str
) -> None:
    """Move the job to TRAINING and create its customization job, or adopt the one an earlier call created.

    A full quota is waited out. What was created for a job that was stopped or deleted meanwhile is stopped; nothing
    else stops it. Raises TrainingFailed.
    """
    job, noted = jobs.begin_creation(run, JobStatus.TRAINING)
    if job.customization_job_arn:
        return
    begun = Begun(at=job.training_begun_at or timestamp(), earlier=noted)
    try:
        created = _create(job, begun, jobs, bedrock, (data_bucket, role_arn, deployment_name))
    except BedrockBusy as busy:
        words = None if job.waiting_for else f"Waiting. {busy}"
        jobs.move(run, JobStatus.TRAINING, words, waiting_for=str(busy))
        return
    except BedrockRefused as refusal:
        raise TrainingFailed(
            f"Bedrock refused the customization job: {refusal} Check Bedrock quotas and permissions."
        ) from refusal
    try:
        jobs.finish_creation(
            run,
            JobStatus.TRAINING,
            arn=created.arn,
            at=created.at,
            message=f"Bedrock accepted customization job {job.training_name}.",
        )
    except (JobNotFound, JobStopping, StaleState):
        if is_abandoned(_find(run.job_id, jobs)):
            bedrock.stop_customization_job(created.arn)
        raise


def _create(
    job: FinetuningJob, begun: Begun, jobs: JobTable, bedrock: Bedrock, settings: tuple[str, str, str]
) -> Created:
    """Create the customization job, without those optional hyperparameters that Bedrock refuses."""
    while True:
        try:
            return bedrock.ensure_customization_job(_request(job, *settings), begun)
        except HyperParametersRefused as refused:
            names = ", ".join(sorted(refused.names))
            warning = f"Bedrock refused {names} for this model; training goes on without. It said: {refused}"
            job = jobs.move(
                job.current_run,
                JobStatus.TRAINING,
                warning,
                omitted_hyper_parameters=tuple(sorted({*job.omitted_hyper_parameters, *refused.names})),
                warnings=(*job.warnings, warning),
            )


def _request(job: FinetuningJob, data_bucket: str, role_arn: str, deployment_name: str) -> CustomizationRequest:
    root = f"s3://{data_bucket}/"
    layout = JobLayout(job_id=job.id)
    model = find_base_model(job.base_model)
    return CustomizationRequest(
        name=job.training_name,
        role_arn=role_arn,
        base_model=model.fine_tuning_id,
        training_s3_uri=root + layout.dataset(Split.TRAIN),
        validation_s3_uri=root + layout.dataset(Split.VALIDATION) if job.validation_records else None,
        output_s3_uri=root + layout.output,
        hyper_parameters=job.hyper_parameters.for_bedrock(),
        optional_hyper_parameters=model.optional_hyper_parameters,
        omitted=frozenset(job.omitted_hyper_parameters),
        job_id=job.id,
        tags=bedrock_tags(deployment_name, job.id, job.created_by_sub),
    )


def get_customization_job(run: JobRun, *, jobs: JobTable, bedrock: Bedrock, data: DataBucket) -> TrainingProgress:
    """Store the losses and the progress that Bedrock shows; return whether the model exists. Raises TrainingFailed."""
    job = jobs.move(run, JobStatus.TRAINING)
    if not job.customization_job_arn:
        return TrainingProgress(status="NotCreated")
    found = bedrock.find_customization_job(job.customization_job_arn)
    if not found:
        if may_be_unseen(job.training_started_at):
            return TrainingProgress(status="InProgress")
        raise TrainingFailed(f"Bedrock no longer shows customization job '{job.training_name}'. Retry the job.")
    changes: JobChanges = {
        "training_metrics": _merge_metrics(job.training_metrics, found.metrics),
        "customization_job_status": found.progress,
    }
    if found.is_completed:
        changes["custom_model_arn"] = found.model_arn
        changes["training_completed_at"] = job.training_completed_at or found.ended_at or timestamp()
    if found.status in ("Completed", "Failed"):
        noticed = (*report_bedrock_records(job.id, found.arn, data), *keep_loss_curve(job.id, found.arn, data))
        changes["warnings"] = tuple(dict.fromkeys((*job.warnings, *noticed)))
    is_news = found.progress != job.customization_job_status
    jobs.move(run, JobStatus.TRAINING, f"Bedrock: {found.progress}." if is_news else None, **changes)
    if found.status == "Failed":
        raise TrainingFailed(
            f"{found.failure_message or 'Bedrock gave no reason.'} Check the training data, Bedrock "
            "quotas and permissions."
        )
    if found.ended_badly:
        raise TrainingFailed("the customization job was stopped in Bedrock. Retry the job.")
    return TrainingProgress(status="Completed" if found.is_completed else "InProgress")


def stop_training(job: FinetuningJob, bedrock: Bedrock) -> None:
    """Stop what Bedrock still trains for the job: by the ARN in its record, else what Bedrock lists of it."""
    if job.customization_job_arn:
        if not job.custom_model_arn:
            bedrock.stop_customization_job(job.customization_job_arn)
    elif job.training_begun_at:
        for found in bedrock.trainings(job.id):
            if found.is_training:
                bedrock.stop_customization_job(found.arn)


def stop_abandoned_training(job_id: str, *, jobs: JobTable, bedrock: Bedrock) -> None:
    """Stop the job's training if a user or a deadline ended it; if Bedrock cannot be asked, the sweep stops it."""
    job = _find(job_id, jobs)
    if job and is_abandoned(job):
        with suppress(AwsCallRefused, TransientError), aws_calls():
            stop_training(job, bedrock)


def _find(job_id: str, jobs: JobTable) -> FinetuningJob | None:
    try:
        return jobs.get(job_id)
    except JobNotFound:
        return None


def _merge_metrics(known: TrainingMetrics | None, new: TrainingMetrics) -> TrainingMetrics:
    """Put new losses over known ones; a poll that shows none removes none."""
    known = known or TrainingMetrics()
    return TrainingMetrics(
        training_loss=known.training_loss if new.training_loss is None else new.training_loss,
        validation_loss=known.validation_loss if new.validation_loss is None else new.validation_loss,
    )
