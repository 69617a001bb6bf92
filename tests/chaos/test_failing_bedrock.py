"""The Bedrock of chaos: it fails by itself in Bedrock's own ways, and trains each data set once."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from idp_local.bedrock.foundation_models import MODELS
from idp_local.bedrock.training_process import Order, Progress
from tests.chaos.bedrock import DEPLOYMENT_FAILED, JOB_FAILED, QUOTA, FailingBedrock

JOBS = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")


class Bucket:
    """S3 that holds a data set of one record for each job."""

    def __init__(self, answers: dict[str, str]) -> None:
        self._answers = answers

    def get_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        """Return the file: it names an image below the job's prefix."""
        job = Key.split("/")[1]
        record = f'{{"image": "s3://{Bucket}/jobs/{job}/pages/1.jpeg", "answer": "{self._answers[job]}"}}'
        return {"Body": io.BytesIO(record.encode())}


def train_job(bedrock: FailingBedrock, bucket: Bucket, folder: Path, number: int) -> tuple[list[Progress], bytes, int]:
    """Train; return the progress, the model, and how often it really trained."""
    order = Order(
        s3_endpoint="",
        region="us-east-1",
        model=MODELS["amazon.nova-lite-v1:0:300k"],
        training_uri=f"s3://data/jobs/{JOBS[number]}/dataset/train.jsonl",
        validation_uris=(),
        epochs=2,
        model_path=folder / f"{number}.pickle",
    )
    count = 0

    def train() -> Iterator[Progress]:
        nonlocal count
        count += 1
        yield Progress(phase="training")
        order.model_path.write_bytes(b"model")
        yield Progress(trained=True)

    progress = list(bedrock.progress(order, bucket, train))
    return progress, order.model_path.read_bytes(), count


def test_the_same_data_set_of_another_job_is_not_trained_again(tmp_path: Path) -> None:
    bedrock, bucket = FailingBedrock(1), Bucket(dict.fromkeys(JOBS, "letter"))

    first = train_job(bedrock, bucket, tmp_path, 0)
    second = train_job(bedrock, bucket, tmp_path, 1)

    assert (first[2], second[2]) == (1, 0)
    assert second[:2] == first[:2]


def test_another_data_set_is_trained(tmp_path: Path) -> None:
    bedrock, bucket = FailingBedrock(1), Bucket({JOBS[0]: "letter", JOBS[1]: "invoice"})

    assert [train_job(bedrock, bucket, tmp_path, number)[2] for number in (0, 1)] == [1, 1]


def test_jobs_and_deployments_fail_and_quotas_fill() -> None:
    bedrock = FailingBedrock(1)

    for number in range(20):
        bedrock.training_failure(f"job-{number}")
        bedrock.deployment_failure(f"deployment-{number}")
        bedrock.refusal("CreateCustomModelDeployment", {"modelDeploymentName": f"deployment-{number}"})

    assert all(bedrock.counts[kind] for kind in (JOB_FAILED, DEPLOYMENT_FAILED, QUOTA))


def test_nothing_fails_any_more_once_it_is_at_rest() -> None:
    bedrock = FailingBedrock(1)
    bedrock.active = False

    refusals = [bedrock.refusal("CreateCustomModelDeployment", {"modelDeploymentName": str(n)}) for n in range(100)]

    assert not any(refusals)
    assert not any(bedrock.training_failure("job") or bedrock.deployment_failure("deployment") for _ in range(100))
