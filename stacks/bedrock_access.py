"""The role that Bedrock assumes to read a job's data set and to write the output of its training."""

from __future__ import annotations

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from stacks.statements import Allow


class BedrockAccess(Construct):
    """`role`: only customization jobs of this account and Region can assume it."""

    def __init__(self, scope: Construct, construct_id: str, *, data_bucket: s3.IBucket) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        jobs = f"arn:{stack.partition}:bedrock:{stack.region}:{stack.account}:model-customization-job/*"
        self.role = iam.Role(
            self,
            "Role",
            description="Bedrock reads data sets of fine-tuning jobs and writes their training output",
            # The conditions prevent the confused deputy problem (Bedrock user guide, "Create a service role for model
            # customization").
            assumed_by=iam.ServicePrincipal(
                "bedrock.amazonaws.com",
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account},
                    "ArnLike": {"aws:SourceArn": jobs},
                },
            ),
        )
        for allow in (
            Allow(("s3:GetObject",), (data_bucket.arn_for_objects("jobs/*"),)),
            Allow(("s3:PutObject",), (data_bucket.arn_for_objects("jobs/*/output/*"),)),
            # No prefix condition: AWS does not document how Bedrock lists, and a refusal would fail a submitted job.
            # The location is in the role of AWS's own sample for Nova 2 (amazon-nova-samples, multimodal SFT).
            Allow(("s3:ListBucket", "s3:GetBucketLocation"), (data_bucket.bucket_arn,)),
        ):
            self.role.add_to_policy(allow.statement())
