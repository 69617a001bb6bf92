"""Keys of evaluations in S3."""

from __future__ import annotations

from idp_finetuning.jobs.evaluation import EvaluationRun
from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.wire import WireModel


def baselines_prefix(test_set_id: str) -> str:
    """Return the prefix of the evaluations of a test set before any job."""
    return f"evaluations/{test_set_id}/"


def baseline_records_prefix(test_set_id: str) -> str:
    """Return the prefix of the records of these evaluations."""
    return f"{baselines_prefix(test_set_id)}records/"


def judged_prefix(test_set_id: str) -> str:
    """Return the prefix of the models that documents of a test set judged, an empty object each, by their digest."""
    return f"{baselines_prefix(test_set_id)}judged/"


def baseline_record_key(test_set_id: str, number: int) -> str:
    """Return the key of a record; keys sort as the numbers do."""
    return f"{baseline_records_prefix(test_set_id)}{number:06}.json"


class EvaluationLayout(WireModel):
    """Keys of one evaluation in the data bucket; answers are shared by all evaluations of its job or test set."""

    job_id: str | None = None
    test_set_id: str | None = None
    number: int

    @classmethod
    def of(cls, run: EvaluationRun) -> EvaluationLayout:
        """Return where an evaluation has its objects."""
        return cls(**dict(run))

    @property
    def job(self) -> JobLayout:
        """Where the job has its own objects."""
        return JobLayout(job_id=self.job_id or "")

    @property
    def _shared(self) -> str:
        if self.job_id:
            return f"{self.job.prefix}evaluation/"
        return baselines_prefix(self.test_set_id or "")

    @property
    def plan(self) -> str:
        """Who is asked, and what was left out."""
        return f"{self._shared}{self.number}/plan.json"

    @property
    def documents(self) -> str:
        """JSON array of the documents that are asked about."""
        return f"{self._shared}{self.number}/documents.json"

    @property
    def training_pages(self) -> str:
        """Which page images the model was trained with; written by the first evaluation on another test set."""
        return f"{self._shared}trained-pages.json"

    @property
    def report(self) -> str:
        """What came out."""
        return f"{self._shared}{self.number}/report.json"

    @property
    def pages(self) -> str:
        """JSONL with what each contestant said of each scored page, a line each."""
        return f"{self._shared}{self.number}/pages.jsonl"

    def page(self, document_id: str, number: int) -> str:
        """Image of a page of a document of another test set; shared by all these evaluations."""
        return f"{self._shared}drawn/{document_id}/{number}.jpeg"

    def drawing(self, document_id: str) -> str:
        """Return the key of what drawing the document showed, which says that all its images are there."""
        return f"{self._shared}drawn/{document_id}/pages.json"

    def answered(self, contestant: str) -> str:
        """Prefix of the documents that one contestant answered, or why it did not, by its digest."""
        return f"{self._shared}{self.number}/answered/{contestant}/"

    def document(self, contestant: str, document_id: str) -> str:
        """All answers of one contestant about one document, or why there are none."""
        return f"{self.answered(contestant)}{document_id}.json"

    def answer(self, contestant: str, page: str) -> str:
        """Answer of one contestant about one page, by the digest of the page."""
        return f"{self._shared}answers/{contestant}/{page}.json"
