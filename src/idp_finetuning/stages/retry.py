"""The stage at which a failed or stopped job continues: the first whose result Bedrock does not have yet."""

from __future__ import annotations

from idp_finetuning.adapters.bedrock import Bedrock
from idp_finetuning.adapters.bedrock_account import find_named
from idp_finetuning.jobs.job import FinetuningJob, JobStatus
from idp_finetuning.jobs.life import Resumption
from idp_finetuning.jobs.ownership import may_be_unseen

# What stands for a status if Bedrock shows none by ARN: it may follow, or it will not.
_UNSEEN, _LOST = "unseen", "lost"
_TRAINED_BADLY = frozenset({"Failed", "Stopping", "Stopped", _LOST})
_DEPLOYED_BADLY = frozenset({"Failed", _LOST})


def choose_resumption(job: FinetuningJob, bedrock: Bedrock) -> Resumption:
    """Choose the stage, and a new attempt if Bedrock shows the last one as failed or has lost it.

    A trained model is deployed and not trained again; a deployment or training in progress is adopted.
    """
    if job.custom_model_arn:
        return Resumption(stage=JobStatus.DEPLOYING, new_attempt=_deployment_status(job, bedrock) in _DEPLOYED_BADLY)
    training = _training_status(job, bedrock)
    if training:
        # The data set exists, whatever stage a racing stop noted.
        return Resumption(stage=JobStatus.TRAINING, new_attempt=training in _TRAINED_BADLY)
    return Resumption(stage=JobStatus.TRAINING if job.error_stage is JobStatus.TRAINING else JobStatus.VALIDATING)


def _training_status(job: FinetuningJob, bedrock: Bedrock) -> str | None:
    """Return Bedrock's word for this attempt, _LOST if it is no longer shown, None if there is nothing to find."""
    if arn := job.customization_job_arn:
        found = bedrock.find_customization_job(arn)
        return found.status if found else _missing(job.training_started_at)
    listed = find_named(job.training_name, bedrock.trainings(job.id)) if job.training_begun_at else None
    return listed.status if listed else None


def _deployment_status(job: FinetuningJob, bedrock: Bedrock) -> str | None:
    """Return Bedrock's word for this attempt, as `_training_status` does."""
    if arn := job.custom_model_deployment_arn:
        found = bedrock.find_deployment(arn)
        return found.status if found else _missing(job.deployment_started_at)
    listed = find_named(job.deployment_name, bedrock.deployments(job.id)) if job.deployment_begun_at else None
    return listed.status if listed else None


def _missing(created_at: str | None) -> str:
    return _UNSEEN if may_be_unseen(created_at) else _LOST
