"""Suppressions of cdk-nag's AwsSolutions rules, each with its reason.

They are written to the template's metadata in the form that cdk-nag reads; synthesis does not need cdk-nag.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from aws_cdk import CfnResource, Stack
from constructs import IConstruct

from stacks.options import REGION

_JOB_DATA = r"<StorageDataBucket\w+\.Arn>/jobs/\*"
_TEST_SET_PARTS = (
    r"(<StorageTestSetBucket\w+\.Arn>|arn:aws:s3:::[a-z0-9.-]+)/\*/"
    r"(input/\*|baseline/\*|baseline/\*/pages/\*|\.uploading|\.announced/\*|\.complete/\*|\*)"
)
_ACCOUNT = r"(<AWS::AccountId>|\d{12})"

# Rule IAM5: regular expression of a whole resource in a policy, and why it has a wildcard.
WILDCARDS: Mapping[str, str] = {
    r"\*": "Tracing, log delivery and Bedrock's lists name no resource; a test holds all else to named ones.",
    _JOB_DATA: "Bedrock reads and DeleteJobData removes whole jobs, whose ids are made at run time.",
    _JOB_DATA + r"/[a-z*/._-]+": "Job ids are made at run time; the function reaches one part of a job's data.",
    r"<StorageDataBucket\w+\.Arn>/\*/(report\.json|pages\.jsonl)": "Reports of jobs and evaluations, below their ids.",
    r"<StorageDataBucket\w+\.Arn>/evaluations/\*(/[a-z*/.-]+)?": "Test sets are named by users.",
    r"<StorageDataBucket\w+\.Arn>/validation/\*(\.[a-z]+)?": "Labels and page counts lie below the ids of test sets.",
    r"<StorageDataBucket\w+\.Arn>/classifications/(\*/[a-z]+\.json|\*/pages/\*|uploads/\*|running/\*)": (
        "Ids of classifications and keys of uploads are made at run time."
    ),
    _TEST_SET_PARTS: "Users name test sets and documents; only the parts are known.",
    rf"arn:aws:states:{REGION}:{_ACCOUNT}:execution:[a-z0-9-]+[:/]\*": "Executions of one machine, named at run time.",
    r"<Storagejobs\w+\.Arn>/index/\*": "The API reads by every index of the table.",
    r"<Functions\w+\.Arn>:\*": "An execution calls the versions of the functions that it began with.",
    rf"arn:aws:lambda:{REGION}:{_ACCOUNT}:function:[a-z0-9-]+:\*": "ReconcileJobs removes versions nothing calls.",
    rf"arn:aws:bedrock:{REGION}:{_ACCOUNT}:(model-customization-job|custom-model|custom-model-deployment)/\*": (
        "Bedrock makes the ids of what it creates, and whether it honours tag conditions there is not documented."
    ),
    rf"arn:aws:ses:{REGION}:{_ACCOUNT}:identity/\*": (
        "A condition names the only sender, whose identity is an address or a domain; SES's sandbox wants recipients."
    ),
}

# Rules suppressed for every construct.
RULES: Mapping[str, str] = {
    "L1": "The bundles are locked, built and tested for Python 3.13; a newer runtime comes with new locks.",
}

# Rules suppressed for one construct, by its path in the stack.
CONSTRUCT_RULES: Mapping[str, Mapping[str, str]] = {
    "Identity/UserPool": {
        "COG2": "Clients sign in with a password alone; users may add a one-time password.",
        "COG8": "The plus plan is paid by user; its threat protection is the operator's choice, made in the pool.",
    },
    "Api/GraphqlApi": {
        "ASC3": "Errors are logged; the verbose content this rule wants would put headers with tokens into the log.",
    },
}


def add_suppressions(stack: Stack) -> None:
    """Write the suppressions to the metadata of the stack and of the constructs that it creates."""
    wildcards = [
        {**_suppression("IAM5", reason), "applies_to": [{"regex": f"/^Resource::{pattern}$/"}]}
        for pattern, reason in WILDCARDS.items()
    ]
    rules = [_suppression(rule, reason) for rule, reason in RULES.items()]
    stack.template_options.metadata = {"cdk_nag": {"rules_to_suppress": [*wildcards, *rules]}}
    for path, reasons in CONSTRUCT_RULES.items():
        resource = _resource(stack, path)
        if resource:
            suppressions = [_suppression(rule, reason) for rule, reason in reasons.items()]
            resource.add_metadata("cdk_nag", {"rules_to_suppress": suppressions})


def _resource(stack: Stack, path: str) -> CfnResource | None:
    """Return the resource of a construct, or None if it is attached."""
    construct: IConstruct = stack
    for name in path.split("/"):
        construct = construct.node.find_child(name)
    return cast(CfnResource | None, construct.node.default_child)


def _suppression(rule: str, reason: str) -> dict[str, object]:
    return {"id": f"AwsSolutions-{rule}", "reason": reason}
