"""From a data set to a custom model: Bedrock's customization job, created once and polled to its end."""

from __future__ import annotations

from typing import Literal

from idp_finetuning.adapters.bedrock import Bedrock, BedrockRefused, CustomizationRequest
from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.errors import FinetuningError, JobNotFound, TrainingFailed
from idp_finetuning.jobs.job import STAGES, FinetuningJob, JobRun, JobStatus, TrainingMetrics
from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.jobs.life import JobChanges
from idp_finetuning.nova.base_models import find_base_model
from idp_finetuning.stages.bedrock_records import report_bedrock_records
from idp_finetuning.test_sets.split import Split
from idp_finetuning.wire import WireModel, timestamp


class TrainingProgress(WireModel):
    """Result of GetCustomizationJob; IsTrained decides on it."""

    status: Literal["InProgress", "Completed"]


def create_customization_job(run: JobRun, *, jobs: JobTable, bedrock: Bedrock, data_bucket: str, role_arn: str) -> None:
    """Move the job to TRAINING and create its customization job, or adopt the one an earlier call created.

    If the record has moved on meanwhile, what was created is stopped. Raises TrainingFailed.
    """
    job = jobs.move(run, JobStatus.TRAINING)
    root = f"s3://{data_bucket}/"
    layout = JobLayout(job_id=job.id)
    model = find_base_model(job.base_model)
    request = CustomizationRequest(
        name=job.training_name,
        role_arn=role_arn,
        base_model=model.fine_tuning_id,
        training_s3_uri=root + layout.dataset(Split.TRAIN),
        validation_s3_uri=root + layout.dataset(Split.VALIDATION) if job.validation_records else None,
        output_s3_uri=root + layout.output,
        hyper_parameters=job.hyper_parameters.for_bedrock(),
        optional_hyper_parameters=model.optional_hyper_parameters,
        job_id=job.id,
    )
    try:
        created = bedrock.ensure_customization_job(request)
    except BedrockRefused as refusal:
        raise TrainingFailed(
            f"Bedrock refused the customization job: {refusal} Check Bedrock quotas and permissions."
        ) from refusal
    try:
        jobs.move(
            run,
            JobStatus.TRAINING,
            None if job.customization_job_arn == created.arn else f"Bedrock accepted customization job {request.name}.",
            customization_job_arn=created.arn,
            training_started_at=created.created_at,
        )
    except FinetuningError:
        if not _is_adopted(request.name, run.job_id, jobs):
            bedrock.stop_customization_job(created.arn)
        raise


def _is_adopted(name: str, job_id: str, jobs: JobTable) -> bool:
    """Check whether a later run of the job has adopted this training."""
    try:
        job = jobs.get(job_id)
    except JobNotFound:
        return False
    return job.status in STAGES and job.training_name == name


def get_customization_job(run: JobRun, *, jobs: JobTable, bedrock: Bedrock, data: DataBucket) -> TrainingProgress:
    """Store the losses and the progress that Bedrock shows; return whether the model exists. Raises TrainingFailed."""
    job = jobs.move(run, JobStatus.TRAINING)
    found = bedrock.find_customization_job(job.customization_job_arn or job.training_name)
    if not found:
        raise TrainingFailed(f"Bedrock no longer shows customization job '{job.training_name}'. Start the job again.")
    changes: JobChanges = {
        "training_metrics": _merge_metrics(job.training_metrics, found.metrics),
        "customization_job_status": found.progress,
    }
    if found.status == "Completed":
        changes["custom_model_arn"] = found.model_arn
        changes["training_completed_at"] = job.training_completed_at or found.ended_at or timestamp()
    if found.status in ("Completed", "Failed"):
        noticed = report_bedrock_records(job.id, found.arn, data)
        changes["warnings"] = tuple(dict.fromkeys((*job.warnings, *noticed)))
    is_news = found.progress != job.customization_job_status
    jobs.move(run, JobStatus.TRAINING, f"Bedrock: {found.progress}." if is_news else None, **changes)
    if found.status == "Failed":
        raise TrainingFailed(
            f"{found.failure_message or 'Bedrock gave no reason.'} Check the training data, Bedrock "
            "quotas and permissions."
        )
    if found.status == "Stopped":
        raise TrainingFailed("the customization job was stopped in Bedrock. Retry the job.")
    return TrainingProgress(status="Completed" if found.status == "Completed" else "InProgress")


def stop_training(job: FinetuningJob, bedrock: Bedrock) -> None:
    """Stop the job's training in Bedrock if it is in progress."""
    found = bedrock.find_customization_job(job.customization_job_arn or job.training_name)
    if found and found.status == "InProgress":
        bedrock.stop_customization_job(found.arn)


def _merge_metrics(known: TrainingMetrics | None, new: TrainingMetrics) -> TrainingMetrics:
    """Put new losses over known ones; a poll that shows none removes none."""
    known = known or TrainingMetrics()
    return TrainingMetrics(
        training_loss=known.training_loss if new.training_loss is None else new.training_loss,
        validation_loss=known.validation_loss if new.validation_loss is None else new.validation_loss,
    )
