"""docs/sdk.md: its examples run as they stand and print what they are said to print."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from idp_finetuning.evaluation.gate import judge_gate
from idp_finetuning.nova.base_models import find_base_model
from idp_sdk import IDPClient, Profiles, Tokens, errors
from tests.idp_sdk.conftest import Clock
from tests.support.docs_pages import page as docs_page
from tests.support.docs_pages import table
from tests.support.domain.evaluated import baseline, evaluation_report, job_comparison, pages_of_report
from tests.support.sdk.answers import (
    CREATED,
    DEPLOYMENT_ARN,
    classification,
    config_version,
    job,
    labelled_set,
    page,
    user,
    validation,
)
from tests.support.sdk.cognito import asks, signed_in
from tests.support.sdk.deployment import BUCKET_URL, CONNECTION, Deployment, Refusal
from tests.support.sdk.folders import tree
from tests.support.sdk.test_sets import TestSetTable

PAGE = docs_page("sdk")
EXAMPLES = re.findall(r"^```python\n(.*?)^```$(?:\n\n^```text\n(.*?)^```$)?", PAGE, re.MULTILINE | re.DOTALL)
NAMESPACES = ("finetuning", "models", "test_sets", "config_versions", "users")
MODEL = {
    "id": "us.amazon.nova-2-lite-v1:0",
    "name": "Nova 2 Lite",
    "provider": "Amazon",
    "label": "recommended",
    "minimumRecords": 200,
    "maximumRecords": 20000,
    "validationSupported": False,
    "hyperParameters": [item.to_wire() for item in find_base_model("us.amazon.nova-2-lite-v1:0").hyper_parameters],
    "offered": True,
}
CUSTOM = {"id": DEPLOYMENT_ARN, "name": "my-classifier", "baseModel": "Nova Pro", "status": "Active", "jobId": "job-1"}


@pytest.fixture
def documented(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> Iterator[Deployment]:
    """What the page's examples meet: profiles, files and a deployment, as the page tells of them."""
    tree(tmp_path / "documents", "invoice/a.pdf", "payslip/2025/b.pdf", "notes.txt")
    tree(tmp_path, "scan.pdf")
    (tmp_path / "cdk-outputs.json").write_text(
        '{"idp-finetuning": {"GraphqlUrl": "https://api.example.com/graphql", "Region": "us-east-1",'
        ' "UserPoolClientId": "client1"}}'
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("getpass.getpass", lambda prompt: f"answer to {prompt}")
    for module in ("client", "signin.sign_in"):
        monkeypatch.setattr(f"idp_sdk.{module}.open_client", lambda url, timeout: deployment.client())
    profiles = Profiles()
    profiles.save_connection("default", CONNECTION)
    tokens = {"username": "u", "id_token": "token-0", "access_token": "a", "expires_at": 9e9}
    profiles.save_tokens("default", CONNECTION, Tokens.model_validate(tokens))
    deployment.cognito = sign_in_with_a_code
    deployment.tokens |= {"token-1"}
    table_of_sets = TestSetTable(deployment)
    deployment.answers |= answers()
    yield deployment
    assert table_of_sets.status == "READY"


def sign_in_with_a_code(action: str, given: dict[str, Any]) -> httpx.Response:
    """A user of profile `work` has a second factor, the one of the service has none."""
    if action == "RevokeToken":
        return httpx.Response(200)
    if action == "RespondToAuthChallenge":
        assert given["ChallengeResponses"]["SOFTWARE_TOKEN_MFA_CODE"] == "answer to Code of your authenticator app: "
        return signed_in()
    return asks("SOFTWARE_TOKEN_MFA") if Profiles().connection("work") else signed_in()


def answers() -> dict[str, Any]:
    """What the deployment answers to the page's examples."""
    trained = {"trainingMetrics": {"trainingLoss": 0.05, "validationLoss": 0.08}}
    evaluated = {"number": 1, "builtInPrompt": False, "status": "COMPLETED", "startedAt": CREATED, "verdict": "BETTER"}
    completed = job("COMPLETED", customModelDeploymentArn=DEPLOYMENT_ARN, evaluation=evaluated, **trained)
    split = {"documents": 1, "pages": 1, "classes": []}
    rejected = {"key": "docsplit/input/invoice/7.pdf", "code": "empty", "reason": "It is empty."}
    version = config_version("v1", active=True)
    version["classification"] |= {"model": DEPLOYMENT_ARN, "modelName": "my-classifier", "jobId": "job-1"}
    sections = [{"className": "invoice", "startPage": 1, "endPage": 2}]
    return {
        "getMyProfile": user(),
        "listTestSets": page(labelled_set()),
        "validateTestSetForFinetuning": validation(warnings=["Class 'invoice' has relatively few examples (19)"]),
        "createFinetuningJob": job(),
        "getFinetuningJob": [job(), job("TRAINING", **trained), completed],
        "listFinetuningJobs": page(completed),
        "listFinetuningJobEvents": page({"at": CREATED, "type": "TRAINING", "message": "Bedrock: InProgress."}),
        "getLossCurve": {"training": [{"step": 1, "epoch": 1, "loss": 2.0}, {"step": 2, "epoch": 1, "loss": 0.5}]}
        | {"validation": []},
        "getDatasetReport": {
            "found": 3,
            "accepted": 2,
            "rejected": 1,
            "train": split,
            "validation": split,
            "rejectedDocuments": [rejected],
            "warnings": [],
            "repeat": 1,
        },
        "listDatasetDocuments": page(
            {"path": "letter/3.pdf", "side": "validation", "classes": ["letter"], "pages": 1},
            {"path": "letter/1.pdf", "side": "train", "classes": ["letter"], "pages": 1},
        ),
        "evaluateFinetuningJob": completed,
        "startBaselineEvaluation": baseline().to_wire(),
        "getBaselineEvaluation": baseline(evaluated=True).to_wire(),
        "listBaselinePages": page(*(item.to_wire() for item in pages_of_report()[:2])),
        "estimateEvaluation": {
            "pages": 12,
            "answers": 36,
            "cost": 0.0144,
            "withoutPrice": [],
            "pricesAsOf": "2026-08-31",
        },
        "getEvaluationReport": evaluation_report().to_wire(),
        "compareFinetuningJobs": job_comparison().to_wire(),
        "listEvaluatedPages": page(*(item.to_wire() for item in pages_of_report()[:2])),
        "gateFinetuningJob": judge_gate(evaluation_report(), minimum_gain=0.05).to_wire(),
        "getFinetuningJobPrompt": {
            "systemPrompt": "You classify pages of business documents.",
            "taskPrompt": "t",
            "classes": [],
        },
        "stopFinetuningJob": job("STOPPING"),
        "retryFinetuningJob": job("TRAINING"),
        "deleteFinetuningJob": [True, Refusal("Conflict", "Job 'job-2' is TRAINING. Stop it first.")],
        "listAvailableModels": {"baseModels": [MODEL], "customModels": [CUSTOM]},
        "createConfigVersion": version,
        "activateConfigVersion": version,
        "updateConfigVersion": version,
        "rollbackConfigVersion": config_version("v0", active=True),
        "listConfigVersions": page(version, config_version("default")),
        "getConfigVersion": version,
        "deleteConfigVersion": True,
        "createClassificationUpload": {
            "key": "k",
            "url": BUCKET_URL,
            "fields": [{"name": "key", "value": "k"}],
        },
        "startClassification": classification(),
        "getClassification": classification("COMPLETED", modelName="my-classifier", sections=sections),
        "listUsers": page(user()),
        "updateUser": user(scope="LISTED", allowedConfigVersions=["v1"]),
    }


def test_the_examples_print_what_the_page_shows(documented: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    assert len(EXAMPLES) > 10
    for code, output in EXAMPLES:
        exec(compile(code, "docs/sdk.md", "exec"), names)
        assert capsys.readouterr().out == output, code
    assert "work" in Profiles().names()
    assert Profiles().tokens("work", CONNECTION) is None


def test_every_method_has_its_example(client: IDPClient) -> None:
    written = "\n".join(code for code, _ in EXAMPLES)
    methods = [
        f"client.{namespace}.{name}("
        for namespace in NAMESPACES
        for name, _ in inspect.getmembers(type(getattr(client, namespace)), inspect.isfunction)
        if not name.startswith("_")
    ]
    assert len(methods) > 20
    assert [method for method in [*methods, "client.classify(", "client.close("] if method not in written] == []


def test_every_error_has_its_row() -> None:
    kinds = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, Exception)}
    assert set(table("sdk", "error")) == kinds - {"IDPError"}


def test_every_argument_has_its_row_and_its_variable() -> None:
    documented = {name: cells[0] for name, cells in table("sdk", "argument").items()}
    arguments = set(inspect.signature(IDPClient).parameters) - {"timeout", "retries", "http_client"}
    assert documented == {name: f"IDP_{name.upper()}" for name in arguments}
    assert all(f"`{name}" in PAGE for name in ("timeout", "retries", "http_client"))
