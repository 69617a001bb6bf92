"""Bedrock's record counts come into the report when training has ended, and never stop it."""

from __future__ import annotations

from typing import Any

import pytest

from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.errors import TrainingFailed
from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.training_data.bedrock_records import BedrockRecords
from idp_finetuning.training_data.dataset import DatasetReport, dataset_report
from tests.idp_finetuning.training_data.test_bedrock_records import HEADER
from tests.support.domain.fake_bedrock import FakeBedrock
from tests.support.domain.pipeline import Pipeline
from tests.support.domain.samples import job
from tests.support.domain.situations import training

LAYOUT = JobLayout(job_id=job().id)
REJECTING = HEADER + b"train.jsonl,189,186,0,3\n"


def leave(data: DataBucket, arn: str, content: bytes = REJECTING) -> None:
    """Bedrock's file below the output prefix, and the report of the data set."""
    folder = f"model-customization-job-{arn.rpartition('/')[2]}"
    data.write(f"{LAYOUT.output}{folder}/input_status/train/manifest.report.csv", content)
    data.write_model(LAYOUT.report, dataset_report([], [], []))


def counts(data: DataBucket) -> tuple[BedrockRecords, ...] | None:
    """The counts in the report."""
    report = data.read_model(LAYOUT.report, DatasetReport)
    assert report
    return report.bedrock_records


def test_they_are_in_the_report_and_rejected_records_are_a_warning_once(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, jobs: JobTable, data: DataBucket
) -> None:
    made = training(jobs, fake_bedrock)
    assert made.customization_job_arn
    leave(data, made.customization_job_arn)
    event = made.current_run.to_wire()
    pipeline.run("GetCustomizationJob", event)
    assert counts(data) is None
    fake_bedrock.train(made.training_name)
    assert pipeline.run("GetCustomizationJob", event, times=3) == {"status": "Completed"}
    (shown,) = counts(data) or ()
    assert (shown.file_name, shown.total, shown.rejected) == ("train.jsonl", 189, 3)
    (warning,) = jobs.get(made.id).warnings
    assert warning.startswith("Bedrock rejected 3 of the 189 records of train.jsonl.")


def test_a_failed_training_has_them_too(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, jobs: JobTable, data: DataBucket
) -> None:
    made = training(jobs, fake_bedrock)
    assert made.customization_job_arn
    leave(data, made.customization_job_arn)
    fake_bedrock.train(made.training_name, "Failed")
    with pytest.raises(TrainingFailed):
        pipeline.run("GetCustomizationJob", made.current_run.to_wire())
    assert counts(data)
    assert len(jobs.get(made.id).warnings) == 1


def test_those_of_an_earlier_attempt_are_left_out(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, jobs: JobTable, data: DataBucket
) -> None:
    made = training(jobs, fake_bedrock)
    assert made.customization_job_arn
    leave(data, "arn/000000000099")
    leave(data, made.customization_job_arn, HEADER + b"train.jsonl,8,8,0,0\n")
    fake_bedrock.train(made.training_name)
    pipeline.run("GetCustomizationJob", made.current_run.to_wire())
    assert [item.total for item in counts(data) or ()] == [8]
    assert jobs.get(made.id).warnings == ()


@pytest.mark.parametrize("content", [b"", b"\xffnonsense"])
def test_a_file_that_cannot_be_read_changes_nothing(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, jobs: JobTable, data: DataBucket, content: bytes
) -> None:
    made = training(jobs, fake_bedrock)
    assert made.customization_job_arn
    leave(data, made.customization_job_arn, content)
    fake_bedrock.train(made.training_name)
    assert pipeline.run("GetCustomizationJob", made.current_run.to_wire(), times=2) == {"status": "Completed"}
    assert counts(data) is None
    assert jobs.get(made.id).warnings == ()


def test_a_failing_call_is_a_warning_and_the_training_is_completed(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, jobs: JobTable, s3: Any
) -> None:
    made = training(jobs, fake_bedrock)
    fake_bedrock.train(made.training_name)
    s3.delete_bucket(Bucket="data")
    answer = pipeline.handler("GetCustomizationJob")(made.current_run.to_wire(), None)
    assert answer == {"status": "Completed"}
    counted, losses = jobs.get(made.id).warnings
    assert counted.startswith("Bedrock's counts of the records could not be read")
    assert losses.startswith("Bedrock's losses of each step could not be read")
