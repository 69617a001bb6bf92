"""Start an evaluation before any job, and tell how one stands whose execution may have ended without a word."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from idp_finetuning.adapters.aws_calls import aws_calls
from idp_finetuning.adapters.workflows import Workflow
from idp_finetuning.errors import Conflict, FinetuningError
from idp_finetuning.evaluation.baseline import BaselineRecord, BaselineRequest
from idp_finetuning.jobs.evaluation import EvaluationStatus
from idp_finetuning.stages.evaluation_records import BaselineRecords

# After this a record without an execution is of a request that died before it could start one.
_STARTED_AFTER = timedelta(minutes=5)


def start_baseline(
    test_set_id: str, request: BaselineRequest, *, records: BaselineRecords, workflow: Workflow
) -> BaselineRecord:
    """Begin the evaluation that follows the latest one and start its execution; return one that runs if it is the same.

    Raises Conflict if another one runs. If the execution is refused, the evaluation has FAILED and the error is raised.
    """
    latest = records.latest(test_set_id)
    if latest and current_baseline(latest, records=records, workflow=workflow).status is EvaluationStatus.RUNNING:
        if not latest.asks(request):
            raise Conflict(
                f"{latest.run.title} runs, and asks others or with another limit of the cost. Wait for its end."
            )
        begun = latest
    else:
        begun = records.begin(test_set_id, latest.number + 1 if latest else 1, request)
    try:
        with aws_calls():
            workflow.start(begun.run, begun.execution_name)
    except FinetuningError as error:
        records.fail(begun.run, f"It could not be started ({error.code}). Evaluate again.")
        raise
    return begun


def current_baseline(record: BaselineRecord, *, records: BaselineRecords, workflow: Workflow) -> BaselineRecord:
    """Return a record as it is now: FAILED, if it is RUNNING and its execution is over or was never started."""
    if record.status is not EvaluationStatus.RUNNING:
        return record
    status = workflow.status(record.execution_name)
    age = datetime.now(UTC) - record.started_at
    if (status and status.has_failed) or (status is None and age > _STARTED_AFTER):
        records.fail(record.run, f"Its execution {f'was {status}' if status else 'was never started'}. Evaluate again.")
    return records.find(record.test_set_id, record.number) or record
