from __future__ import annotations

import pytest

from idp_sdk import DocumentClass, IDPClient
from idp_sdk.errors import Conflict, Unauthorized
from tests.support.sdk.answers import config_version, page
from tests.support.sdk.deployment import Deployment, Refusal


def test_versions_are_listed_and_read(deployment: Deployment, client: IDPClient) -> None:
    built_in = config_version("default", builtIn=True, active=True, revision=0, createdAt=None, createdBy=None)
    deployment.answers = {
        "listConfigVersions": page(config_version("v1"), built_in),
        "getConfigVersion": [config_version("v1"), Refusal("Unauthorized", "'v2' is not yours. Ask an Admin.")],
    }
    assert [(v.name, v.active, v.built_in) for v in client.config_versions.list()] == [
        ("v1", False, False),
        ("default", True, True),
    ]
    version = client.config_versions.get("v1")
    assert version.classification.model_name == "Nova 2 Lite"
    assert version.classification.classes == (DocumentClass(name="invoice", description="A bill."),)
    with pytest.raises(Unauthorized, match="not yours"):
        client.config_versions.get("v2")


def test_only_what_is_given_is_sent(deployment: Deployment, client: IDPClient) -> None:
    deployment.answers["createConfigVersion"] = config_version()
    client.config_versions.create("v1", from_job="job-1")
    client.config_versions.create("v2", description="", temperature=0.0, classes=[DocumentClass(name="invoice")])
    assert [call["input"] for call in deployment.calls_of("createConfigVersion")] == [
        {"name": "v1", "fromJob": "job-1"},
        {
            "name": "v2",
            "description": "",
            "classification": {"temperature": 0.0, "classes": [{"name": "invoice", "description": ""}]},
        },
    ]


def test_a_change_names_the_revision_it_was_made_from(deployment: Deployment, client: IDPClient) -> None:
    deployment.answers = {
        "getConfigVersion": config_version(revision=7),
        "updateConfigVersion": [config_version(revision=8), Refusal("Conflict", "b changed it. Read it again.")],
    }
    assert client.config_versions.update("v1", model="us.amazon.nova-lite-v1:0").revision == 8
    with pytest.raises(Conflict, match="b changed it"):
        client.config_versions.update("v1", revision=6, system_prompt="s", task_prompt="t")
    assert len(deployment.calls_of("getConfigVersion")) == 1
    assert [call["input"] for call in deployment.calls_of("updateConfigVersion")] == [
        {"name": "v1", "revision": 7, "classification": {"model": "us.amazon.nova-lite-v1:0"}},
        {"name": "v1", "revision": 6, "classification": {"systemPrompt": "s", "taskPrompt": "t"}},
    ]


def test_a_version_is_activated_and_deleted(deployment: Deployment, client: IDPClient) -> None:
    deployment.answers = {"activateConfigVersion": config_version(active=True), "deleteConfigVersion": True}
    assert client.config_versions.activate("v1").active
    assert client.config_versions.delete("v1") is True
