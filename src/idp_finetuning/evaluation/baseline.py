"""An evaluation before any job: how good base models and configuration versions are on a test set as they are."""

from __future__ import annotations

import hashlib

from idp_finetuning.evaluation.report import EvaluationReport
from idp_finetuning.jobs.evaluation import EvaluationLimits, EvaluationRun, EvaluationStatus
from idp_finetuning.wire import UtcTime


class BaselineRequest(EvaluationLimits):
    """Who is asked: base models, by id, with the built-in prompt and the test set's classes, and versions as they are.

    The verdict is on the first of them, beside the second.
    """

    base_models: tuple[str, ...] = ()
    config_versions: tuple[str, ...] = ()


class BaselineRecord(BaselineRequest):
    """A request and how its evaluation stands; `number` counts those of the test set from 1."""

    test_set_id: str
    number: int
    status: EvaluationStatus
    started_at: UtcTime
    ended_at: UtcTime | None = None
    error_message: str | None = None

    def asks(self, request: BaselineRequest) -> bool:
        """Whether it is of this request, or of another one that asks the same."""
        return all(getattr(self, name) == value for name, value in request)

    @property
    def run(self) -> EvaluationRun:
        """The evaluation."""
        return EvaluationRun(test_set_id=self.test_set_id, number=self.number)

    @property
    def execution_name(self) -> str:
        """Name of the execution, unlike that of a test set deleted before with the same id."""
        digest = hashlib.sha256(f"{self.test_set_id}\0{self.started_at.isoformat()}".encode()).hexdigest()[:20]
        return f"baseline-{digest}-{self.number}"


class BaselineEvaluation(BaselineRecord):
    """A record with what came out: `report` is None until it is COMPLETED."""

    report: EvaluationReport | None = None
