"""No job stays unfinished: give those a new workflow that lost theirs, end what is late, clean up what no job owns."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from idp_finetuning.adapters.aws_calls import aws_calls
from idp_finetuning.adapters.bedrock import Bedrock
from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.adapters.mailer import Mailer
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.adapters.workflows import ExecutionStatus, Workflow
from idp_finetuning.errors import AwsCallRefused, FinetuningError, JobNotFound, JobStopping, StaleState, TransientError
from idp_finetuning.jobs.deadlines import Deadlines
from idp_finetuning.jobs.failures import WorkflowError, job_failure
from idp_finetuning.jobs.job import ENDED, FinetuningJob, JobStatus
from idp_finetuning.jobs.life import BEFORE_TRAINING
from idp_finetuning.stages.end import end_unfinished
from idp_finetuning.stages.evaluation_records import fail_job_evaluation
from idp_finetuning.stages.evaluation_start import start_execution
from idp_finetuning.stages.notify import notify_owner
from idp_finetuning.stages.prune_versions import PrunedVersions
from idp_finetuning.stages.sweep import SweepResult, sweep
from idp_finetuning.wire import WireModel

NAMED = 100
# A workflow that is lost before Bedrock works is started again so often; then something is wrong with the job.
RESTARTS = 2
LONGEST_PAUSE = 12  # between two restarts, in units of the first
# Jobs looked at side by side; each takes two or three calls of AWS, a few tenths of a second in all.
PARALLEL_JOBS = 8
UUID_LENGTH = 36  # the job's id begins every execution's name


class Grace(WireModel):
    """How late a job's workflow may follow its record, and how late a record may follow what belongs to it.

    `start` is for its workflow or deletion, `record` for a resource in Bedrock or an object in S3; `restart` is the
    first pause between two restarts of a workflow in Bedrock's stages, which doubles each time.
    """

    start: timedelta = timedelta(minutes=5)
    record: timedelta = timedelta(minutes=15)
    restart: timedelta = timedelta(minutes=5)

    def between_restarts(self, restarts: int) -> timedelta:
        """Return the pause after so many restarts, at most an hour by default."""
        return self.restart * min(1 << max(restarts - 1, 0), LONGEST_PAUSE)


GRACE = Grace()


class Reconciliation(WireModel):
    """What a pass did, at most 100 of each.

    Ids of jobs it ended or whose workflow it started again, `<id>: <error code>` of those it could not examine, names
    in Bedrock of trainings it stopped and of resources without a job, ids of deleted jobs whose data it removed, and
    the versions of functions it deleted.
    """

    ended: tuple[str, ...] = ()
    restarted: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    stopped_training: tuple[str, ...] = ()
    orphans: tuple[str, ...] = ()
    removed_data: tuple[str, ...] = ()
    versions: PrunedVersions = PrunedVersions()

    def for_operators(self) -> Mapping[str, object]:
        """Return the fields of the log line: numbers for alarms, names for people."""
        return {
            "jobs_ended": len(self.ended),
            "jobs_restarted": len(self.restarted),
            "jobs_failed": len(self.failed),
            "failures": self.failed,
            "trainings_stopped": len(self.stopped_training),
            "orphans_found": len(self.orphans),
            "orphans": self.orphans,
            "data_removed": len(self.removed_data),
            "versions_deleted": len(self.versions.deleted),
            "versions_failure": self.versions.failure,
        }


class Act(StrEnum):
    """What a pass did with a job."""

    ENDED = "ended"
    RESTARTED = "restarted"


def reconcile_job(
    job_id: str,
    *,
    jobs: JobTable,
    bedrock: Bedrock,
    finetuning: Workflow,
    deletion: Workflow,
    evaluation: Workflow,
    deadlines: Deadlines,
    mailer: Mailer | None = None,
    grace: Grace = GRACE,
) -> Act | None:
    """End a job that passed a deadline, and start the workflow of one again whose execution ended or never started.

    A deletion that ended before its job was gone is started again, too. An evaluation that has no execution gets
    one; one whose execution ended without a word has failed. The e-mail that a job has ended goes to an owner who asked
    for it.
    """
    try:
        job = jobs.get(job_id)
    except JobNotFound:
        return None
    if job.status in ENDED:
        _reconcile_evaluation(job, jobs, evaluation, grace)
        notify_owner(job, jobs=jobs, mailer=mailer)
        return None
    if job.status is JobStatus.DELETING:
        return _restart_deletion(job, jobs, deletion, grace)
    status = finetuning.status(job.execution_name)
    since = job.restarted_at or job.stage_started_at or job.created_at
    is_lost = status is not ExecutionStatus.RUNNING and (status is not None or _age(since) > grace.start)
    failure = deadlines.check(job, training_started=_has_training_started(job, bedrock))
    if is_lost and failure is None:
        ended_as = f"workflow {status}" if status else "workflow that was never started"
        exhausted = status is not None and job.status in BEFORE_TRAINING and job.restarts >= RESTARTS
        if job.status is JobStatus.STOPPING or exhausted:
            failure = job_failure(WorkflowError(Error=ended_as), job.status)
        else:
            return _restart(job, ended_as, status, jobs=jobs, finetuning=finetuning, grace=grace)
    if failure is None:
        return None
    try:
        end_unfinished(job, failure, jobs=jobs, bedrock=bedrock)
    except (StaleState, JobStopping):
        return None  # the workflow went on, or a stop was asked for: the next pass decides
    return Act.ENDED


def _has_training_started(job: FinetuningJob, bedrock: Bedrock) -> bool:
    """Return whether Bedrock trains, or may do so: a deadline must not depend on its answer."""
    if job.status is not JobStatus.TRAINING or not job.customization_job_arn:
        return True
    with suppress(AwsCallRefused, TransientError), aws_calls():
        found = bedrock.find_customization_job(job.customization_job_arn)
        return found is None or found.training_started
    return True


def _restart(
    job: FinetuningJob,
    ended_as: str,
    status: ExecutionStatus | None,
    *,
    jobs: JobTable,
    finetuning: Workflow,
    grace: Grace,
) -> Act | None:
    """Start the workflow of a job again: the run that never started, or else the next one, at the job's stage."""
    if status is not None:
        if job.restarted_at and _age(job.restarted_at) < grace.between_restarts(job.restarts):
            return None
        try:
            job = jobs.restart(job.current_run, f"Its {ended_as}.")
        except (StaleState, JobStopping):
            return None
    finetuning.start(job.current_run, job.execution_name, stage=job.status)
    return Act.RESTARTED


def _reconcile_evaluation(job: FinetuningJob, jobs: JobTable, evaluation: Workflow, grace: Grace) -> None:
    """Start an evaluation that was begun and has no execution; one whose execution ended without a word has failed."""
    run = job.evaluation_run
    if run is None:
        return
    status = evaluation.status(job.evaluation_name)
    if status is None and _age(job.updated_at) > grace.start:
        start_execution(job, jobs=jobs, workflow=evaluation)
    elif status and status.has_failed:
        fail_job_evaluation(run, f"Its execution was {status}. Evaluate the job again.", jobs=jobs)


def _restart_deletion(job: FinetuningJob, jobs: JobTable, deletion: Workflow, grace: Grace) -> Act | None:
    if deletion.status(job.deletion_name) is ExecutionStatus.RUNNING or _age(job.updated_at) < grace.start:
        return None
    restarted = jobs.move(
        job.current_run, JobStatus.DELETING, "Deletion starts anew.", deletion_attempt=job.deletion_attempt + 1
    )
    deletion.start(restarted.current_run, restarted.deletion_name)
    return None


class _Seen(WireModel):
    """What a pass did with one job, or the code of the error that kept it from that."""

    job_id: str
    act: Act | None = None
    error: str | None = None


def reconcile(
    execution_name: str | None,
    *,
    sweeps: bool,
    jobs: JobTable,
    bedrock: Bedrock,
    data: DataBucket,
    finetuning: Workflow,
    deletion: Workflow,
    evaluation: Workflow,
    deadlines: Deadlines,
    deployment_name: str,
    mailer: Mailer | None = None,
    grace: Grace = GRACE,
) -> Reconciliation:
    """Reconcile the job of one execution, or all unfinished jobs, several at a time.

    If it `sweeps`, also what no job owns in Bedrock and S3. An error at one job is reported and does not keep the
    others from being reconciled.
    """

    def look_at(job_id: str) -> _Seen:
        try:
            with aws_calls():
                act = reconcile_job(
                    job_id,
                    jobs=jobs,
                    bedrock=bedrock,
                    finetuning=finetuning,
                    deletion=deletion,
                    evaluation=evaluation,
                    deadlines=deadlines,
                    mailer=mailer,
                    grace=grace,
                )
        except FinetuningError as error:
            return _Seen(job_id=job_id, error=error.code)
        return _Seen(job_id=job_id, act=act)

    with ThreadPoolExecutor(PARALLEL_JOBS) as threads:
        seen = list(
            threads.map(look_at, jobs.unfinished() if execution_name is None else [execution_name[:UUID_LENGTH]])
        )
    swept = SweepResult()
    if sweeps:
        swept = sweep(jobs=jobs, bedrock=bedrock, data=data, deployment_name=deployment_name, older_than=grace.record)
    return Reconciliation(
        ended=tuple(job.job_id for job in seen if job.act is Act.ENDED)[:NAMED],
        restarted=tuple(job.job_id for job in seen if job.act is Act.RESTARTED)[:NAMED],
        failed=tuple(f"{job.job_id}: {job.error}" for job in seen if job.error)[:NAMED],
        stopped_training=swept.stopped_training[:NAMED],
        orphans=swept.orphans[:NAMED],
        removed_data=swept.removed_data[:NAMED],
    )


def _age(moment: str) -> timedelta:
    return datetime.now(UTC) - datetime.fromisoformat(moment)
