"""The tables, and the buckets for test sets, for the data of jobs, and for access logs.

CloudFormation names them all: a name of ours would be taken by what an earlier stack left (decision "Nothing is both
fixed in name and retained").
"""

from __future__ import annotations

from typing import Any

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from constructs import Construct

from idp_finetuning.deployment import CLASSIFICATION_DAYS, JOB_FILTER_INDEXES, LABEL_CACHE_DAYS, TABLES, TableSpec
from stacks.options import DeploymentOptions


class Storage(Construct):
    """`tables` by the names of their specifications, `data_bucket`, and `test_set_bucket`, which may be attached."""

    def __init__(self, scope: Construct, construct_id: str, *, options: DeploymentOptions) -> None:
        super().__init__(scope, construct_id)
        self._options = options
        self._keep = options.removal == "retain"
        self.tables = {spec.name: self._table(spec) for spec in TABLES}
        self._access_logs = self._access_log_bucket()
        self.data_bucket = self._bucket("DataBucket")
        self.data_bucket.add_lifecycle_rule(
            id="ForgetReadLabels", prefix="validation/", expiration=Duration.days(LABEL_CACHE_DAYS)
        )
        self.data_bucket.add_lifecycle_rule(
            id="ForgetClassifications", prefix="classifications/", expiration=Duration.days(CLASSIFICATION_DAYS)
        )
        _allow_browser_uploads(self.data_bucket)
        self.test_set_bucket = self._test_set_bucket()

    def _table(self, spec: TableSpec) -> dynamodb.Table:
        table = dynamodb.Table(
            self,
            spec.name,
            partition_key=_string(spec.partition_key),
            sort_key=_string(spec.sort_key) if spec.sort_key else None,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=self._keep,
            removal_policy=RemovalPolicy.RETAIN if self._keep else RemovalPolicy.DESTROY,
        )
        later = JOB_FILTER_INDEXES[self._options.job_filter_indexes :]
        for index in spec.indexes:
            if index in later:
                continue
            table.add_global_secondary_index(
                index_name=index.name,
                partition_key=_string(index.partition_key),
                sort_key=_string(index.sort_key),
                projection_type=dynamodb.ProjectionType.INCLUDE
                if index.projected
                else dynamodb.ProjectionType.KEYS_ONLY,
                non_key_attributes=list(index.projected) or None,
            )
        return table

    def _test_set_bucket(self) -> s3.IBucket:
        if self._options.test_set_bucket_name:
            return s3.Bucket.from_bucket_name(self, "TestSetBucket", self._options.test_set_bucket_name)
        bucket = self._bucket("TestSetBucket")
        _allow_browser_uploads(bucket)
        return bucket

    def _bucket(self, construct_id: str) -> s3.Bucket:
        bucket = self._closed_bucket(
            construct_id,
            versioned=True,
            server_access_logs_bucket=self._access_logs,
            server_access_logs_prefix=f"{construct_id}/",
        )
        bucket.add_lifecycle_rule(
            id="ForgetOldVersions",
            noncurrent_version_expiration=Duration.days(self._options.noncurrent_version_days),
            expired_object_delete_marker=True,
        )
        bucket.add_lifecycle_rule(id="AbortUnfinishedUploads", abort_incomplete_multipart_upload_after=Duration.days(7))
        return bucket

    def _access_log_bucket(self) -> s3.Bucket:
        """Return the bucket of S3's access logs, kept as long as other logs: keys contain the names of documents."""
        bucket = self._closed_bucket("AccessLogs")
        bucket.add_lifecycle_rule(id="ForgetAccess", expiration=Duration.days(self._options.log_retention_days))
        return bucket

    def _closed_bucket(self, construct_id: str, **properties: Any) -> s3.Bucket:
        return s3.Bucket(
            self,
            construct_id,
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            removal_policy=RemovalPolicy.RETAIN if self._keep else RemovalPolicy.DESTROY,
            auto_delete_objects=not self._keep,
            **properties,
        )


def _allow_browser_uploads(bucket: s3.Bucket) -> None:
    """Let browsers upload by presigned POST from any origin: the signature is the permission."""
    bucket.add_cors_rule(
        allowed_methods=[s3.HttpMethods.POST], allowed_origins=["*"], allowed_headers=["*"], max_age=3600
    )


def _string(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
