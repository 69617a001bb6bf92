"""An evaluation of a job's model, or before any job of models on a test set: what is asked for, and how it stands."""

from __future__ import annotations

from enum import StrEnum

from pydantic import model_validator

from idp_finetuning.wire import WireModel


class EvaluationRun(WireModel):
    """One evaluation: of a job's model or, before any job, of models on a test set; `number` counts those from 1."""

    job_id: str | None = None
    test_set_id: str | None = None
    number: int

    @model_validator(mode="after")
    def _is_of_one(self) -> EvaluationRun:
        if (self.job_id is None) == (self.test_set_id is None):
            raise ValueError("an evaluation is of a job or of a test set")
        return self

    @property
    def run(self) -> EvaluationRun:
        """The evaluation alone, of an event that has more."""
        return EvaluationRun(job_id=self.job_id, test_set_id=self.test_set_id, number=self.number)

    @property
    def title(self) -> str:
        """How sentences name it."""
        of = f"job '{self.job_id}'" if self.job_id else f"test set '{self.test_set_id}'"
        return f"Evaluation {self.number} of {of}"


class EvaluationStatus(StrEnum):
    """Whether an evaluation runs, and how it ended."""

    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"


class EvaluationRequest(WireModel):
    """What an evaluation of a job's model is asked to do.

    `test_set_id` is that of another test set; None for the documents that the job held out. It fails before the first
    answer if it could cost more than `maximum_cost` US dollars.
    """

    test_set_id: str | None = None
    maximum_cost: float | None = None


class JobEvaluation(EvaluationRequest):
    """The latest evaluation of a job's model on documents that it was not trained with.

    `gain` is the share of right items of the custom model minus the base model's, with its 95 % limits (0.1 is 10
    points); None without an answer of the base model. `sentence` says what is proven.
    """

    number: int
    status: EvaluationStatus
    started_at: str
    ended_at: str | None = None
    verdict: str | None = None
    gain: float | None = None
    gain_lower: float | None = None
    gain_upper: float | None = None
    sentence: str | None = None
    error_message: str | None = None
