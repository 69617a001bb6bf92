"""The loss curve is kept when training has ended, wherever Bedrock left its tables, and never stops a job."""

from __future__ import annotations

from typing import Any

import pytest

from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.jobs.job import FinetuningJob
from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.training_data.loss_curve import LossCurve
from tests.support.domain.api import ApiError, call
from tests.support.domain.fake_bedrock import FakeBedrock, client_error
from tests.support.domain.pipeline import Pipeline
from tests.support.domain.samples import job
from tests.support.domain.situations import training

LAYOUT = JobLayout(job_id=job().id)
TRAINED = b"step_number,epoch_number,training_loss\n1,1,0.9\n2,1,0.4\n"
VALIDATED = b"step_number,epoch_number,validation_loss\n2,1,0.5\n"
OTHER = b"step_number,epoch_number,training_loss\n1,1,7.0\n"


@pytest.fixture
def trained(pipeline: Pipeline, fake_bedrock: FakeBedrock, jobs: JobTable) -> FinetuningJob:
    """A job whose training has ended in Bedrock, which nobody has noticed."""
    made = training(jobs, fake_bedrock)
    fake_bedrock.train(made.training_name)
    return made


def leave(data: DataBucket, folder: str, tables: dict[str, bytes]) -> None:
    """Bedrock's tables below a folder of the output prefix."""
    for name, table in tables.items():
        data.write(f"{LAYOUT.output}{folder}/{name}", table)


@pytest.mark.parametrize(
    "validation",
    [
        "post_fine_tuning_validation/validation_metrics.csv",
        "post_fine_tuning_validation/validation/validation_metrics.csv",
    ],
)
@pytest.mark.parametrize("has_id", [True, False])
def test_the_tables_are_found_by_their_names(
    pipeline: Pipeline, trained: FinetuningJob, data: DataBucket, validation: str, has_id: bool
) -> None:
    folder = f"model-customization-job-{str(trained.customization_job_arn).rpartition('/')[2]}" if has_id else "any"
    leave(
        data,
        folder,
        {"training_artifacts/step_wise_training_metrics.csv": TRAINED, f"validation_artifacts/{validation}": VALIDATED},
    )
    if has_id:  # that of an earlier attempt
        leave(data, "model-customization-job-aaaaaaaaaaaa", {"z/step_wise_training_metrics.csv": OTHER})
    assert pipeline.run("GetCustomizationJob", trained.current_run.to_wire(), times=2) == {"status": "Completed"}
    curve = data.read_model(LAYOUT.loss_curve, LossCurve)
    assert curve
    assert [(point.step, point.loss) for point in curve.training] == [(1, 0.9), (2, 0.4)]
    assert [(point.step, point.loss) for point in curve.validation] == [(2, 0.5)]


@pytest.mark.usefixtures("environment")
def test_the_api_has_it_once_training_has_ended(pipeline: Pipeline, trained: FinetuningJob, data: DataBucket) -> None:
    with pytest.raises(ApiError, match=r"Conflict: Job .* is TRAINING and has no losses yet"):
        call("getLossCurve", jobId=trained.id)
    pipeline.run("GetCustomizationJob", trained.current_run.to_wire())
    assert call("getLossCurve", jobId=trained.id) == {"training": [], "validation": []}
    leave(data, "any", {"step_wise_training_metrics.csv": TRAINED})
    pipeline.run("GetCustomizationJob", trained.current_run.to_wire())
    assert call("getLossCurve", jobId=trained.id)["training"][1] == {"step": 2, "epoch": 1, "loss": 0.4}


def test_a_table_that_cannot_be_read_is_a_warning_and_the_job_goes_on(
    pipeline: Pipeline,
    trained: FinetuningJob,
    data: DataBucket,
    jobs: JobTable,
    s3: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leave(data, "any", {"step_wise_training_metrics.csv": TRAINED})
    really = s3.get_object

    def refuse(**request: Any) -> Any:
        if request["Key"].endswith("_metrics.csv"):
            raise client_error("GetObject", "AccessDenied")
        return really(**request)

    monkeypatch.setattr(s3, "get_object", refuse)
    assert pipeline.run("GetCustomizationJob", trained.current_run.to_wire()) == {"status": "Completed"}
    assert "Bedrock's losses of each step could not be read (AwsCallRefused)." in jobs.get(trained.id).warnings
