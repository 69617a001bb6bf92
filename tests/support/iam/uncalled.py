"""Permissions of functions that no call of the pipeline's tests needs, each with its reason."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from idp_finetuning.deployment import FUNCTIONS, JOBS_TABLE, TEST_SETS_TABLE, find_function
from stacks.definitions import called_functions
from tests.support.iam.calls import arn
from tests.support.iam.comparison import needed
from tests.support.iam.policies import Need
from tests.support.iam.resources import (
    ANNOUNCED,
    ANSWERED,
    BASELINE_ANSWERED,
    BASELINES,
    COUNTING,
    CUSTOM_MODELS,
    CUSTOMIZATION_JOBS,
    DATASET_DOCUMENTS,
    DEPLOYMENTS,
    EVALUATIONS,
    FOUNDATION_MODELS,
    LOSS_CURVE,
    PREFIX,
    RUNNING,
    SEALED,
    TEST_SETS,
    TRAINING_FILE,
    UPLOADING,
    VALIDATION_FILE,
)

CALLED = called_functions()


class Uncalled(NamedTuple):
    """Actions of a function (its name in deployment.FUNCTIONS) on kinds of resources.

    Those that depend on what happens at the same time are `by_chance`: a run of the tests may call them or not.
    """

    function: str
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    reason: str
    by_chance: bool = False


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
    *(
        Uncalled(
            "ReconcileJobs",
            (action,),
            tuple(arn("lambda", f"function:{find_function(name).function_name(PREFIX)}{rest}") for name in CALLED),
            "The local state machines call no versions, so there are none to look for or to delete.",
        )
        for action, rest in (("lambda:ListVersionsByFunction", ""), ("lambda:DeleteFunction", ":*"))
    ),
    Uncalled(
        "Resolver",
        ("s3:DeleteObject", "s3:DeleteObjectVersion"),
        (BASELINES, ANNOUNCED, SEALED),
        "A new test set's prefix is empty, unless forms of a deleted one were used within their hour.",
    ),
    Uncalled(
        "Resolver",
        ("s3:DeleteObjectVersion",),
        (UPLOADING,),
        "A new test set's prefix is empty, unless forms of a deleted one were used within their hour.",
    ),
    Uncalled(
        "Resolver",
        ("s3:DeleteObject",),
        (RUNNING,),
        "Only a classification whose function could not be started gives its place back.",
    ),
    *(
        Uncalled(
            function,
            ("s3:ListBucket",),
            (TEST_SETS,),
            "Complete test sets are read from their sealed listing; only attached or unsealed ones are listed.",
        )
        for function in ("ReadLabels", "ValidateTestSet", "PrepareEvaluation")
    ),
    *(
        Uncalled(
            "CountPages",
            (action,),
            (resource,),
            "Only test sets that take minutes to count leave their progress, or continue in another run.",
        )
        for action, resource in (
            ("s3:PutObject", COUNTING),
            ("lambda:InvokeFunction", arn("lambda", f"function:{find_function('CountPages').function_name(PREFIX)}")),
        )
    ),
    Uncalled(
        "CountPages",
        ("s3:ListBucket",),
        (TEST_SETS,),
        "S3 says that a document or a test set is gone only to those who may list the bucket.",
    ),
    Uncalled(
        "DeleteTestSet",
        ("s3:DeleteObject", "s3:DeleteObjectVersion"),
        (COUNTING,),
        "Only test sets that take minutes to count leave their progress.",
    ),
    Uncalled(
        "ReconcileJobs",
        ("dynamodb:GetItem",),
        (arn("dynamodb", f"table/{TEST_SETS_TABLE.name}"),),
        "Only a pass that runs while a test set is being deleted reads its record.",
        by_chance=True,
    ),
    Uncalled(
        "ReconcileJobs",
        ("dynamodb:UpdateItem",),
        (arn("dynamodb", f"table/{TEST_SETS_TABLE.name}"),),
        "A deletion of a test set counts as lost after 20 minutes.",
    ),
    Uncalled(
        "ReconcileJobs",
        ("lambda:InvokeFunction",),
        (arn("lambda", f"function:{find_function('DeleteTestSet').function_name(PREFIX)}"),),
        "A deletion of a test set counts as lost after 20 minutes.",
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
        (TRAINING_FILE, VALIDATION_FILE, DATASET_DOCUMENTS),
        "Only a data set of more than 8 MB goes up in parts, and only one that fails half-way is taken back.",
    ),
    Uncalled(
        "CreateCustomizationJob",
        ("bedrock:StopModelCustomizationJob",),
        (CUSTOMIZATION_JOBS,),
        "Stops what was created while the job's record moved on, which takes a race of milliseconds.",
        by_chance=True,
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
            "Finds a training whose ARN is not stored: a creation whose answer was lost, or a stop at that moment.",
            by_chance=True,
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
    Uncalled(
        "ClassifyDocument",
        ("lambda:InvokeFunction",),
        tuple(
            arn("lambda", f"function:{find_function(name).function_name(PREFIX)}")
            for name in ("ClassifyDocument", "EndClassification")
        ),
        "A run hands over after a quarter of an hour, and Lambda itself calls the destination with this role.",
    ),
    *(
        Uncalled(
            function,
            ("bedrock:InvokeModel",),
            (CUSTOM_MODELS,),
            "AWS does not say whether a call of a deployment is also one of its model, and a refusal would come after "
            "training.",
        )
        for function in ("ClassifyDocument", "EvaluateDocument")
    ),
    *(
        Uncalled(
            "EvaluateDocument",
            (action,),
            (resource,),
            "Texts of pages are read for prompts with {DOCUMENT_TEXT} only, which no job of these tests has.",
        )
        for action, resource in (("s3:ListBucket", TEST_SETS), ("s3:GetObject", BASELINES))
    ),
    Uncalled(
        "EvaluateDocument",
        ("s3:GetObject",),
        (ANSWERED, BASELINE_ANSWERED),
        "A conditional write reads the object that is there, which S3 alone does.",
    ),
    Uncalled(
        "EndEvaluation",
        ("dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:PutItem"),
        (arn("dynamodb", f"table/{JOBS_TABLE.name}"),),
        "Evaluations of these tests fail only if their job is deleted meanwhile.",
        by_chance=True,
    ),
    Uncalled(
        "ReconcileJobs",
        ("states:DescribeExecution",),
        (arn("states", f"execution:{PREFIX}-evaluation:*"),),
        "Only a pass that runs during an evaluation looks at it.",
        by_chance=True,
    ),
    Uncalled(
        "ReconcileJobs",
        ("states:StartExecution",),
        (arn("states", f"stateMachine:{PREFIX}-evaluation"),),
        "Starts an evaluation whose job's last worker died before it could, which takes a race of milliseconds.",
        by_chance=True,
    ),
    Uncalled(
        "ReconcileJobs",
        ("s3:DeleteObject", "s3:DeleteObjectVersion"),
        (*EVALUATIONS, LOSS_CURVE),
        "Only a step that wrote while its job was being deleted leaves something.",
        by_chance=True,
    ),
)


def excused(function: str, called: Collection[Need] = ()) -> frozenset[tuple[str, str]]:
    """Return the actions and kinds of resources of a function that need not be called, less those called by chance."""
    happened = needed(called)
    return frozenset(
        (action, resource)
        for entry in UNCALLED
        if entry.function == function
        for action in entry.actions
        for resource in entry.resources
        if not (entry.by_chance and (action, resource) in happened)
    )
