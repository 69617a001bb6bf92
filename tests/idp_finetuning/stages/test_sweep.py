"""What no job owns: what ReconcileJobs stops, removes, names, and leaves alone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.jobs.bedrock_names import bedrock_name
from idp_finetuning.jobs.job import FinetuningJob, JobStatus
from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.jobs.life import Resumption
from tests.support.domain.fake_bedrock import PREFIX, FakeBedrock
from tests.support.domain.pipeline import Pipeline
from tests.support.domain.situations import deploying, placed, trained, training

TAG = [{"key": "idp-finetuning:deployment", "value": "t"}]


def left_behind(fake_bedrock: FakeBedrock) -> tuple[str, list[str]]:
    """A running customization job, and a model and a deployment, tagged as ours and of jobs nobody knows."""
    bedrock_names = [bedrock_name("lost", str(uuid4()), "training", 1) for _ in range(2)]
    for name in bedrock_names:
        fake_bedrock.create_model_customization_job(
            jobName=name,
            customModelName=name,
            roleArn="arn:aws:iam::123456789012:role/bedrock",
            baseModelIdentifier="amazon.nova-lite-v1:0:300k",
            jobTags=TAG,
            customModelTags=TAG,
            trainingDataConfig={"s3Uri": "s3://data/train.jsonl"},
            outputDataConfig={"s3Uri": "s3://data/output/"},
        )
    model = fake_bedrock.train(bedrock_names[1])
    deployed = bedrock_name("lost", str(uuid4()), "deployment", 1)
    fake_bedrock.create_custom_model_deployment(modelDeploymentName=deployed, modelArn=model, tags=TAG)
    return bedrock_names[0], [f"custom model {bedrock_names[1]}", f"deployment {deployed}"]


def test_what_no_job_owns_is_named_and_left_as_it_is(pipeline: Pipeline, fake_bedrock: FakeBedrock) -> None:
    _, expected = left_behind(fake_bedrock)
    assert pipeline.run("ReconcileJobs", {})["orphans"] == expected
    assert not [call for call in fake_bedrock.calls if call.startswith("Delete")]


def test_what_is_not_tagged_as_ours_or_was_just_created_is_not_named(
    pipeline: Pipeline, fake_bedrock: FakeBedrock
) -> None:
    left_behind(fake_bedrock)
    for found in fake_bedrock.jobs.values():
        found["creationTime"] = datetime.now(UTC)
    for found in fake_bedrock.deployments.values():
        fake_bedrock.tags[found["customModelDeploymentArn"]] = [{"key": "idp-finetuning:deployment", "value": "theirs"}]
    (model,) = fake_bedrock.models.values()
    del fake_bedrock.tags[model]  # gone between the list and the question for its tags
    assert pipeline.run("ReconcileJobs", {})["orphans"] == []


def test_a_foreign_model_of_any_name_is_not_even_asked_for_its_tags(
    pipeline: Pipeline, fake_bedrock: FakeBedrock
) -> None:
    arn = f"{PREFIX}custom-model/amazon.nova-lite-v1:0:300k/00000000000f"
    fake_bedrock.models["their-classifier-t1"] = arn
    fake_bedrock.create_custom_model_deployment(modelDeploymentName="theirs", modelArn=arn, tags=TAG)
    assert pipeline.run("ReconcileJobs", {})["orphans"] == []
    assert "ListTagsForResource" not in fake_bedrock.calls


@pytest.mark.parametrize("bedrock_status", ["InProgress", "Queued", "of tomorrow"])
@pytest.mark.parametrize("ended", ["STOPPED", "FAILED by a deadline"])
def test_training_that_a_user_or_a_deadline_ended_is_stopped(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock, ended: str, bedrock_status: str
) -> None:
    running = training(jobs, fake_bedrock)
    _end(jobs, running, ended.split(maxsplit=1)[0], error_code="DeadlinePassed" if "deadline" in ended else None)
    fake_bedrock.jobs[running.training_name]["status"] = bedrock_status
    assert pipeline.run("ReconcileJobs", {})["stoppedTraining"] == [running.training_name]
    assert fake_bedrock.jobs[running.training_name]["status"] == "Stopping"
    fake_bedrock.jobs[running.training_name]["status"] = "Stopped"
    assert pipeline.run("ReconcileJobs", {})["stoppedTraining"] == []


def test_training_of_a_job_that_failed_otherwise_is_named_and_goes_on(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock
) -> None:
    running = training(jobs, fake_bedrock)
    _end(jobs, running, "FAILED", error_code="InternalError")
    outcome = pipeline.run("ReconcileJobs", {})
    assert (outcome["stoppedTraining"], outcome["orphans"]) == ([], [f"customization job {running.training_name}"])
    assert fake_bedrock.jobs[running.training_name]["status"] == "InProgress"


def test_what_another_deployment_of_this_service_made_is_left_alone(
    pipeline: Pipeline, fake_bedrock: FakeBedrock
) -> None:
    name, _ = left_behind(fake_bedrock)
    for owned in fake_bedrock.tags:
        fake_bedrock.tags[owned] = [{"key": "idp-finetuning:deployment", "value": "another"}]
    outcome = pipeline.run("ReconcileJobs", {})
    assert (outcome["stoppedTraining"], outcome["orphans"]) == ([], [])
    assert fake_bedrock.jobs[name]["status"] == "InProgress"


def test_what_a_job_owns_is_neither_stopped_nor_named(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock, executions: dict[str, str]
) -> None:
    completed = deploying(jobs, fake_bedrock, "Active")
    jobs.move(completed.current_run, JobStatus.COMPLETED)
    other = training(jobs, fake_bedrock, job_id=str(uuid4()))
    executions[other.id] = "RUNNING"
    outcome = pipeline.run("ReconcileJobs", {})
    assert (outcome["orphans"], outcome["stoppedTraining"]) == ([], [])


def test_a_failed_deployment_that_a_later_attempt_left_behind_is_named(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock
) -> None:
    left = deploying(jobs, fake_bedrock, "Failed")
    jobs.move(left.current_run, JobStatus.DEPLOYING, deployment_attempt=2)
    _end(jobs, left, "FAILED")
    assert pipeline.run("ReconcileJobs", {})["orphans"] == [f"deployment {left.deployment_name}"]


def _end(jobs: JobTable, running: FinetuningJob, status: str, error_code: str | None = None) -> None:
    if status == "STOPPED":
        jobs.move(running.current_run, JobStatus.STOPPING)
    jobs.move(running.current_run, JobStatus(status), error_code=error_code)


def test_a_model_is_not_taken_from_a_job_that_failed_after_training(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock
) -> None:
    paid = trained(jobs, fake_bedrock)
    _end(jobs, paid, "FAILED")
    outcome = pipeline.run("ReconcileJobs", {})
    assert (outcome["orphans"], outcome["stoppedTraining"]) == ([], [])


def test_training_of_a_deleted_job_is_stopped_and_no_orphan(pipeline: Pipeline, fake_bedrock: FakeBedrock) -> None:
    training_left, others = left_behind(fake_bedrock)
    outcome = pipeline.run("ReconcileJobs", {})
    assert (outcome["stoppedTraining"], outcome["orphans"]) == ([training_left], others)
    assert fake_bedrock.jobs[training_left]["status"] == "Stopping"


@pytest.mark.parametrize("why", ["not tagged as ours", "just created"])
def test_training_that_may_be_anothers_or_on_its_way_goes_on(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, why: str
) -> None:
    name, _ = left_behind(fake_bedrock)
    if why == "just created":
        fake_bedrock.jobs[name]["creationTime"] = datetime.now(UTC)
    else:
        fake_bedrock.tags[fake_bedrock.jobs[name]["jobArn"]] = []
    assert pipeline.run("ReconcileJobs", {})["stoppedTraining"] == []
    assert fake_bedrock.jobs[name]["status"] == "InProgress"


def test_training_that_a_retry_adopts_while_the_sweep_looks_is_not_stopped(
    pipeline: Pipeline, jobs: JobTable, fake_bedrock: FakeBedrock, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = training(jobs, fake_bedrock)
    failed = jobs.move(running.current_run, JobStatus.FAILED, error_code="DeadlinePassed")

    def adopted(call: Any) -> Any:
        answer = call()
        if fake_bedrock.calls[-1] == "ListTagsForResource" and jobs.get(failed.id).status is JobStatus.FAILED:
            jobs.resume(failed.current_run, Resumption(stage=JobStatus.TRAINING), "Retried.")
        return answer

    monkeypatch.setattr(fake_bedrock, "before_call", adopted)
    assert pipeline.run("ReconcileJobs", {})["stoppedTraining"] == []
    assert fake_bedrock.jobs[running.training_name]["status"] == "InProgress"


AT_ONCE = {"grace": {"start": "PT0S", "record": "PT0S"}}


def versions(s3: Any) -> list[str]:
    """Every version and delete marker of the data bucket."""
    left = s3.list_object_versions(Bucket="data")
    return sorted(entry["Key"] for entry in [*left.get("Versions", []), *left.get("DeleteMarkers", [])])


def test_what_was_written_after_a_deletion_is_removed_and_nothing_else(
    pipeline: Pipeline, jobs: JobTable, data: DataBucket, s3: Any
) -> None:
    """A function that was still running when its job went writes on."""
    kept = placed(jobs, "COMPLETED")
    gone = [str(uuid4()) for _ in range(2)]
    keys = [f"jobs/{kept.id}/manifest.json", "jobs/notes/readme.txt", "validation/docsplit/abc.json"]
    for key in [*keys, *(f"jobs/{job_id}/rejected/a.json" for job_id in gone for _ in range(2))]:
        data.write(key, b"x")
    s3.delete_object(Bucket="data", Key=f"jobs/{gone[0]}/rejected/a.json")
    assert pipeline.run("ReconcileJobs", {"executionName": kept.id})["removedData"] == []
    assert sorted(pipeline.run("ReconcileJobs", AT_ONCE)["removedData"]) == sorted(gone)
    assert versions(s3) == sorted(keys)
    assert pipeline.run("ReconcileJobs", AT_ONCE)["removedData"] == []


def test_what_was_written_a_moment_ago_is_left_for_a_later_pass(pipeline: Pipeline, data: DataBucket, s3: Any) -> None:
    data.write(key := f"jobs/{uuid4()}/manifest.json", b"x")
    assert pipeline.run("ReconcileJobs", {})["removedData"] == []
    assert versions(s3) == [key]


def test_a_job_the_index_does_not_show_yet_keeps_its_data(
    pipeline: Pipeline, jobs: JobTable, data: DataBucket, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = placed(jobs, "COMPLETED")
    data.write(key := f"jobs/{new.id}/manifest.json", b"x")
    monkeypatch.setattr(JobTable, "ids", lambda self: iter([]))
    assert pipeline.run("ReconcileJobs", AT_ONCE)["removedData"] == []
    assert versions(s3) == [key]


def test_data_of_a_job_whose_record_was_lost_is_named_and_not_removed_nor_listed_whole(
    pipeline: Pipeline, data: DataBucket, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DataBucket, "was_written_since", lambda *_: pytest.fail("the whole job was listed"))
    lost = JobLayout(job_id=str(uuid4()))
    keys = [lost.manifest, lost.report, lost.page("a", 1)]
    for key in keys:
        data.write(key, b"x")
    outcome = pipeline.run("ReconcileJobs", AT_ONCE)
    assert (outcome["orphans"], outcome["removedData"]) == ([f"data {lost.prefix}"], [])
    assert versions(s3) == sorted(keys)


@pytest.mark.parametrize("event", [{"sweep": False}, {"executionName": "6f1c2b1e-0000-4000-8000-000000000001"}])
def test_only_a_pass_that_sweeps_lists_what_bedrock_has(
    pipeline: Pipeline, fake_bedrock: FakeBedrock, event: dict[str, Any]
) -> None:
    left_behind(fake_bedrock)
    assert pipeline.run("ReconcileJobs", event)["orphans"] == []
    assert not [call for call in fake_bedrock.calls if call.startswith("List")]
