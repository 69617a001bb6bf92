"""One document becomes page images and training records; the only stage that opens documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest

from idp_finetuning.adapters.buckets import DataBucket, TestSetBucket, Unreadable
from idp_finetuning.adapters.page_looks import page_look
from idp_finetuning.adapters.pages import open_document
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.errors import DocumentRejected, JobNotFound, JobStopping, StaleState
from idp_finetuning.jobs.job import FinetuningJob, JobRun, JobStatus
from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.nova.base_models import find_base_model
from idp_finetuning.nova.prompt import Prompt
from idp_finetuning.test_sets.keys import input_prefix, page_text_key
from idp_finetuning.test_sets.page_texts import page_text
from idp_finetuning.training_data.examples import ManifestDocument, page_labels, require_trainable, training_record
from idp_finetuning.training_data.page_notes import PageNotes, image_digest, join_notes
from idp_finetuning.wire import read_stored_json

# The function gives up by itself before Lambda ends it, so that the document is rejected with this reason.
SPARE_SECONDS = 30

# The prompt this process read last, by job and start of the stage: nothing changes it while data is generated.
_prompt_cache: dict[tuple[str, str], Prompt] = {}


def generate_example(
    run: JobRun,
    document: ManifestDocument,
    *,
    jobs: JobTable,
    test_set_bucket: TestSetBucket,
    data: DataBucket,
    bucket_owner: str,
    seconds_left: Callable[[], float],
) -> None:
    """Write pages/<documentId>/<n>.jpeg, then the document's records, which so say that all pages are there.

    One page is in memory at a time, and those still being written. `bucket_owner` is the account of the data bucket.
    Nothing is done for a job that has left the stage, so that the children of a stopped job end without another
    function. Raises DocumentRejected.
    """
    try:
        job = jobs.require(run, JobStatus.GENERATING_DATA)
    except (JobNotFound, JobStopping, StaleState):
        return
    layout = JobLayout(job_id=run.job_id)
    content = test_set_bucket.read_document(document.key, document.etag)
    prompt = _read_prompt(job, data)
    records: list[bytes] = []
    digests: list[str] = []
    looks: list[str] = []
    with open_document(content) as source:
        labels = page_labels(document.sections, source.page_count)
        texts = _page_texts(job, document, prompt, source.page_count, test_set_bucket)

        def pages() -> Iterator[tuple[str, bytes]]:
            for index, (label, text) in enumerate(zip(labels, texts, strict=True)):
                if seconds_left() < SPARE_SECONDS:
                    raise DocumentRejected(
                        "too_slow", f"Rendering took too long: {index} of {len(labels)} pages were done. Split it."
                    )
                key = layout.page(document.document_id, index + 1)
                uri = f"s3://{data.name}/{key}"
                records.append(training_record(prompt, uri, label, text, bucket_owner=bucket_owner))
                jpeg = source.jpeg(index)
                digests.append(image_digest(jpeg))
                looks.append(page_look(jpeg))
                yield key, jpeg

        data.write_all(pages(), "image/jpeg")
        missing = tuple(source.missing_glyphs.get(index, 0) for index in range(source.page_count))
    notes = PageNotes(digests=tuple(digests), missing_glyphs=missing, looks=tuple(looks))
    example = layout.example(document.split, document.document_id)
    data.write(example, join_notes(notes, b"".join(records)), "application/jsonlines")


def _page_texts(
    job: FinetuningJob, document: ManifestDocument, prompt: Prompt, page_count: int, bucket: TestSetBucket
) -> Sequence[str]:
    """Return a text for each page, read from the baseline if the prompt needs it, else empty.

    Raises DocumentRejected if one is missing, unreadable, or nothing Nova would train on.
    """
    if not prompt.needs_text:
        return [""] * page_count
    path = document.key.removeprefix(input_prefix(job.test_set_id))
    maximum = find_base_model(job.base_model).maximum_tokens_per_record
    texts: list[str] = []
    keys = [page_text_key(job.test_set_id, path, page) for page in range(1, page_count + 1)]
    for page, content in enumerate(bucket.read_files(zip_longest(keys, document.text_etags[:page_count])), 1):
        if content is Unreadable.CHANGED:
            raise DocumentRejected(
                "changed",
                f"The baseline's pages/{page}/result.json was changed after validation. Upload it in a new test set.",
            )
        if content is Unreadable.MISSING:
            raise DocumentRejected(
                "text_missing", f"The baseline has no pages/{page}/result.json, which the prompt needs. Add it."
            )
        texts.append(page_text(content, page))
        require_trainable(prompt, texts[-1], page=page, maximum_tokens=maximum)
    return texts


def _read_prompt(job: FinetuningJob, data: DataBucket) -> Prompt:
    """Return the prompt the job trains with; a warm function reads it once for all documents of a job."""
    stage = (job.id, job.stage_started_at or "")
    prompt = _prompt_cache.get(stage)
    if prompt is None:
        prompt = read_stored_json(Prompt, data.read(JobLayout(job_id=job.id).prompt))
        _prompt_cache.clear()
        if job.stage_started_at:
            _prompt_cache[stage] = prompt
    return prompt
