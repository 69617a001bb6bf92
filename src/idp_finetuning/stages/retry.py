"""Where a failed or stopped job goes on: at the first thing that is not there yet."""

from __future__ import annotations

from typing import Any

from idp_finetuning.adapters.bedrock import Bedrock
from idp_finetuning.jobs.job import FinetuningJob, JobStatus
from idp_finetuning.stages.deploy import deployment_name
from idp_finetuning.stages.train import training_name


def where_to_resume(job: FinetuningJob, bedrock: Bedrock) -> dict[str, Any]:
    """Arguments of JobTable.resume: the stage, and the next attempt where Bedrock has the last one as failed.

    A model that is trained is deployed and not trained again; a deployment or training that goes on is adopted.
    """
    if job.custom_model_arn:
        return _deploying(job, bedrock)
    found = bedrock.find_customization_job(training_name(job))
    # Where training was submitted the data set is there, whatever stage a racing stop has noted.
    if not found and job.error_stage is not JobStatus.TRAINING:
        return {"stage": JobStatus.VALIDATING, "documents": None}
    if found and found.status in ("Failed", "Stopping", "Stopped"):
        return {
            "stage": JobStatus.TRAINING,
            "training_attempt": job.training_attempt + 1,
            "customization_job_arn": None,
            "customization_job_status": None,
            "training_metrics": None,
        }
    return {"stage": JobStatus.TRAINING}


def _deploying(job: FinetuningJob, bedrock: Bedrock) -> dict[str, Any]:
    found = bedrock.find_deployment(deployment_name(job))
    if found and found.status == "Failed":
        return {
            "stage": JobStatus.DEPLOYING,
            "deployment_attempt": job.deployment_attempt + 1,
            "custom_model_deployment_arn": None,
        }
    return {"stage": JobStatus.DEPLOYING}
