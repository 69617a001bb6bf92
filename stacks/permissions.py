"""What each function may do: one table, a row of statements for every function, and why where it is not plain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import aws_iam as iam

from stacks.places import DELETION, FINETUNING, Places


@dataclass(frozen=True)
class Allow:
    """One statement: these actions on these resources, under these conditions."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, str]] | None = None

    def statement(self) -> iam.PolicyStatement:
        """As a policy holds it."""
        return iam.PolicyStatement(
            actions=list(self.actions), resources=list(self.resources), conditions=self.conditions
        )


ANYTHING = ("*",)
# Actions whose service offers no resource to name; every other statement names its resources.
ACTIONS_WITHOUT_RESOURCE: Mapping[str, str] = {
    "bedrock:ListFoundationModels": "lists the account's models; the action has no resource type",
    "bedrock:ListModelCustomizationJobs": "lists the account's jobs; the action has no resource type",
    "bedrock:ListCustomModels": "lists the account's models; the action has no resource type",
    "bedrock:ListCustomModelDeployments": "lists the account's deployments; the action has no resource type",
    "xray:PutTraceSegments": "X-Ray has no resource for trace data",
    "xray:PutTelemetryRecords": "X-Ray has no resource for trace data",
    "xray:GetSamplingRules": "X-Ray has no resource for sampling",
    "xray:GetSamplingTargets": "X-Ray has no resource for sampling",
    "logs:CreateLogDelivery": "log delivery has no resource type",
    "logs:GetLogDelivery": "log delivery has no resource type",
    "logs:UpdateLogDelivery": "log delivery has no resource type",
    "logs:DeleteLogDelivery": "log delivery has no resource type",
    "logs:ListLogDeliveries": "log delivery has no resource type",
    "logs:PutResourcePolicy": "log delivery has no resource type",
    "logs:DescribeResourcePolicies": "log delivery has no resource type",
    "logs:DescribeLogGroups": "log delivery has no resource type",
}
LISTS_OF_BEDROCK = tuple(
    f"bedrock:List{things}" for things in ("ModelCustomizationJobs", "CustomModels", "CustomModelDeployments")
)
# Lambda only sends traces; state machines also ask which executions to trace [Step Functions guide, X-Ray policies].
SEND_TRACES = Allow(("xray:PutTraceSegments", "xray:PutTelemetryRecords"), ANYTHING)
TRACING = Allow(tuple(action for action in ACTIONS_WITHOUT_RESOURCE if action.startswith("xray:")), ANYTHING)
LOG_DELIVERY = Allow(tuple(action for action in ACTIONS_WITHOUT_RESOURCE if action.startswith("logs:")), ANYTHING)


def function_permissions(at: Places) -> Mapping[str, tuple[Allow, ...]]:
    """Statements by function name, beside those every function has (its log group, tracing)."""
    read_job = Allow(("dynamodb:GetItem",), (at.jobs,))
    # A transition, or a fact worth keeping, is an item of its own in the job's history.
    move_job = Allow(("dynamodb:GetItem", "dynamodb:UpdateItem", "dynamodb:PutItem"), (at.jobs,))
    customization_jobs = at.bedrock("model-customization-job/*")
    models = at.bedrock("custom-model/*")
    deployments = at.bedrock("custom-model-deployment/*")
    stop_training = Allow(
        ("bedrock:GetModelCustomizationJob", "bedrock:StopModelCustomizationJob"), (customization_jobs,)
    )
    # S3 answers 404 for an absent object only to those who may list the bucket, 403 to others.
    list_data = Allow(("s3:ListBucket",), (at.data_bucket,))
    remove_data = (
        Allow(("s3:ListBucketVersions",), (at.data_bucket,)),
        # S3 wants both for the removal of a version [S3 API reference, DeleteObjects].
        Allow(("s3:DeleteObject", "s3:DeleteObjectVersion"), (at.data("jobs/*"),)),
    )
    list_test_sets = Allow(("s3:ListBucket",), (at.test_set_bucket,))
    read_labels = (
        list_test_sets,
        Allow(("s3:GetObject",), (at.documents("*/baseline/*"),)),
        *_decrypt_test_sets(at),
        list_data,
        Allow(("s3:GetObject", "s3:PutObject"), (at.data("validation/*.json"),)),
    )
    read_documents = (
        list_test_sets,
        Allow(("s3:GetObject",), (at.documents("*/input/*"), at.documents("*/baseline/*/pages/*"))),
        *_decrypt_test_sets(at),
    )
    return {
        "Resolver": (
            Allow(("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"), (at.jobs, at.test_sets)),
            # The table itself for the history of a job.
            Allow(("dynamodb:Query",), (at.jobs, at.jobs_by_creation, at.unfinished_jobs, at.test_sets_by_creation)),
            Allow(("dynamodb:DeleteItem",), (at.test_sets,)),
            Allow(
                ("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:ConditionCheckItem"),
                (at.config_versions,),
            ),
            Allow(("dynamodb:Query",), (at.config_versions_by_creation,)),
            Allow(("dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"), (at.users,)),
            # Whom an Admin may scope; nothing is changed in the pool.
            Allow(
                ("cognito-idp:ListUsers", "cognito-idp:AdminGetUser", "cognito-idp:AdminListGroupsForUser"),
                (at.user_pool,),
            ),
            *read_labels,
            Allow(("s3:GetObject", "s3:PutObject"), (at.data("validation/*.reading"),)),
            *_write_test_sets(at),
            Allow(("s3:GetObject",), (at.data("jobs/*/dataset/report.json"), at.data("jobs/*/prompt.json"))),
            Allow(("states:StartExecution",), (at.state_machine(FINETUNING), at.state_machine(DELETION))),
            Allow(("states:DescribeExecution",), (at.executions(DELETION),)),
            Allow(("lambda:InvokeFunction",), (at.function("ReadLabels"), at.function("ClassifyDocument"))),
            Allow(("s3:PutObject",), (at.data("classifications/*/request.json"), at.data("classifications/uploads/*"))),
            Allow(
                ("s3:GetObject",),
                (at.data("classifications/*/request.json"), at.data("classifications/*/result.json")),
            ),
            Allow(("bedrock:ListFoundationModels", "bedrock:ListCustomModelDeployments"), ANYTHING),
            # Stopping a job stops its training; a retry looks at what there is.
            stop_training,
            Allow(("bedrock:GetCustomModelDeployment",), (deployments,)),
        ),
        "ReadLabels": read_labels,
        "ValidateTestSet": (
            move_job,
            Allow(("dynamodb:GetItem",), (at.test_sets,)),
            *read_labels,
            Allow(("s3:PutObject",), (at.data("jobs/*/manifest.json"), at.data("jobs/*/prompt.json"))),
            # The lists are counted, to warn of quotas nearly full.
            Allow(("bedrock:ListFoundationModels", *LISTS_OF_BEDROCK), ANYTHING),
        ),
        "GenerateExample": (
            read_job,
            *read_documents,
            Allow(("s3:GetObject",), (at.data("jobs/*/prompt.json"),)),
            Allow(("s3:PutObject",), (at.data("jobs/*/pages/*"), at.data("jobs/*/examples/*"))),
        ),
        "RejectDocument": (Allow(("s3:PutObject",), (at.data("jobs/*/rejected/*"),)),),
        "AssembleDataset": (
            move_job,
            list_data,
            Allow(
                ("s3:GetObject",),
                tuple(at.data(f"jobs/*/{part}") for part in ("manifest.json", "examples/*", "rejected/*")),
            ),
            Allow(("s3:PutObject",), (at.data("jobs/*/dataset/*"),)),
            Allow(("s3:AbortMultipartUpload",), (at.data("jobs/*/dataset/*.jsonl"),)),
        ),
        "CreateCustomizationJob": (
            move_job,
            Allow(("bedrock:CreateModelCustomizationJob",), (*at.foundation_models, models, customization_jobs)),
            # Not on foundation models, which cannot be tagged [service authorization reference, TagResource].
            Allow(("bedrock:TagResource",), (models, customization_jobs)),
            stop_training,
            Allow(
                ("iam:PassRole",),
                (at.bedrock_role,),
                {"StringEquals": {"iam:PassedToService": "bedrock.amazonaws.com"}},
            ),
        ),
        "GetCustomizationJob": (move_job, Allow(("bedrock:GetModelCustomizationJob",), (customization_jobs,))),
        "CreateModelDeployment": (
            move_job,
            Allow(("bedrock:CreateCustomModelDeployment", "bedrock:TagResource"), (models, deployments)),
            # A failed deployment of an earlier attempt is removed first.
            Allow(("bedrock:GetCustomModelDeployment", "bedrock:DeleteCustomModelDeployment"), (deployments,)),
            # A model that is not ready yet is waited for.
            Allow(("bedrock:GetCustomModel",), (models,)),
        ),
        "GetModelDeployment": (read_job, Allow(("bedrock:GetCustomModelDeployment",), (deployments,))),
        "CompleteJob": (move_job,),
        "EndJob": (move_job, stop_training),
        "ReconcileJobs": (
            move_job,
            Allow(("dynamodb:Query",), (at.unfinished_jobs,)),
            Allow(("states:DescribeExecution",), (at.executions(FINETUNING), at.executions(DELETION))),
            Allow(("states:StartExecution",), (at.state_machine(DELETION),)),
            stop_training,
            Allow(LISTS_OF_BEDROCK, ANYTHING),
            Allow(("bedrock:ListTagsForResource",), (customization_jobs, models, deployments)),
            # What a function that outlived its job wrote is removed.
            Allow(("dynamodb:Query",), (at.jobs_by_creation,)),
            list_data,
            *remove_data,
        ),
        "DeleteModelDeployment": (
            read_job,
            Allow(("bedrock:GetCustomModelDeployment", "bedrock:DeleteCustomModelDeployment"), (deployments,)),
        ),
        "DeleteCustomModel": (read_job, Allow(("bedrock:DeleteCustomModel",), (models,))),
        "ClassifyDocument": (
            *read_documents,
            list_data,
            Allow(
                ("s3:GetObject",),
                (at.data("classifications/*/request.json"), at.data("classifications/uploads/*")),
            ),
            Allow(
                ("s3:PutObject",),
                (at.data("classifications/*/claim.json"), at.data("classifications/*/result.json")),
            ),
            Allow(("bedrock:InvokeModel",), at.invocable),
        ),
        "DeleteJobData": (
            Allow(("dynamodb:GetItem", "dynamodb:Query", "dynamodb:DeleteItem"), (at.jobs,)),
            *remove_data,
        ),
    }


def _decrypt_test_sets(at: Places) -> tuple[Allow, ...]:
    key = at.options.test_set_bucket_kms_key_arn
    if not key:
        return ()
    through_s3 = {"StringEquals": {"kms:ViaService": f"s3.{at.options.region}.amazonaws.com"}}
    return (Allow(("kms:Decrypt",), (key,), through_s3),)


def _write_test_sets(at: Places) -> tuple[Allow, ...]:
    """For presigned uploads, the marker of an unfinished one, and removal; an attached bucket is never written."""
    if at.options.test_set_bucket_name:
        return ()
    return (
        # What is there already, a HEAD tells, is not uploaded again.
        Allow(("s3:GetObject",), (at.documents("*/input/*"),)),
        Allow(
            ("s3:PutObject",),
            (at.documents("*/input/*"), at.documents("*/baseline/*"), at.documents("*/.uploading")),
        ),
        Allow(("s3:ListBucketVersions",), (at.test_set_bucket,)),
        # Everything below the folder of a test set, whoever put it there.
        Allow(("s3:DeleteObject", "s3:DeleteObjectVersion"), (at.documents("*/*"),)),
    )
