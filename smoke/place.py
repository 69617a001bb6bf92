"""The bucket and the role that Bedrock needs: given, or made for the run and removed after it."""

from __future__ import annotations

import json
import time
from typing import Any

from smoke.state import StateFile


def prepare(file: StateFile, s3: Any, iam: Any, sts: Any, *, settle_seconds: float) -> None:
    """Make a private bucket and a role that only Bedrock's customization jobs of this account can assume."""
    state = file.state
    if state.bucket and state.role_arn:
        return
    account = sts.get_caller_identity()["Account"]
    name = f"idp-finetuning-smoke-{state.suffix}"
    file.change(bucket=name, made_place=True)
    s3.create_bucket(Bucket=name)
    blocked = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=dict.fromkeys(blocked, True))
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(_trust(account)))["Role"]["Arn"]
    iam.put_role_policy(RoleName=name, PolicyName="data", PolicyDocument=json.dumps(_policy(name)))
    file.change(role_arn=role)
    time.sleep(settle_seconds)  # IAM is eventually consistent


def remove(file: StateFile, s3: Any, iam: Any) -> None:
    """Remove the run's objects, and bucket and role if the run made them."""
    state = file.state
    if not state.bucket:
        return
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=state.bucket, Prefix=state.prefix):
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        if found:
            keys = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]
            s3.delete_objects(Bucket=state.bucket, Delete={"Objects": keys})
    if state.made_place:
        s3.delete_bucket(Bucket=state.bucket)
        if state.role_arn:
            name = state.role_arn.rpartition("/")[2]
            iam.delete_role_policy(RoleName=name, PolicyName="data")
            iam.delete_role(RoleName=name)


def _trust(account: str) -> dict[str, Any]:
    # Bedrock user guide, "Create a service role for model customization".
    condition = {
        "StringEquals": {"aws:SourceAccount": account},
        "ArnLike": {"aws:SourceArn": f"arn:aws:bedrock:us-east-1:{account}:model-customization-job/*"},
    }
    return _document(
        {"Principal": {"Service": "bedrock.amazonaws.com"}, "Action": "sts:AssumeRole", "Condition": condition}
    )


def _policy(bucket: str) -> dict[str, Any]:
    arn = f"arn:aws:s3:::{bucket}"
    return _document(
        {"Action": ["s3:GetObject", "s3:PutObject"], "Resource": f"{arn}/*"},
        {"Action": ["s3:ListBucket", "s3:GetBucketLocation"], "Resource": arn},
    )


def _document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement} for statement in statements]}
