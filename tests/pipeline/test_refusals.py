"""What the API refuses, and how a job fails: error types of the design, before any Lambda runs where it can be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from graphql import ObjectTypeDefinitionNode, parse
from idp_finetuning.jobs.job import JobStatus
from idp_sdk import LabelledDocument, LabelledSection
from tests.support.graphql_client import GraphQLError, post_graphql
from tests.support.pipeline.driver import Pipeline
from tests.support.pipeline.guide import operation

pytestmark = pytest.mark.xdist_group("pipeline_of_single_jobs")

MUTATIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "startFinetuningJob": (
        "($input: StartFinetuningJobInput!) { startFinetuningJob(input: $input) { id } }",
        {"input": {"jobName": "n", "testSetId": "none", "baseModel": "us.amazon.nova-lite-v1:0"}},
    ),
    "createFinetuningJob": (
        "($input: StartFinetuningJobInput!) { createFinetuningJob(input: $input) { id } }",
        {"input": {"jobName": "n", "testSetId": "none", "baseModel": "us.amazon.nova-lite-v1:0"}},
    ),
    "stopFinetuningJob": ("($id: ID!) { stopFinetuningJob(jobId: $id) { id } }", {"id": "none"}),
    "retryFinetuningJob": ("($id: ID!) { retryFinetuningJob(jobId: $id) { id } }", {"id": "none"}),
    "deleteFinetuningJob": ("($id: ID!) { deleteFinetuningJob(jobId: $id) }", {"id": "none"}),
    "evaluateFinetuningJob": ("($id: ID!) { evaluateFinetuningJob(jobId: $id) { id } }", {"id": "none"}),
    "startBaselineEvaluation": ('{ startBaselineEvaluation(testSetId: "none") { number } }', {}),
    "createTestSet": ('{ createTestSet(input: {name: "refused"}) { id } }', {}),
    "createTestSetUploads": (
        '{ createTestSetUploads(testSetId: "none", files: []) { key } }',
        {},
    ),
    "deleteTestSet": ('{ deleteTestSet(testSetId: "none") }', {}),
    "completeTestSet": ('{ completeTestSet(testSetId: "none") { id } }', {}),
    "removeTestSetDocuments": ('{ removeTestSetDocuments(testSetId: "none", paths: ["a"]) { id } }', {}),
    "createConfigVersion": ('{ createConfigVersion(input: {name: "refused"}) { name } }', {}),
    "updateConfigVersion": ('{ updateConfigVersion(input: {name: "refused", revision: 1}) { name } }', {}),
    "activateConfigVersion": ('{ activateConfigVersion(name: "default") { name } }', {}),
    "rollbackConfigVersion": ("{ rollbackConfigVersion { name } }", {}),
    "deleteConfigVersion": ('{ deleteConfigVersion(name: "refused") }', {}),
    "createClassificationUpload": (
        '{ createClassificationUpload(input: {fileName: "a", size: 1, md5: "0"}) { key } }',
        {},
    ),
    "startClassification": ('{ startClassification(input: {uploadKey: "a"}) { id } }', {}),
    "updateUser": ('{ updateUser(input: {user: "viewer@example.com", allowedConfigVersions: []}) { id } }', {}),
}


def resolver_runs(pipeline: Pipeline) -> int:
    """Lines the resolver function has logged."""
    log = pipeline.directory / "logs" / "idp-finetuning-resolver.log"
    return len(log.read_text(encoding="utf-8").splitlines()) if log.exists() else 0


def test_the_table_above_holds_every_mutation_of_the_schema() -> None:
    text = (Path(__file__).parents[2] / "graphql/schema.graphql").read_text(encoding="utf-8")
    types = [d for d in parse(text).definitions if isinstance(d, ObjectTypeDefinitionNode)]
    mutation = next(d for d in types if d.name.value == "Mutation")
    assert set(MUTATIONS) == {field.name.value for field in mutation.fields or ()}


@pytest.mark.parametrize("username", ["reviewer@example.com", "viewer@example.com", "nogroup@example.com"])
@pytest.mark.parametrize("field", sorted(MUTATIONS))
def test_a_mutation_without_its_group_is_refused_before_any_lambda_runs(
    pipeline: Pipeline, username: str, field: str
) -> None:
    runs = resolver_runs(pipeline)
    query, variables = MUTATIONS[field]
    with pytest.raises(GraphQLError) as refused:
        pipeline.as_user(username).execute(f"mutation {query}", variables)
    assert refused.value.error_type == "Unauthorized"
    assert resolver_runs(pipeline) == runs


@pytest.mark.parametrize("token", [None, "tampered", "not a token"])
def test_a_request_without_a_valid_token_is_refused_before_any_lambda_runs(
    pipeline: Pipeline, token: str | None
) -> None:
    runs = resolver_runs(pipeline)
    if token == "tampered":
        head, payload, signature = pipeline.runtime.token("admin@example.com").split(".")
        token = f"{head}.{payload}.{signature[:-8]}{signature[-8:].swapcase()}"
    status, body = post_graphql(pipeline.connection.graphql_url, operation("ListAvailableModels"), {}, token)
    assert status == 401
    assert body["errors"][0]["errorType"] == "UnauthorizedException"
    assert resolver_runs(pipeline) == runs


@pytest.mark.parametrize("username", ["viewer@example.com", "nogroup@example.com"])
def test_reads_are_open_to_every_signed_in_user(pipeline: Pipeline, username: str) -> None:
    assert "baseModels" in pipeline.as_user(username).execute(operation("ListAvailableModels"))["listAvailableModels"]


@pytest.mark.parametrize(
    ("query", "error_type"),
    [
        ('{ getFinetuningJob(jobId: "none") { id } }', "JobNotFound"),
        ('{ getTestSet(testSetId: "none") { id } }', "TestSetNotFound"),
        ("{ listFinetuningJobs(limit: 101) { nextToken } }", "InvalidInput"),
        ('{ listFinetuningJobs(nextToken: "made up") { nextToken } }', "InvalidInput"),
        ('mutation { createTestSet(input: {name: "no/slash"}) { id } }', "InvalidInput"),
    ],
)
def test_clients_see_an_error_type_of_the_design(pipeline: Pipeline, query: str, error_type: str) -> None:
    with pytest.raises(GraphQLError) as refused:
        pipeline.client.execute(query)
    assert refused.value.error_type == error_type


def test_a_job_on_too_few_documents_fails_with_the_guides_words_and_so_does_its_execution(pipeline: Pipeline) -> None:
    documents = [
        LabelledDocument(
            path=f"{n}.pdf", content=b"%%PDF-x%d" % n, sections=(LabelledSection(class_name="a", page_indices=(0,)),)
        )
        for n in range(9)
    ]
    test_set_id = pipeline.upload("Too small", documents)
    job = pipeline.run(testSetId=test_set_id, baseModel="us.amazon.nova-lite-v1:0", jobName="small").state
    assert job.status is JobStatus.FAILED
    assert job.error_stage is JobStatus.VALIDATING
    assert job.error_message
    assert job.error_message.startswith("Insufficient documents: 9 found, at least 10 needed.")
    assert "Insufficient classes: 1 found" in job.error_message
    machine = pipeline.connection.state_machine_arn
    execution = pipeline.stepfunctions.describe_execution(
        executionArn=f"{machine.replace(':stateMachine:', ':execution:')}:{job.id}"
    )
    assert execution["status"] == "FAILED"
    assert execution["error"] == "TestSetInvalid"
    assert execution["cause"] == job.error_message


def test_an_unfinished_upload_cannot_be_trained_on(pipeline: Pipeline) -> None:
    begin = 'mutation { createTestSet(input: { name: "Half" }) { id } }'
    test_set_id = pipeline.client.execute(begin)["createTestSet"]["id"]
    with pytest.raises(GraphQLError) as refused:
        pipeline.start(testSetId=test_set_id, baseModel="us.amazon.nova-lite-v1:0", jobName="early")
    assert refused.value.error_type == "TestSetInvalid"
