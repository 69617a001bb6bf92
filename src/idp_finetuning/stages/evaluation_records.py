"""Where an evaluation's state is kept: of a job's on the job, of one before any job beside the answers in S3."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.errors import Conflict, JobNotFound, StaleState
from idp_finetuning.evaluation.baseline import BaselineRecord, BaselineRequest
from idp_finetuning.evaluation.layout import baseline_record_key, baseline_records_prefix
from idp_finetuning.evaluation.plan import ContestantKind
from idp_finetuning.evaluation.report import EvaluationReport
from idp_finetuning.jobs import life
from idp_finetuning.jobs.evaluation import EvaluationRun, EvaluationStatus, JobEvaluation
from idp_finetuning.jobs.job import FinetuningJob
from idp_finetuning.wire import timestamp


class EvaluationRecords:
    """The records of all evaluations, as the steps of one need them."""

    def __init__(self, jobs: JobTable, data: DataBucket) -> None:
        self._jobs = jobs
        self._baselines = BaselineRecords(data)

    def require_running(self, run: EvaluationRun) -> None:
        """Raise JobNotFound or StaleState unless this evaluation runs."""
        if run.job_id:
            require_evaluating(run, self._jobs)
        else:
            self._baselines.require_running(run)

    def complete(self, run: EvaluationRun, report: EvaluationReport) -> None:
        """Store how an evaluation ended whose report is written; one that nobody waits for changes nothing."""
        if run.job_id:
            self._jobs.update(run.job_id, lambda job: life.end_evaluation(job, run, _ended(job, report)))
        else:
            self._baselines.end(run, status=EvaluationStatus.COMPLETED, ended_at=datetime.now(UTC))

    def fail(self, run: EvaluationRun, reason: str) -> None:
        """Store why an evaluation failed, if its job or test set is still there."""
        if run.job_id is None:
            self._baselines.fail(run, reason)
            return
        with suppress(JobNotFound):
            fail_job_evaluation(run, reason, jobs=self._jobs)


def require_evaluating(run: EvaluationRun, jobs: JobTable) -> FinetuningJob:
    """Return the job if this evaluation of it runs. Raises JobNotFound or StaleState."""
    job = jobs.get(run.job_id or "")
    if job.evaluation_run != run or not job.is_completed:
        raise StaleState(f"{run.title} is no longer wanted: the job is {job.status}.")
    return job


def fail_job_evaluation(run: EvaluationRun, reason: str, *, jobs: JobTable) -> None:
    """Note on the job why its evaluation failed; the job stays COMPLETED."""

    def end(job: FinetuningJob) -> life.Outcome:
        changes = {"status": EvaluationStatus.FAILED, "ended_at": timestamp(), "error_message": reason}
        return life.end_evaluation(job, run, _running(job, run).model_copy(update=changes))

    jobs.update(run.job_id or "", end)


def _running(job: FinetuningJob, run: EvaluationRun) -> JobEvaluation:
    return job.evaluation or JobEvaluation(number=run.number, status=EvaluationStatus.RUNNING, started_at=timestamp())


def _ended(job: FinetuningJob, report: EvaluationReport) -> JobEvaluation:
    with_base = report.comparison_with(ContestantKind.BASE_MODEL)
    compared = with_base.comparison if with_base else None
    gain = compared.difference if compared else None
    running = _running(job, EvaluationRun(job_id=job.id, number=report.number))
    return running.model_copy(
        update={
            "status": EvaluationStatus.COMPLETED,
            "ended_at": report.created_at,
            "verdict": compared.verdict if compared else None,
            "gain": gain.value if gain else None,
            "gain_lower": gain.lower if gain else None,
            "gain_upper": gain.upper if gain else None,
            "documents": compared.units if compared else None,
            "differing_documents": compared.differing_units if compared else None,
            "sentence": report.sentence,
        }
    )


class BaselineRecords:
    """The evaluations of test sets before any job, an object each. What is deleted with the test set stays deleted."""

    def __init__(self, data: DataBucket) -> None:
        self._data = data

    def find(self, test_set_id: str, number: int) -> BaselineRecord | None:
        """Return a record, or None."""
        return self._data.read_model(baseline_record_key(test_set_id, number), BaselineRecord)

    def latest(self, test_set_id: str) -> BaselineRecord | None:
        """Return the latest record of a test set, or None if there is none."""
        keys = sorted(file.key for file in self._data.list(baseline_records_prefix(test_set_id)))
        return self._data.read_model(keys[-1], BaselineRecord) if keys else None

    def begin(self, test_set_id: str, number: int, request: BaselineRequest) -> BaselineRecord:
        """Store a request that begins to run, and return its record, or that of an equal request at the same time.

        Raises Conflict if a request that asks otherwise has this number.
        """
        begun = BaselineRecord(
            **dict(request),
            test_set_id=test_set_id,
            number=number,
            status=EvaluationStatus.RUNNING,
            started_at=datetime.now(UTC),
        )
        if self._data.write_once(baseline_record_key(test_set_id, number), begun):
            return begun
        other = self.find(test_set_id, number)
        if other and other.asks(request):
            return other
        raise Conflict(f"Another request has just started an evaluation of test set '{test_set_id}'.")

    def require_running(self, run: EvaluationRun) -> BaselineRecord:
        """Return the record of an evaluation that runs. Raises StaleState."""
        record = self.find(run.test_set_id or "", run.number)
        if record is None or record.status is not EvaluationStatus.RUNNING:
            raise StaleState(f"{run.title} is no longer wanted.")
        return record

    def fail(self, run: EvaluationRun, reason: str) -> None:
        """Store why an evaluation failed."""
        self.end(run, status=EvaluationStatus.FAILED, ended_at=datetime.now(UTC), error_message=reason)

    def end(self, run: EvaluationRun, **changes: Any) -> None:
        """Change the record of an evaluation that runs; one that has ended, or is gone, stays as it is."""
        key = baseline_record_key(run.test_set_id or "", run.number)
        self._update(key, lambda record: record.model_copy(update=changes))

    def _update(self, key: str, change: Callable[[BaselineRecord], BaselineRecord]) -> None:
        while etag := self._data.find_etag(key):
            record = self._data.read_model(key, BaselineRecord)
            if record is None or record.status is not EvaluationStatus.RUNNING:
                return
            if self._data.replace(key, change(record), etag):
                return
