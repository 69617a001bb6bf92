"""What the API answers in the tests of the command line, as docs/cli.md shows it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from idp_finetuning.evaluation.expectation import expect
from idp_finetuning.evaluation.gate import judge_gate
from idp_finetuning.nova.base_models import base_models
from idp_finetuning.training_data.loss_curve import LossCurve, LossPoint
from tests.support.domain.evaluated import baseline, evaluation_report, job_comparison, pages_of_report
from tests.support.domain.samples import GUIDE_CLASSES

JOB_ID = "6f1c2b1e-8a52-4f0e-9a43-1f2f6c1f0a11"
DEPLOYMENT_ARN = "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/d43aywnbebmj"
WARNING = "Class 'other' has relatively few examples (10)"

LOSSES = LossCurve(training=tuple(LossPoint(step=step, epoch=1, loss=2 / step) for step in (1, 2, 3)))


def job(**changes: Any) -> dict[str, Any]:
    """The guide's job, TRAINING."""
    values: dict[str, Any] = {
        "id": JOB_ID,
        "jobName": "my-classifier",
        "testSetId": "docsplit",
        "testSetName": "docsplit",
        "baseModel": "us.amazon.nova-pro-v1:0",
        "baseModelName": "Nova Pro",
        "status": "TRAINING",
        "trainSplit": 0.9,
        "hyperParameters": {"epochCount": 2, "learningRate": 1e-5, "learningRateWarmupSteps": 10},
        "repeat": 1,
        "configVersion": None,
        "createdBy": "author@example.com",
        "createdAt": "2024-01-15T10:00:00.000Z",
        "updatedAt": "2024-01-15T10:07:30.000Z",
        "trainingStartedAt": "2024-01-15T10:05:00.000Z",
        "trainingCompletedAt": None,
        "deploymentCompletedAt": None,
        "customizationJobArn": None,
        "customizationJobStatus": "InProgress",
        "customModelArn": None,
        "customModelDeploymentArn": None,
        "trainingMetrics": {"trainingLoss": 0.05, "validationLoss": 0.08},
        "documents": {"found": 150, "train": 135, "validation": 15, "rejected": 0},
        "warnings": [WARNING],
        "waitingFor": None,
        "run": 1,
        "errorStage": None,
        "errorCode": None,
        "errorMessage": None,
        "evaluation": None,
    }
    return values | changes


def evaluation(**changes: Any) -> dict[str, Any]:
    """The first evaluation of the job, COMPLETED."""
    report = evaluation_report()
    ended = {
        "status": "COMPLETED",
        "endedAt": report.created_at,
        "verdict": "BETTER",
        "gain": 0.667,
        "gainLower": 0.201,
        "gainUpper": 0.883,
        "sentence": report.sentence,
    }
    values = {"number": 1, "builtInPrompt": False, "startedAt": "2024-01-15T11:15:00.000Z", "errorMessage": None}
    running = dict.fromkeys(ended) if changes.get("status") == "RUNNING" else ended
    return values | running | changes


def completed_job(**changes: Any) -> dict[str, Any]:
    """The same job, COMPLETED."""
    return job(
        status="COMPLETED",
        trainingCompletedAt="2024-01-15T11:05:00.000Z",
        deploymentCompletedAt="2024-01-15T11:15:00.000Z",
        updatedAt="2024-01-15T11:15:00.000Z",
        customModelDeploymentArn=DEPLOYMENT_ARN,
        **changes,
    )


def validation(**changes: Any) -> dict[str, Any]:
    """The guide's verdict."""
    values: dict[str, Any] = {
        "isValid": True,
        "documentCount": 150,
        "classCount": 8,
        "classDistribution": json.dumps(GUIDE_CLASSES),
        "trainCount": 135,
        "validationCount": 15,
        "warnings": [WARNING],
        "errors": [],
        "evaluation": None,
    }
    return values | changes


def config_version(**changes: Any) -> dict[str, Any]:
    """A version on the job's model."""
    values: dict[str, Any] = {
        "name": "invoices",
        "description": "The model of January",
        "active": False,
        "builtIn": False,
        "classification": {
            "model": DEPLOYMENT_ARN,
            "modelName": "my-classifier",
            "jobId": JOB_ID,
            "systemPrompt": "You classify pages.",
            "taskPrompt": "Classes:\n{CLASS_NAMES_AND_DESCRIPTIONS}\nPage: {DOCUMENT_IMAGE}",
            "temperature": 0.0,
            "classes": [
                {"name": "invoice", "description": "Asks for a payment."},
                {"name": "letter", "description": ""},
            ],
        },
        "revision": 1,
        "warnings": [],
        "createdAt": "2024-01-15T12:00:00.000Z",
        "createdBy": "author@example.com",
        "updatedAt": "2024-01-15T12:00:00.000Z",
        "updatedBy": "author@example.com",
    }
    return values | changes


def default_version() -> dict[str, Any]:
    """The built-in version."""
    return config_version(
        name="default",
        description="Built in",
        active=True,
        builtIn=True,
        classification={
            "model": "us.amazon.nova-2-lite-v1:0",
            "modelName": "Nova 2 Lite",
            "jobId": None,
            "systemPrompt": "You classify pages.",
            "taskPrompt": "{CLASS_NAMES_AND_DESCRIPTIONS} {DOCUMENT_IMAGE}",
            "temperature": 0.0,
            "classes": [],
        },
        revision=0,
        createdAt=None,
        createdBy=None,
        updatedAt=None,
        updatedBy=None,
    )


def test_set(**changes: Any) -> dict[str, Any]:
    """The guide's test set."""
    values: dict[str, Any] = {
        "id": "docsplit",
        "name": "docsplit",
        "description": "",
        "fileCount": 150,
        "status": "READY",
        "version": 1,
        "createdAt": "2024-01-15T09:30:00.000Z",
    }
    return values | changes


def user(**changes: Any) -> dict[str, Any]:
    """An author."""
    values: dict[str, Any] = {
        "id": "5f0c",
        "username": "5f0c",
        "email": "author@example.com",
        "groups": ["Author"],
        "scope": "ALL",
        "allowedConfigVersions": [],
    }
    return values | changes


def classification(**changes: Any) -> dict[str, Any]:
    """A scan of two documents."""
    values: dict[str, Any] = {
        "id": "c1",
        "status": "COMPLETED",
        "document": "scan.pdf",
        "configVersion": "invoices",
        "model": DEPLOYMENT_ARN,
        "modelName": "my-classifier",
        "createdBy": "author@example.com",
        "createdAt": "2024-01-15T12:30:00.000Z",
        "completedAt": "2024-01-15T12:30:04.000Z",
        "pageCount": 3,
        "pagesDone": 3,
        "pages": [
            {"number": 1, "className": "invoice", "boundary": "start"},
            {"number": 2, "className": "invoice", "boundary": "continue"},
            {"number": 3, "className": "letter", "boundary": "start"},
        ],
        "sections": [
            {"className": "invoice", "startPage": 1, "endPage": 2},
            {"className": "letter", "startPage": 3, "endPage": 3},
        ],
        "warnings": [],
        "errorCode": None,
        "errorMessage": None,
        "evaluation": None,
    }
    return values | changes


def report() -> dict[str, Any]:
    """What became of the guide's documents, one of which is damaged."""
    return {
        "found": 150,
        "accepted": 149,
        "rejected": 1,
        "train": {"documents": 134, "pages": 250, "classes": [{"name": "w2", "documents": 134, "pages": 250}]},
        "validation": {"documents": 15, "pages": 28, "classes": [{"name": "w2", "documents": 15, "pages": 28}]},
        "rejectedDocuments": [
            {"key": "docsplit/input/w2/7.pdf", "code": "encrypted", "reason": "The PDF is encrypted."}
        ],
        "warnings": [WARNING],
        "repeat": 1,
        "bedrockRecords": None,
    }


def dataset_documents() -> list[dict[str, Any]]:
    """Three of them: a held-out one, one to train, and the damaged one."""
    listed: dict[str, dict[str, Any]] = {
        "w2/3.pdf": {"side": "validation", "pages": 2},
        "w2/1.pdf": {"side": "train", "pages": 2},
        "w2/7.pdf": {"side": "train", "code": "encrypted", "reason": "The PDF is encrypted."},
    }
    nothing = {"pages": None, "code": None, "reason": None}
    return [{"path": path, "classes": ["w2"], **nothing, **item} for path, item in listed.items()]


def models() -> dict[str, Any]:
    """The guide's models."""
    return {
        "baseModels": [
            {
                "id": model.id,
                "name": model.name,
                "provider": model.provider,
                "label": model.label,
                "minimumRecords": model.minimum_records,
                "maximumRecords": model.maximum_records,
                "validationSupported": model.validation_supported,
                "hyperParameters": [item.to_wire() for item in model.hyper_parameters],
                "offered": True,
                "lifecycle": {"status": "ACTIVE", "endOfLife": None},
            }
            for model in base_models()
        ],
        "customModels": [
            {"id": f"arn:{name}", "name": name, "baseModel": base_model, "status": "Active", "jobId": name}
            for name, base_model in (("my-classifier", "Nova Pro"), ("docsplit-v2", "Nova Lite"))
        ],
    }


def answers() -> dict[str, Callable[[dict[str, Any]], Any]]:
    """An answer for every field, from its variables."""
    events = [
        {"at": "2024-01-15T10:05:00.000Z", "type": "TRAINING", "message": "Submitting the customization job."},
        {"at": "2024-01-15T10:01:00.000Z", "type": "GENERATING_DATA", "message": "Converting documents."},
    ]
    return {
        "validateTestSetForFinetuning": lambda given: validation(
            evaluation=expect(15).to_wire() if given.get("baseModel") else None
        ),
        "createFinetuningJob": lambda given: job(status="VALIDATING", jobName=given["input"]["jobName"], warnings=[]),
        "getFinetuningJob": lambda given: job(),
        "listFinetuningJobs": lambda given: _page([job()]),
        "stopFinetuningJob": lambda given: job(status="STOPPING"),
        "retryFinetuningJob": lambda given: job(status="DEPLOYING"),
        "deleteFinetuningJob": lambda given: True,
        "listFinetuningJobEvents": lambda given: _page(events),
        "evaluateFinetuningJob": lambda given: completed_job(evaluation=evaluation(status="RUNNING")),
        "startBaselineEvaluation": lambda given: baseline().to_wire(),
        "getBaselineEvaluation": lambda given: baseline(evaluated=True).to_wire(),
        "listBaselinePages": lambda given: _page([page.to_wire() for page in pages_of_report()]),
        "estimateEvaluation": lambda given: {
            "pages": 12,
            "answers": 36,
            "cost": 0.0144,
            "withoutPrice": [],
            "pricesAsOf": "2026-08-31",
        },
        "getEvaluationReport": lambda given: evaluation_report().to_wire(),
        "compareFinetuningJobs": lambda given: job_comparison().to_wire(),
        "listEvaluatedPages": lambda given: _page([page.to_wire() for page in pages_of_report()]),
        "gateFinetuningJob": lambda given: judge_gate(
            evaluation_report(),
            minimum_gain=given["minimumGain"],
            maximum_loss_per_class=given["maximumLossPerClass"],
        ).to_wire(),
        "getDatasetReport": lambda given: report(),
        "getLossCurve": lambda given: LOSSES.to_wire(),
        "listDatasetDocuments": lambda given: _page(dataset_documents()),
        "getFinetuningJobPrompt": lambda given: _prompt(),
        "listAvailableModels": lambda given: models(),
        "listTestSets": lambda given: _page([test_set()]),
        "getTestSet": lambda given: test_set(),
        "createTestSet": lambda given: test_set(status="UPLOADING", fileCount=0),
        "createTestSetUploads": lambda given: [_post(file["key"]) | {"present": False} for file in given["files"]],
        "completeTestSet": lambda given: test_set(fileCount=2, version=2),
        "removeTestSetDocuments": lambda given: test_set(fileCount=1, version=3),
        "deleteTestSet": lambda given: True,
        "listConfigVersions": lambda given: _page([config_version(), default_version()]),
        "getConfigVersion": lambda given: config_version(),
        "createConfigVersion": lambda given: config_version(name=given["input"]["name"]),
        "updateConfigVersion": lambda given: config_version(revision=2),
        "activateConfigVersion": lambda given: config_version(active=True),
        "rollbackConfigVersion": lambda given: config_version(active=True),
        "deleteConfigVersion": lambda given: True,
        "createClassificationUpload": lambda given: _post("classifications/uploads/1"),
        "startClassification": lambda given: classification(status="RUNNING", pages=[], sections=[]),
        "getClassification": lambda given: classification(),
        "getMyProfile": lambda given: user(),
        "listUsers": lambda given: _page([user(), user(email="viewer@example.com", groups=["Viewer"])]),
        "updateUser": lambda given: user(
            scope="LISTED" if given["input"]["allowedConfigVersions"] else "ALL",
            allowedConfigVersions=given["input"]["allowedConfigVersions"] or [],
        ),
    }


def _prompt() -> dict[str, Any]:
    settings = config_version()["classification"]
    return {name: settings[name] for name in ("systemPrompt", "taskPrompt", "classes")}


def _page(items: list[Any]) -> dict[str, Any]:
    return {"items": items, "nextToken": None}


def _post(key: str) -> dict[str, Any]:
    return {"key": key, "url": "https://bucket.s3.amazonaws.com/", "fields": [{"name": "key", "value": key}]}
