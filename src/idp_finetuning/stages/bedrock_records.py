"""Bedrock's own record counts of a training, which it leaves beside the job's output."""

from __future__ import annotations

from idp_finetuning.adapters.aws_calls import aws_calls
from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.errors import FinetuningError
from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.training_data.bedrock_records import BedrockRecords, parse_record_counts
from idp_finetuning.training_data.dataset import DatasetReport

_FOLDER = "/input_status/"
_FILE = "/manifest.report.csv"


def report_bedrock_records(job_id: str, customization_job_arn: str, data: DataBucket) -> tuple[str, ...]:
    """Put the counts of an ended training into the data set's report; return warnings about rejected records.

    No file, one that cannot be read, and a failing call change nothing: the counts are for people, and training has
    ended already.
    """
    layout = JobLayout(job_id=job_id)
    try:
        with aws_calls():
            counts = _read_counts(layout, customization_job_arn.rpartition("/")[2], data)
            report = data.read_model(layout.report, DatasetReport) if counts else None
            if report:
                data.write_model(layout.report, report.model_copy(update={"bedrock_records": counts}))
    except FinetuningError as error:
        return (f"Bedrock's counts of the records could not be read ({error.code}).",)
    return tuple(item.warning for item in counts if item.warning)


def _read_counts(layout: JobLayout, bedrock_id: str, data: DataBucket) -> tuple[BedrockRecords, ...]:
    """Read all files of this training; if none has its id in its path, those of all attempts."""
    keys = [file.key for file in data.list(layout.output) if _FOLDER in file.key and file.key.endswith(_FILE)]
    own = [key for key in keys if bedrock_id in key] or keys
    return tuple(item for key in own for item in parse_record_counts(data.read(key)))
