"""The stage at which a failed or stopped job continues: the first whose result Bedrock does not have yet."""

from __future__ import annotations

from idp_finetuning.adapters.bedrock import Bedrock
from idp_finetuning.jobs.job import FinetuningJob, JobStatus
from idp_finetuning.jobs.life import Resumption


def choose_resumption(job: FinetuningJob, bedrock: Bedrock) -> Resumption:
    """Choose the stage, and a new attempt if Bedrock shows the last one as failed.

    A trained model is deployed and not trained again; a deployment or training in progress is adopted.
    """
    if job.custom_model_arn:
        deployment = bedrock.find_deployment(job.deployment_name)
        return Resumption(
            stage=JobStatus.DEPLOYING, new_attempt=deployment is not None and deployment.status == "Failed"
        )
    training = bedrock.find_customization_job(job.training_name)
    if training:
        # The data set exists, whatever stage a racing stop noted.
        ended_badly = training.status in ("Failed", "Stopping", "Stopped")
        return Resumption(stage=JobStatus.TRAINING, new_attempt=ended_badly)
    return Resumption(stage=JobStatus.TRAINING if job.error_stage is JobStatus.TRAINING else JobStatus.VALIDATING)
