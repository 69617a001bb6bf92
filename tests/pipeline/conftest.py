"""A local runtime for the tests of the whole pipeline, and what happens on it, each once a session.

pytest-xdist runs these tests in two groups, each in one worker on a runtime of its own: `pipeline`, the tests that
share the jobs below and the record of all their calls, and `pipeline_of_single_jobs`, those that need no other job.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from idp_finetuning.deployment import FUNCTIONS
from idp_local.aws.names import PREFIX, function_name, variable_values
from idp_local.documents.generator import demo_test_set, unseen_documents
from idp_local.environment import CHECKOUT, aws_environment, local_client
from idp_local.functions.pool import WorkerPool
from idp_local.functions.service import Functions
from idp_local.runtime import LocalRuntime
from idp_sdk import Job
from tests.support.local.instrument import INSTRUMENT
from tests.support.pipeline import documents
from tests.support.pipeline.classified import Classified, classify
from tests.support.pipeline.control import Controlled, control, record_with
from tests.support.pipeline.driver import Finished, Judged, Measured, Pipeline
from tests.support.pipeline.versioned import Versioned, use_versions

JOB_NAME = "Мой job__v2 . -- 🙂"

MOVING_STAGES = (
    "AssembleDataset",
    "CreateCustomizationJob",
    "GetCustomizationJob",
    "CreateModelDeployment",
    "GetModelDeployment",
)


@pytest.fixture(scope="session")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """The runtime, which lives as long as the session."""
    directory = tmp_path_factory.mktemp("runtime")
    with LocalRuntime(directory, seconds_per_phase=1.0, instrument=INSTRUMENT) as runtime:
        yield Pipeline(runtime, directory)


@pytest.fixture(scope="session")
def finished(pipeline: Pipeline) -> Finished:
    """A Nova 2 Lite job on the demo's documents and two that cannot be used."""
    given = (*demo_test_set(), *documents.damaged())
    test_set_id = pipeline.upload("Nova 2 set", given)
    followed = pipeline.run(testSetId=test_set_id, baseModel="us.amazon.nova-2-lite-v1:0", jobName=JOB_NAME)
    return Finished(followed=followed, documents=given, test_set_id=test_set_id)


@pytest.fixture(scope="session")
def judged(pipeline: Pipeline, finished: Finished) -> Judged:
    """The evaluation of that job on another test set."""
    return pipeline.judge(finished)


@pytest.fixture(scope="session")
def measured(pipeline: Pipeline) -> Measured:
    """Evaluations of a test set before any job."""
    return pipeline.measure()


@pytest.fixture(scope="session")
def packets(pipeline: Pipeline) -> Finished:
    """A Nova Pro v1 job on ten packets whose pages are labelled out of order."""
    given = documents.packets()
    test_set_id = pipeline.upload("Packets", given)
    followed = pipeline.run(testSetId=test_set_id, baseModel="amazon.nova-pro-v1:0", jobName="x" * 200)
    return Finished(followed=followed, documents=given, test_set_id=test_set_id)


@pytest.fixture(scope="session")
def classified(pipeline: Pipeline, packets: Finished) -> Classified:
    """A packet classified with the model that was trained on it, in every way."""
    return classify(pipeline, packets)


@pytest.fixture(scope="session")
def versioned(pipeline: Pipeline, packets: Finished) -> Versioned:
    """A version of a finished job, what it was used for, and who saw it."""
    return use_versions(pipeline, packets)


@pytest.fixture(scope="session")
def guide_set(pipeline: Pipeline) -> str:
    """Id of the guide's test set, which is its name there too."""
    return pipeline.upload("docsplit", documents.guide())


@pytest.fixture(scope="session")
def deleted(pipeline: Pipeline, packets: Finished) -> Job:
    """A second job of the same name, evaluated on another test set, as it was before it was deleted."""
    job = pipeline.run(
        testSetId=packets.test_set_id,
        baseModel="amazon.nova-pro-v1:0",
        jobName="x" * 200,
        evaluationTestSetId=pipeline.upload("Unseen", unseen_documents()),
    ).state
    assert job.evaluation
    assert job.evaluation.status == "COMPLETED", job.evaluation.error_message
    pipeline.delete(job.id)
    return job


@pytest.fixture(scope="session")
def late_runs(pipeline: Pipeline, packets: Finished) -> dict[str, str]:
    """Error type of each stage that is run once more for a job that has ended."""
    event = {"jobId": packets.job.id, "number": 1}
    return {stage: pipeline.invoke(stage, event)["errorType"] for stage in MOVING_STAGES}


@pytest.fixture(scope="session")
def lost_document(pipeline: Pipeline, packets: Finished) -> dict[str, Any]:
    """Lambda's error object for a document that was removed after validation."""
    key = f"{packets.test_set_id}/input/removed.pdf"
    document = {"documentId": "0" * 20, "key": key, "split": "train", "sections": [{"className": "letter"}]}
    event = {"jobId": packets.job.id, "number": 1, "document": document}
    with record_with(pipeline, packets.job.id, "status", "GENERATING_DATA"):
        return pipeline.invoke("GenerateExample", event)


@pytest.fixture(scope="session")
def controlled(pipeline: Pipeline) -> Controlled:
    """Jobs that were stopped, retried, aborted and lost, and a test set that was removed."""
    return control(pipeline)


@pytest.fixture(scope="session")
def hopeless(pipeline: Pipeline) -> Job:
    """A job that failed for none of its documents can be used, and was deleted after a deletion that had stopped.

    The job is as it was before it was deleted.
    """
    test_set_id = pipeline.upload("Hopeless", documents.cut_off())
    assert pipeline.sdk.finetuning.validate_test_set(test_set_id).is_valid
    job = pipeline.run(testSetId=test_set_id, baseModel="us.amazon.nova-lite-v1:0", jobName="hopeless").state
    local_client("dynamodb", pipeline.connection.aws_endpoint_url).update_item(
        TableName=pipeline.connection.jobs_table,
        Key={"id": {"S": job.id}, "item": {"S": "job"}},
        UpdateExpression="SET #status = :deleting",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":deleting": {"S": "DELETING"}},
    )
    pipeline.delete(job.id)
    return job


@pytest.fixture(scope="session")
def read_in_background(pipeline: Pipeline, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """A test set whose labels the resolver has no time to read, and what it answers while they are being read.

    The functions are the shipped ones; only a request's time is none, which stands for thousands of labels.
    """
    test_set_id = pipeline.upload("Large", documents.packets())
    root = tmp_path_factory.mktemp("hurried")
    (root / "lambdas").mkdir()
    lines = [
        "from idp_finetuning.stages import read_labels",
        "read_labels.REQUEST_SECONDS = -1",
        f"__path__ = ['{CHECKOUT}/lambdas']",
    ]
    (root / "lambdas/__init__.py").write_text("\n".join(lines))
    logs = pipeline.directory / "logs"
    pool = WorkerPool(0, handler_root=root, log=logs / "hurried.log", instrument=INSTRUMENT)
    functions = Functions(
        FUNCTIONS,
        prefix=PREFIX,
        pool=pool,
        values=variable_values(1, user_pool_id=pipeline.connection.user_pool_id),
        endpoints=aws_environment(pipeline.connection.aws_endpoint_url, pipeline.connection.bedrock_endpoint_url),
        logs=logs,
    )
    event = {
        "field": "validateTestSetForFinetuning",
        "arguments": {"testSetId": test_set_id},
        "identity": {"sub": "s", "username": "viewer@example.com", "groups": []},
    }
    try:
        answer: dict[str, Any] = functions.invoke(function_name("Resolver"), event).payload
    finally:
        pool.close()
    return test_set_id, answer
