"""Keys of a job's data in S3."""

from __future__ import annotations

from idp_finetuning.test_sets.split import Split
from idp_finetuning.wire import WireModel

JOBS_PREFIX = "jobs/"


class JobLayout(WireModel):
    """Keys of one job in the data bucket."""

    job_id: str

    @property
    def prefix(self) -> str:
        """Everything of the job is below it."""
        return f"{JOBS_PREFIX}{self.job_id}/"

    @property
    def manifest(self) -> str:
        """JSON array of the documents with labels and split."""
        return f"{self.prefix}manifest.json"

    @property
    def prompt(self) -> str:
        """The prompt the job trains with."""
        return f"{self.prefix}prompt.json"

    @property
    def report(self) -> str:
        """What became of every document."""
        return f"{self.prefix}dataset/report.json"

    @property
    def documents(self) -> str:
        """JSONL with what became of each document, a line each."""
        return f"{self.prefix}dataset/documents.jsonl"

    @property
    def loss_curve(self) -> str:
        """The losses of the training, step by step."""
        return f"{self.prefix}training/report.json"

    @property
    def output(self) -> str:
        """Prefix Bedrock writes to."""
        return f"{self.prefix}output/"

    def page(self, document: str, number: int) -> str:
        """JPEG of a page; numbers start at 1."""
        return f"{self.prefix}pages/{document}/{number}.jpeg"

    def examples(self, split: Split) -> str:
        """Prefix of the examples of one side of the split."""
        return f"{self.prefix}examples/{split}/"

    def example(self, split: Split, document: str) -> str:
        """JSONL with a record a page of one document."""
        return f"{self.examples(split)}{document}.jsonl"

    @property
    def rejections(self) -> str:
        """Prefix of the rejected documents."""
        return f"{self.prefix}rejected/"

    def rejection(self, document: str) -> str:
        """Why one document was rejected."""
        return f"{self.rejections}{document}.json"

    def dataset(self, split: Split) -> str:
        """JSONL that Bedrock trains on or validates with."""
        return f"{self.prefix}dataset/{split}.jsonl"
