"""No job stays unfinished: end those whose workflow ended without EndJob, and clean up what no job owns."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from idp_finetuning.adapters.aws_calls import aws_calls
from idp_finetuning.adapters.bedrock import Bedrock
from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.adapters.workflows import ExecutionStatus, Workflow
from idp_finetuning.errors import FinetuningError, JobNotFound, JobStopping, StaleState
from idp_finetuning.jobs.deadlines import Deadlines
from idp_finetuning.jobs.failures import WorkflowError, job_failure
from idp_finetuning.jobs.job import ENDED, FinetuningJob, JobStatus
from idp_finetuning.stages.end import end_unfinished
from idp_finetuning.stages.prune_versions import PrunedVersions
from idp_finetuning.stages.sweep import SweepResult, sweep
from idp_finetuning.wire import WireModel

NAMED = 100
UUID_LENGTH = 36  # the job's id begins every execution's name


class Grace(WireModel):
    """How long after a job's record its workflow or deletion may start, and how long after a resource in Bedrock or an
    object in S3 its record may follow.
    """

    start: timedelta = timedelta(minutes=5)
    record: timedelta = timedelta(minutes=15)


GRACE = Grace()


class Reconciliation(WireModel):
    """What a pass did, at most 100 of each: ids of jobs it ended, `<id>: <error code>` of those it could not examine,
    names in Bedrock of trainings it stopped and of resources without a job, ids of deleted jobs whose data it removed;
    and the versions of functions it deleted.
    """

    ended: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    stopped_training: tuple[str, ...] = ()
    orphans: tuple[str, ...] = ()
    removed_data: tuple[str, ...] = ()
    versions: PrunedVersions = PrunedVersions()

    def for_operators(self) -> Mapping[str, object]:
        """Return the fields of the log line: numbers for alarms, names for people."""
        return {
            "jobs_ended": len(self.ended),
            "jobs_failed": len(self.failed),
            "failures": self.failed,
            "trainings_stopped": len(self.stopped_training),
            "orphans_found": len(self.orphans),
            "orphans": self.orphans,
            "data_removed": len(self.removed_data),
            "versions_deleted": len(self.versions.deleted),
            "versions_failure": self.versions.failure,
        }


def reconcile_job(
    job_id: str,
    *,
    jobs: JobTable,
    bedrock: Bedrock,
    finetuning: Workflow,
    deletion: Workflow,
    deadlines: Deadlines,
    grace: Grace = GRACE,
) -> bool:
    """End a job whose workflow ended, never started, or passed a deadline; return whether it did.

    A deletion that ended before its job was gone is started again.
    """
    try:
        job = jobs.get(job_id)
    except JobNotFound:
        return False
    if job.status in ENDED:
        return False
    if job.status is JobStatus.DELETING:
        return _restart_deletion(job, jobs, deletion, grace)
    status = finetuning.status(job.execution_name)
    failure = None
    if status is ExecutionStatus.RUNNING:
        training = bedrock.find_customization_job(job.training_name) if job.status is JobStatus.TRAINING else None
        failure = deadlines.check(job, training_started=training is None or training.training_started)
    elif status is not None or _age(job.stage_started_at or job.created_at) > grace.start:
        ended_as = f"workflow {status}" if status else "workflow that was never started"
        failure = job_failure(WorkflowError(Error=ended_as), job.status)
    if failure is None:
        return False
    try:
        end_unfinished(job, failure, jobs=jobs, bedrock=bedrock)
    except (StaleState, JobStopping):
        return False  # the workflow went on, or a stop was asked for: the next pass decides
    return True


def _restart_deletion(job: FinetuningJob, jobs: JobTable, deletion: Workflow, grace: Grace) -> bool:
    if deletion.status(job.deletion_name) is ExecutionStatus.RUNNING or _age(job.updated_at) < grace.start:
        return False
    restarted = jobs.move(
        job.current_run, JobStatus.DELETING, "Deletion starts anew.", deletion_attempt=job.deletion_attempt + 1
    )
    deletion.start(restarted.current_run, restarted.deletion_name)
    return False


def reconcile(
    execution_name: str | None,
    *,
    jobs: JobTable,
    bedrock: Bedrock,
    data: DataBucket,
    finetuning: Workflow,
    deletion: Workflow,
    deadlines: Deadlines,
    grace: Grace = GRACE,
) -> Reconciliation:
    """Reconcile the job of one execution, or all unfinished jobs and what they left in Bedrock and S3.

    An error at one job is reported and does not keep the others from being reconciled.
    """
    ended, failed = [], []
    for job_id in jobs.unfinished() if execution_name is None else [execution_name[:UUID_LENGTH]]:
        try:
            with aws_calls():
                if reconcile_job(
                    job_id,
                    jobs=jobs,
                    bedrock=bedrock,
                    finetuning=finetuning,
                    deletion=deletion,
                    deadlines=deadlines,
                    grace=grace,
                ):
                    ended.append(job_id)
        except FinetuningError as error:
            failed.append(f"{job_id}: {error.code}")
    swept = SweepResult() if execution_name else sweep(jobs=jobs, bedrock=bedrock, data=data, older_than=grace.record)
    return Reconciliation(
        ended=tuple(ended[:NAMED]),
        failed=tuple(failed[:NAMED]),
        stopped_training=swept.stopped_training[:NAMED],
        orphans=swept.orphans[:NAMED],
        removed_data=swept.removed_data[:NAMED],
    )


def _age(moment: str) -> timedelta:
    return datetime.now(UTC) - datetime.fromisoformat(moment)
