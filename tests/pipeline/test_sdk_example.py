"""The guide's Python, word for word and in its own process: its lines in its order, ids and figures substituted."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.pipeline.driver import Pipeline
from tests.support.pipeline.guide import GUIDE

pytestmark = pytest.mark.xdist_group("pipeline_of_single_jobs")

# The example asks once a minute; here a minute passes in a moment.
RUN = """
import runpy, sys, time
sleep = time.sleep
time.sleep = lambda seconds: sleep(seconds / 100)
runpy.run_path(sys.argv[1], run_name="__main__")
"""


def environment(pipeline: Pipeline, directory: Path) -> dict[str, str]:
    """What tells the SDK where the runtime is and who signs in."""
    connection = pipeline.connection
    author = connection.user("author@example.com")
    others = {name: value for name, value in os.environ.items() if not name.startswith("IDP_")}
    return {
        **others,
        "IDP_CONFIG_DIR": str(directory),
        "IDP_GRAPHQL_URL": connection.graphql_url,
        "IDP_REGION": connection.region,
        "IDP_USER_POOL_CLIENT_ID": connection.user_pool_client_id,
        "IDP_COGNITO_ENDPOINT_URL": connection.aws_endpoint_url,
        "IDP_USERNAME": author.username,
        "IDP_PASSWORD": author.password,
    }


def test_the_guides_example_prints_the_guides_lines(pipeline: Pipeline, guide_set: str, tmp_path: Path) -> None:
    example = subprocess.run(
        [sys.executable, "-c", RUN, str(GUIDE / "sdk_example.py")],
        env=environment(pipeline, tmp_path),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert example.returncode == 0, example.stderr
    valid, documents, classes, job, status, arn, *models = example.stdout.splitlines()
    assert guide_set == "docsplit"
    assert (valid, documents, classes) == ("Valid: True", "Documents: 150", "Classes: 8")
    assert re.fullmatch(r"Job ID: [0-9a-f-]{36}", job)
    assert status == "Status: COMPLETED"
    assert re.fullmatch(r"Model ARN: arn:aws:bedrock:us-east-1:\d{12}:custom-model-deployment/[a-z0-9]{12}", arn)
    assert all(re.fullmatch(r"  .+ \(Nova .+\)", model) for model in models)
    assert "  my-classifier (Nova Pro)" in models
