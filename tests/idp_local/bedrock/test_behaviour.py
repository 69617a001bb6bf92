"""A Bedrock whose behaviour is to fail does so in Bedrock's own words."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError

from idp_local.bedrock import BedrockServer
from idp_local.bedrock.behaviour import Behaviour
from idp_local.bedrock.errors import BedrockError
from tests.idp_local.bedrock.conftest import client, request, wait_for_end


class Failing(Behaviour):
    """Jobs named bad fail, all deployments fail, and nothing is listed."""

    def refusal(self, operation: str, request: Mapping[str, Any]) -> BedrockError | None:
        return BedrockError("ThrottlingException", "Slow down.") if operation == "ListCustomModels" else None

    def training_failure(self, job_name: str) -> str | None:
        return "The instance was lost." if job_name == "bad" else None

    def deployment_failure(self, name: str) -> str | None:
        return f"No capacity for {name}."


def test_what_fails_by_itself_says_why(s3_url: str, s3: Any) -> None:
    with BedrockServer(seconds_per_phase=0.05, s3_endpoint=s3_url, behaviour=Failing()) as server:
        bedrock = client("bedrock", server.url)
        for name in ("bad", "good"):
            bedrock.create_model_customization_job(**request(name))
        bad, good = (wait_for_end(bedrock, name) for name in ("bad", "good"))
        arn = bedrock.create_custom_model_deployment(modelDeploymentName="d", modelArn=good["outputModelArn"])[
            "customModelDeploymentArn"
        ]
        time.sleep(0.1)
        deployment = bedrock.get_custom_model_deployment(customModelDeploymentIdentifier=arn)

        assert (bad["status"], bad["failureMessage"]) == ("Failed", "The instance was lost.")
        assert good["status"] == "Completed"
        assert (deployment["status"], deployment["failureMessage"]) == ("Failed", "No capacity for d.")
        with pytest.raises(ClientError, match="ThrottlingException"):
            bedrock.list_custom_models()
