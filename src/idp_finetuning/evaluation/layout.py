"""Keys of a job's evaluations in S3."""

from __future__ import annotations

from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.wire import WireModel


class EvaluationLayout(WireModel):
    """Keys of one evaluation of a job in the data bucket; answers are shared by all evaluations of the job."""

    job_id: str
    number: int

    @property
    def _job(self) -> str:
        return f"{JobLayout(job_id=self.job_id).prefix}evaluation/"

    @property
    def plan(self) -> str:
        """Who is asked, and what was left out."""
        return f"{self._job}{self.number}/plan.json"

    @property
    def documents(self) -> str:
        """JSON array of the documents that are asked about."""
        return f"{self._job}{self.number}/documents.json"

    @property
    def training_pages(self) -> str:
        """Which page images the model was trained with; written by the first evaluation on another test set."""
        return f"{self._job}training-pages.json"

    @property
    def report(self) -> str:
        """What came out."""
        return f"{self._job}{self.number}/report.json"

    @property
    def pages(self) -> str:
        """JSONL with what each contestant said of each scored page, a line each."""
        return f"{self._job}{self.number}/pages.jsonl"

    def page(self, document_id: str, number: int) -> str:
        """Image of a page of a document of another test set; shared by all evaluations of the job."""
        return f"{self._job}drawn/{document_id}/{number}.jpeg"

    def drawing(self, document_id: str) -> str:
        """Return the key of what drawing the document showed, which says that all its images are there."""
        return f"{self._job}drawn/{document_id}/pages.json"

    def answered(self, contestant: str) -> str:
        """Prefix of the documents that one contestant answered, or why it did not, by its digest."""
        return f"{self._job}{self.number}/answered/{contestant}/"

    def document(self, contestant: str, document_id: str) -> str:
        """All answers of one contestant about one document, or why there are none."""
        return f"{self.answered(contestant)}{document_id}.json"

    def answer(self, contestant: str, page: str) -> str:
        """Answer of one contestant about one page, by the digest of the page."""
        return f"{self._job}answers/{contestant}/{page}.json"
