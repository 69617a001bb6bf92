from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from graphql import build_schema, parse, validate
from idp_local.client import GraphQLError
from idp_local.demo import service

# What AppSync supplies [docs:appsync scalars, security-authz].
APPSYNC = """
scalar AWSDateTime
scalar AWSJSON
directive @aws_auth(cognito_groups: [String]) on FIELD_DEFINITION | OBJECT
"""
SCHEMA = Path(__file__).parents[3] / "graphql" / "schema.graphql"
OPERATIONS = {
    "createTestSet": service._CREATE_TEST_SET,
    "createTestSetUploads": service._CREATE_UPLOADS,
    "completeTestSet": service._COMPLETE_TEST_SET,
    "validateTestSetForFinetuning": service._VALIDATE,
    "listAvailableModels": service._MODELS,
    "startFinetuningJob": service._START % service._JOB_FIELDS,
    "getFinetuningJob": service._JOB % service._JOB_FIELDS,
    "getDatasetReport": service._REPORT,
    "createConfigVersion": service._CREATE_VERSION,
    "createClassificationUpload": service._CREATE_CLASSIFICATION_UPLOAD,
    "startClassification": service._CLASSIFY % service._CLASSIFICATION_FIELDS,
    "getClassification": service._CLASSIFICATION % service._CLASSIFICATION_FIELDS,
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_of_the_demo_is_one_of_the_schema(name: str) -> None:
    schema = build_schema(APPSYNC + SCHEMA.read_text(encoding="utf-8"))
    assert validate(schema, parse(OPERATIONS[name])) == []


def test_validation_waits_while_the_labels_are_still_being_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "VALIDATION_POLL_SECONDS", 0)
    verdict = {"isValid": True, "classDistribution": "{}", "warnings": [], "errors": []}
    counts = dict.fromkeys(("documentCount", "classCount", "trainCount", "validationCount"), 0)
    answers: list[dict[str, Any] | str] = ["ValidationRunning", "ValidationRunning", {**verdict, **counts}]

    class Reading:
        def execute(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
            answer = answers.pop(0)
            if isinstance(answer, str):
                raise GraphQLError([{"errorType": answer, "message": "Ask again."}])
            return {"validateTestSetForFinetuning": answer}

    assert service.FinetuningService(Reading()).validate("demo").is_valid
    assert answers == []


def test_a_refusal_is_not_waited_out() -> None:
    class Refusing:
        def execute(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
            raise GraphQLError([{"errorType": "TestSetNotFound", "message": "No test set."}])

    with pytest.raises(GraphQLError, match="TestSetNotFound"):
        service.FinetuningService(Refusing()).validate("demo")
