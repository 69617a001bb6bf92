"""One document becomes page images and training records; the only stage that opens documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from idp_finetuning.adapters.buckets import DataBucket, TestSetBucket
from idp_finetuning.adapters.job_table import JobTable
from idp_finetuning.adapters.pages import open_document
from idp_finetuning.errors import DocumentRejected
from idp_finetuning.examples import ManifestDocument, page_labels, training_record
from idp_finetuning.jobs import FinetuningJob, JobRun, JobStatus
from idp_finetuning.layout import JobLayout
from idp_finetuning.prompt import Prompt

# The function gives up by itself before Lambda ends it, so that the document is rejected with this reason.
SPARE_SECONDS = 30

# The prompt this process read last, by job and start of the stage: nothing changes it while data is generated.
_known_prompt: dict[tuple[str, str], Prompt] = {}


def generate_example(
    run: JobRun,
    document: ManifestDocument,
    *,
    jobs: JobTable,
    test_set_bucket: TestSetBucket,
    data: DataBucket,
    seconds_left: Callable[[], float],
) -> None:
    """Writes pages/<documentId>/<n>.jpeg, then the document's records; the records say that all pages are there.

    Raises DocumentRejected, and JobStopping where the job is being stopped. One page is in memory at a time, and
    those still being written.
    """
    job = jobs.require(run, JobStatus.GENERATING_DATA)
    layout = JobLayout(job_id=run.job_id)
    content = test_set_bucket.read_document(document.key)
    prompt = _prompt(job, data)
    records: list[bytes] = []
    with open_document(content) as source:
        labels = page_labels(document.sections, source.page_count)

        def pages() -> Iterator[tuple[str, bytes]]:
            for index, label in enumerate(labels):
                if seconds_left() < SPARE_SECONDS:
                    raise DocumentRejected(
                        "too_slow", f"Rendering took too long: {index} of {len(labels)} pages were done. Split it."
                    )
                key = layout.page(document.document_id, index + 1)
                records.append(training_record(prompt, f"s3://{data.name}/{key}", label))
                yield key, source.jpeg(index)

        data.write_all(pages(), "image/jpeg")
    data.write(layout.example(document.split, document.document_id), b"".join(records), "application/jsonlines")


def _prompt(job: FinetuningJob, data: DataBucket) -> Prompt:
    """The prompt the job trains with; a warm function reads it once for all documents of a job."""
    stage = (job.id, job.stage_started_at or "")
    prompt = _known_prompt.get(stage)
    if prompt is None:
        prompt = Prompt.model_validate_json(data.read(JobLayout(job_id=job.id).prompt))
        _known_prompt.clear()
        if job.stage_started_at:
            _known_prompt[stage] = prompt
    return prompt
