"""A job on a ready test set, and the functions of the workflow."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from idp_finetuning.adapters.buckets import DataBucket, TestSetBucket
from idp_finetuning.adapters.tables.config_versions import ConfigVersionTable
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.adapters.tables.test_sets import TestSetTable
from tests.idp_finetuning.conftest import client
from tests.support.domain.evaluation_steps import Evaluation, completed
from tests.support.domain.fake_bedrock import client_error
from tests.support.domain.pipeline import Pipeline
from tests.support.domain.samples import job, ready_test_set, upload_test_set


@pytest.fixture
def pipeline(environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, s3: Any, dynamodb: Any) -> Pipeline:
    """The workflow's functions."""
    return Pipeline(environment, monkeypatch, s3, dynamodb)


@pytest.fixture
def event(jobs: JobTable, test_sets: TestSetTable, s3: Any) -> dict[str, Any]:
    """The event of a new job on a test set of twelve documents."""
    upload_test_set(s3)
    test_sets.create(ready_test_set())
    return jobs.create(job(), None, "").current_run.to_wire()


@pytest.fixture
def evaluation(
    jobs: JobTable,
    data: DataBucket,
    documents_bucket: TestSetBucket,
    test_sets: TestSetTable,
    dynamodb: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> Evaluation:
    """An evaluation that has been started, of a custom model that is always right."""
    monkeypatch.setattr("idp_finetuning.stages.evaluate_document.sleep", lambda seconds: None)
    made = Evaluation(jobs, data, documents_bucket, ConfigVersionTable(dynamodb, "t-config-versions"), test_sets)
    made.make_dataset()
    jobs.create(completed(), None, "")
    return made


@pytest.fixture
def executions(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Status by name, over what was really started; what is in neither does not exist."""
    known: dict[str, str] = {}
    really = client("stepfunctions").describe_execution

    def describe(executionArn: str) -> dict[str, Any]:  # noqa: N803
        name = executionArn.rpartition(":")[2]
        if known.get(name) == "throttled":
            raise client_error("DescribeExecution", "ThrottlingException")
        try:
            found: dict[str, Any] = dict(really(executionArn=executionArn))
        except ClientError:
            if name not in known:
                raise
            found = {}
        return found | ({"status": known[name]} if name in known else {})

    monkeypatch.setattr(client("stepfunctions"), "describe_execution", describe, raising=False)
    return known
