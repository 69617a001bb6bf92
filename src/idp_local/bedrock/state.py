"""What the local Bedrock keeps from one start to the next: jobs, custom models, deployments and their tags."""

from __future__ import annotations

from dataclasses import replace

from idp_local.bedrock.account import Account, CustomizationJob, new_phases, now
from idp_local.bedrock.training import Training
from idp_local.state_file import StateFile

FORM = "bedrock 1"
_KEPT = ("jobs", "models", "deployments", "tags", "_created")


def store(account: Account, file: StateFile) -> None:
    """Store everything there is."""
    with account.lock:
        file.write({name: getattr(account, name) for name in _KEPT})


def restore(account: Account, training: Training, file: StateFile) -> None:
    """Take over what an earlier process stored; jobs in progress train from the beginning. Raises StateUnreadable."""
    for name, values in (file.read() or {}).items():
        getattr(account, name).update(values)
    for job in [job for job in account.jobs.values() if not job.ended]:
        account.jobs[job.arn] = resumed = _resume(job)
        if not resumed.ended:
            training.start(resumed)


def _resume(job: CustomizationJob) -> CustomizationJob:
    moment = now()
    if job.status == "Stopping":
        return replace(job, status="Stopped", modified=moment, ended=moment)
    return replace(job, modified=moment, phases=new_phases(moment), passes=())
