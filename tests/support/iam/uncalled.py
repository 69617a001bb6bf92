"""Permissions of functions that no call of the pipeline's tests needs, each with its reason."""

from __future__ import annotations

from typing import NamedTuple

from idp_finetuning.deployment import FUNCTIONS
from tests.support.iam.calls import arn
from tests.support.iam.resources import (
    BASELINES,
    CUSTOM_MODELS,
    CUSTOMIZATION_JOBS,
    DEPLOYMENTS,
    FOUNDATION_MODELS,
    PREFIX,
    TRAINING_FILE,
    VALIDATION_FILE,
)


class Uncalled(NamedTuple):
    """Actions of a function (its name in deployment.FUNCTIONS) on kinds of resources."""

    function: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    reason: str


UNCALLED: tuple[Uncalled, ...] = (
    *(
        Uncalled(
            spec.name,
            ("logs:CreateLogStream", "logs:PutLogEvents"),
            (arn("logs", f"log-group:/aws/lambda/{spec.function_name(PREFIX)}:*"),),
            "Lambda itself writes what the function prints, with the function's role.",
        )
        for spec in FUNCTIONS
    ),
    *(
        Uncalled(
            spec.name,
            ("xray:PutTraceSegments", "xray:PutTelemetryRecords"),
            ("*",),
            "Lambda itself sends the traces of a function, with the function's role.",
        )
        for spec in FUNCTIONS
    ),
    Uncalled(
        "GenerateExample",
        ("s3:GetObject",),
        (BASELINES,),
        "Texts of pages are read for prompts with {DOCUMENT_TEXT} only, which no job of these tests has.",
    ),
    Uncalled(
        "AssembleDataset",
        ("s3:AbortMultipartUpload",),
        (TRAINING_FILE, VALIDATION_FILE),
        "Only a data set of more than 8 MB goes up in parts, and only one that fails half-way is taken back.",
    ),
    Uncalled(
        "CreateCustomizationJob",
        ("bedrock:StopModelCustomizationJob",),
        (CUSTOMIZATION_JOBS,),
        "Stops what was created while the job's record moved on, which takes a race of milliseconds.",
    ),
    Uncalled(
        "CreateCustomizationJob",
        ("bedrock:GetModelCustomizationJob", "bedrock:ListTagsForResource"),
        (CUSTOMIZATION_JOBS,),
        "Looks at what exists under the name, which takes a creation whose answer was lost.",
    ),
    *(
        Uncalled(
            function,
            ("bedrock:ListModelCustomizationJobs",),
            ("*",),
            "Finds a training whose ARN was never stored, which takes a creation whose answer was lost.",
        )
        for function in ("CreateCustomizationJob", "EndJob", "Resolver")
    ),
    Uncalled(
        "Resolver",
        ("bedrock:GetCustomModelDeployment",),
        (DEPLOYMENTS,),
        "A retry reads the deployment in its job's record; the record of the job that these tests retry has none.",
    ),
    Uncalled(
        "DeleteModelDeployment",
        ("bedrock:StopModelCustomizationJob",),
        (CUSTOMIZATION_JOBS,),
        "Stops what trains for a job that failed without its training, which only a deadline or an operator does.",
    ),
    Uncalled(
        "CreateCustomizationJob",
        ("bedrock:CreateModelCustomizationJob",),
        (FOUNDATION_MODELS,),
        "AWS does not say whether IAM sees a model under its plain id or under the one fine-tuning calls it by.",
    ),
    Uncalled(
        "CreateModelDeployment",
        ("bedrock:TagResource",),
        (CUSTOM_MODELS,),
        "AWS does not say which resource of the request IAM asks about tags, and a refusal would come after training.",
    ),
)


def excused(function: str) -> frozenset[tuple[str, str]]:
    """Return the actions and kinds of resources of one function that need not be called."""
    return frozenset(
        (action, resource)
        for entry in UNCALLED
        if entry.function == function
        for action in entry.actions
        for resource in entry.resources
    )
