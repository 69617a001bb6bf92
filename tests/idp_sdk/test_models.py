from __future__ import annotations

from idp_sdk import IDPClient
from tests.support.sdk.answers import DEPLOYMENT_ARN
from tests.support.sdk.deployment import Deployment


def test_models_are_listed_as_the_guide_names_them(deployment: Deployment, client: IDPClient) -> None:
    base = {
        "id": "us.amazon.nova-2-lite-v1:0",
        "name": "Nova 2 Lite",
        "provider": "Amazon",
        "label": "recommended",
        "minimumRecords": 200,
        "maximumRecords": 20000,
        "validationSupported": False,
        "hyperParameters": [
            {
                "name": "epochCount",
                "kind": "integer",
                "default": 2,
                "minimum": 1,
                "maximum": 5,
                "sent": True,
                "optional": False,
            }
        ],
        "offered": None,
        "lifecycle": {"status": "LEGACY", "endOfLife": None},
    }
    custom = {
        "id": DEPLOYMENT_ARN,
        "name": "my-classifier",
        "baseModel": "Nova Pro",
        "status": "Active",
        "jobId": "job-1",
    }
    deployment.answers["listAvailableModels"] = {"baseModels": [base], "customModels": [custom]}
    models = client.models.list_available_models()
    assert [f"{model.name} ({model.base_model})" for model in models.custom_models] == ["my-classifier (Nova Pro)"]
    assert models.custom_models[0].job_id == "job-1"
    (listed,) = models.base_models
    assert [(item.name, item.range) for item in listed.hyper_parameters] == [("epochCount", "1 to 5")]
    assert (listed.lifecycle_warning or "").startswith("Nova 2 Lite is LEGACY in Bedrock.")
    assert (listed.label, listed.minimum_records, listed.offered) == ("recommended", 200, None)
