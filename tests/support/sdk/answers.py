"""What the API answers, in its own camelCase."""

from __future__ import annotations

from typing import Any

CREATED = "2026-11-22T10:00:00.000Z"
DEPLOYMENT_ARN = "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/abc"


def job(status: str = "VALIDATING", **changes: Any) -> dict[str, Any]:
    """A job; getFinetuningJob's and, with members left out, listFinetuningJobs' item."""
    return {
        "id": "job-1",
        "jobName": "my-classifier",
        "testSetId": "docsplit",
        "testSetName": "docsplit",
        "baseModel": "us.amazon.nova-pro-v1:0",
        "baseModelName": "Nova Pro",
        "status": status,
        "trainSplit": 0.9,
        "hyperParameters": {"epochCount": 2, "learningRate": 1e-5, "learningRateWarmupSteps": 10},
        "repeat": 1,
        "createdBy": "author@example.com",
        "createdAt": CREATED,
        "updatedAt": CREATED,
        "warnings": [],
        "run": 1,
        **changes,
    }


def validation(**changes: Any) -> dict[str, Any]:
    """A verdict on a test set."""
    return {
        "isValid": True,
        "documentCount": 40,
        "classCount": 2,
        "classDistribution": '{"payslip": 21, "invoice": 19}',
        "trainCount": 36,
        "validationCount": 4,
        "warnings": [],
        "errors": [],
        **changes,
    }


def labelled_set(status: str = "READY", **changes: Any) -> dict[str, Any]:
    """A test set."""
    return {
        "id": "docsplit",
        "name": "docsplit",
        "description": "",
        "fileCount": 40,
        "status": status,
        "version": 1,
        "createdAt": CREATED,
        **changes,
    }


def config_version(name: str = "v1", **changes: Any) -> dict[str, Any]:
    """A configuration version."""
    return {
        "name": name,
        "description": "",
        "active": False,
        "builtIn": False,
        "revision": 3,
        "warnings": [],
        "createdAt": CREATED,
        "createdBy": "author@example.com",
        "updatedAt": CREATED,
        "updatedBy": "author@example.com",
        "classification": {
            "model": "us.amazon.nova-2-lite-v1:0",
            "modelName": "Nova 2 Lite",
            "jobId": None,
            "systemPrompt": "You classify.",
            "taskPrompt": "{CLASS_NAMES_AND_DESCRIPTIONS} {DOCUMENT_IMAGE}",
            "temperature": 0.0,
            "classes": [{"name": "invoice", "description": "A bill."}],
        },
        **changes,
    }


def user(**changes: Any) -> dict[str, Any]:
    """A user."""
    return {
        "id": "sub-1",
        "username": "sub-1",
        "email": "author@example.com",
        "groups": ["Author"],
        "scope": "ALL",
        "allowedConfigVersions": [],
        **changes,
    }


def classification(status: str = "RUNNING", **changes: Any) -> dict[str, Any]:
    """A classification."""
    return {
        "id": "classification-1",
        "status": status,
        "document": "scan.pdf",
        "configVersion": "v1",
        "model": "us.amazon.nova-2-lite-v1:0",
        "modelName": "Nova 2 Lite",
        "createdBy": "author@example.com",
        "createdAt": CREATED,
        "pagesDone": 0,
        "pages": [],
        "sections": [],
        "warnings": [],
        **changes,
    }


def page(*items: dict[str, Any], next_token: str | None = None) -> dict[str, Any]:
    """A page of a list."""
    return {"items": list(items), "nextToken": next_token}
