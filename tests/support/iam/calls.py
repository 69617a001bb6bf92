"""The permissions that AWS checks for each boto3 call (service authorization reference; S3 API reference)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from tests.support.iam.policies import Need
from tests.support.local.call_log import AwsCall
from tests.support.stacks.deployed import ACCOUNT, REGION

Parameters = Mapping[str, Any]
Needs = Callable[[Parameters], Iterable[Need]]

# The Regions that Nova's `us.` inference profiles route to.
PROFILE_REGIONS = ("us-east-1", "us-east-2", "us-west-2")
# Without permission to list the bucket S3 returns 403 for an absent object (S3 API reference, GetObject).
ABSENT = {"404", "NoSuchKey"}


def needs(call: AwsCall, names: Mapping[str, str]) -> list[Need]:
    """What a recorded call needs, with local names of resources replaced. Raises KeyError for an unknown operation."""
    parameters = _renamed(call.parameters, names)
    found = list(OPERATIONS[call.service, call.operation](parameters))
    if call.service == "s3" and call.error in ABSENT:
        found.append(Need("s3:ListBucket", bucket(parameters)))
    return found


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_renamed(item, names) for item in value]
    if isinstance(value, dict):
        return {name: _renamed(item, names) for name, item in value.items()}
    return names.get(value, value)


def arn(service: str, rest: str) -> str:
    """ARN of something in this account and Region."""
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}"


def bucket(parameters: Parameters) -> str:
    """ARN of the bucket a request names."""
    return f"arn:aws:s3:::{parameters['Bucket']}"


def _on_bucket(action: str) -> Needs:
    return lambda parameters: [Need(action, bucket(parameters))]


def _on_object(action: str) -> Needs:
    return lambda parameters: [Need(action, f"{bucket(parameters)}/{parameters['Key']}")]


def _delete_object(parameters: Parameters) -> list[Need]:
    version = "s3:DeleteObjectVersion" if "VersionId" in parameters else "s3:DeleteObject"
    return [Need(version, f"{bucket(parameters)}/{parameters['Key']}")]


def _delete_objects(parameters: Parameters) -> list[Need]:
    """S3 wants both for the removal of a version [S3 API reference, DeleteObjects]."""
    return [
        Need(action, f"{bucket(parameters)}/{doomed['Key']}")
        for doomed in parameters["Delete"]["Objects"]
        for action in ("s3:DeleteObject", *(["s3:DeleteObjectVersion"] if "VersionId" in doomed else []))
    ]


def _on_table(action: str) -> Needs:
    def find(parameters: Parameters) -> list[Need]:
        index = f"/index/{parameters['IndexName']}" if "IndexName" in parameters else ""
        return [Need(action, arn("dynamodb", f"table/{parameters['TableName']}{index}"))]

    return find


def _on_user_pool(action: str) -> Needs:
    return lambda parameters: [Need(action, arn("cognito-idp", f"userpool/{parameters['UserPoolId']}"))]


_IN_TRANSACTION = {
    "ConditionCheck": "dynamodb:ConditionCheckItem",
    "Delete": "dynamodb:DeleteItem",
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
}


def _transaction(parameters: Parameters) -> list[Need]:
    """A transaction needs what its parts need [DynamoDB developer guide, IAM with transactions]."""
    return [
        need
        for item in parameters["TransactItems"]
        for verb, part in item.items()
        for need in _on_table(_IN_TRANSACTION[verb])(part)
    ]


def _bedrock(kind: str, name_or_arn: str) -> str:
    return name_or_arn if name_or_arn.startswith("arn:") else arn("bedrock", f"{kind}/{name_or_arn}")


def _on_bedrock(action: str, kind: str, parameter: str) -> Needs:
    return lambda parameters: [Need(action, _bedrock(kind, parameters[parameter]))]


def _create_customization_job(parameters: Parameters) -> list[Need]:
    """Three resources, the tags, and the role that is passed (service authorization reference, Bedrock)."""
    create, tag = "bedrock:CreateModelCustomizationJob", "bedrock:TagResource"
    job, model = arn("bedrock", f"model-customization-job/{parameters['jobName']}"), parameters["customModelName"]
    return [
        Need(create, f"arn:aws:bedrock:{REGION}::foundation-model/{parameters['baseModelIdentifier']}"),
        Need(create, _bedrock("custom-model", model)),
        Need(create, job),
        *([Need(tag, job)] if "jobTags" in parameters else []),
        *([Need(tag, _bedrock("custom-model", model))] if "customModelTags" in parameters else []),
        Need("iam:PassRole", parameters["roleArn"], "bedrock.amazonaws.com"),
    ]


def _create_deployment(parameters: Parameters) -> list[Need]:
    create = "bedrock:CreateCustomModelDeployment"
    deployment = _bedrock("custom-model-deployment", parameters["modelDeploymentName"])
    return [
        Need(create, parameters["modelArn"]),
        Need(create, deployment),
        *([Need("bedrock:TagResource", deployment)] if "tags" in parameters else []),
    ]


def _converse(parameters: Parameters) -> list[Need]:
    """A profile needs itself, and its model in every Region it routes to (Bedrock user guide, "Prerequisites for
    inference profiles")."""
    model: str = parameters["modelId"]
    if model.startswith("arn:"):
        return [Need("bedrock:InvokeModel", model)]
    routed = (f"arn:aws:bedrock:{region}::foundation-model/{model.removeprefix('us.')}" for region in PROFILE_REGIONS)
    return [
        Need("bedrock:InvokeModel", resource) for resource in (arn("bedrock", f"inference-profile/{model}"), *routed)
    ]


OPERATIONS: Mapping[tuple[str, str], Needs] = {
    ("s3", "GetObject"): _on_object("s3:GetObject"),
    ("s3", "HeadObject"): _on_object("s3:GetObject"),
    ("s3", "PutObject"): _on_object("s3:PutObject"),
    ("s3", "CreateMultipartUpload"): _on_object("s3:PutObject"),
    ("s3", "UploadPart"): _on_object("s3:PutObject"),
    ("s3", "CompleteMultipartUpload"): _on_object("s3:PutObject"),
    ("s3", "AbortMultipartUpload"): _on_object("s3:AbortMultipartUpload"),
    ("s3", "DeleteObject"): _delete_object,
    ("s3", "DeleteObjects"): _delete_objects,
    ("s3", "ListObjectsV2"): _on_bucket("s3:ListBucket"),
    ("s3", "ListObjectVersions"): _on_bucket("s3:ListBucketVersions"),
    ("dynamodb", "GetItem"): _on_table("dynamodb:GetItem"),
    ("dynamodb", "PutItem"): _on_table("dynamodb:PutItem"),
    ("dynamodb", "UpdateItem"): _on_table("dynamodb:UpdateItem"),
    ("dynamodb", "DeleteItem"): _on_table("dynamodb:DeleteItem"),
    ("dynamodb", "Query"): _on_table("dynamodb:Query"),
    ("dynamodb", "BatchGetItem"): lambda p: [
        need for part in p["RequestItems"] for need in _on_table("dynamodb:BatchGetItem")(part)
    ],
    ("dynamodb", "Scan"): _on_table("dynamodb:Scan"),
    ("dynamodb", "TransactWriteItems"): _transaction,
    ("cognito-idp", "ListUsers"): _on_user_pool("cognito-idp:ListUsers"),
    ("cognito-idp", "AdminGetUser"): _on_user_pool("cognito-idp:AdminGetUser"),
    ("cognito-idp", "AdminListGroupsForUser"): _on_user_pool("cognito-idp:AdminListGroupsForUser"),
    ("stepfunctions", "StartExecution"): lambda p: [Need("states:StartExecution", p["stateMachineArn"])],
    ("stepfunctions", "DescribeExecution"): lambda p: [Need("states:DescribeExecution", p["executionArn"])],
    ("stepfunctions", "DescribeStateMachine"): lambda p: [Need("states:DescribeStateMachine", p["stateMachineArn"])],
    ("lambda", "Invoke"): lambda p: [Need("lambda:InvokeFunction", arn("lambda", f"function:{p['FunctionName']}"))],
    ("lambda", "GetAccountSettings"): lambda _: [Need("lambda:GetAccountSettings", "*")],
    ("service-quotas", "ListServiceQuotas"): lambda _: [Need("servicequotas:ListServiceQuotas", "*")],
    ("bedrock-runtime", "Converse"): _converse,
    ("bedrock", "ListFoundationModels"): lambda _: [Need("bedrock:ListFoundationModels", "*")],
    ("bedrock", "ListModelCustomizationJobs"): lambda _: [Need("bedrock:ListModelCustomizationJobs", "*")],
    ("bedrock", "ListCustomModels"): lambda _: [Need("bedrock:ListCustomModels", "*")],
    ("bedrock", "ListCustomModelDeployments"): lambda _: [Need("bedrock:ListCustomModelDeployments", "*")],
    ("bedrock", "ListTagsForResource"): lambda p: [Need("bedrock:ListTagsForResource", p["resourceARN"])],
    ("bedrock", "CreateModelCustomizationJob"): _create_customization_job,
    ("bedrock", "GetModelCustomizationJob"): _on_bedrock(
        "bedrock:GetModelCustomizationJob", "model-customization-job", "jobIdentifier"
    ),
    ("bedrock", "StopModelCustomizationJob"): _on_bedrock(
        "bedrock:StopModelCustomizationJob", "model-customization-job", "jobIdentifier"
    ),
    ("bedrock", "GetCustomModel"): _on_bedrock("bedrock:GetCustomModel", "custom-model", "modelIdentifier"),
    ("bedrock", "DeleteCustomModel"): _on_bedrock("bedrock:DeleteCustomModel", "custom-model", "modelIdentifier"),
    ("bedrock", "CreateCustomModelDeployment"): _create_deployment,
    ("bedrock", "GetCustomModelDeployment"): _on_bedrock(
        "bedrock:GetCustomModelDeployment", "custom-model-deployment", "customModelDeploymentIdentifier"
    ),
    ("bedrock", "DeleteCustomModelDeployment"): _on_bedrock(
        "bedrock:DeleteCustomModelDeployment", "custom-model-deployment", "customModelDeploymentIdentifier"
    ),
}
