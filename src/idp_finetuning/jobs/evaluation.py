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


class EvaluationLimits(WireModel):
    """What an evaluation may take: so many pages (None: 1,000), and US dollars.

    If it could cost more, it fails before the first answer.
    """

    maximum_pages: int | None = None
    maximum_cost: float | None = None


class EvaluationRequest(EvaluationLimits):
    """What an evaluation of a job's model is asked to do.

    `test_set_id` is that of another test set; None for the documents that the job held out. The documents of test set
    `out_of_scope_test_set_id` belong to no class of the model. With `built_in_prompt` the base model is also asked with
    the built-in prompt.
    """

    test_set_id: str | None = None
    out_of_scope_test_set_id: str | None = None
    built_in_prompt: bool = False

    @property
    def test_set_ids(self) -> tuple[str | None, ...]:
        """The test sets that it reads beside that of the job."""
        return (self.test_set_id, self.out_of_scope_test_set_id)


class JobEvaluation(EvaluationRequest):
    """The latest evaluation of a job's model on documents that it was not trained with.

    `gain` is the share of right items of the custom model minus the base model's, with its 95 % limits (0.1 is 10
    points); None without an answer of the base model. On `differing_documents` of `documents`, counted by groups that
    the split keeps together, the two were not equally good. `sentence` says what is proven.
    """

    number: int
    status: EvaluationStatus
    started_at: str
    ended_at: str | None = None
    verdict: str | None = None
    gain: float | None = None
    gain_lower: float | None = None
    gain_upper: float | None = None
    documents: int | None = None
    differing_documents: int | None = None
    sentence: str | None = None
    error_message: str | None = None

    def asked_for(self, like: EvaluationRequest) -> EvaluationRequest:
        """Return what this one was asked to do, with the limit of the cost that another request has."""
        values = {name: getattr(self, name) for name in EvaluationRequest.model_fields}
        return EvaluationRequest(**values | {"maximum_cost": like.maximum_cost})
