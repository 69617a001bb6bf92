"""Tables for each kind of record; buckets for test sets as users upload them, the data of jobs, and access logs."""

from __future__ import annotations

from typing import Any

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_s3 as s3
from constructs import Construct

from idp_finetuning.deployment import (
    CLASSIFICATION_DAYS,
    CONFIG_VERSIONS_TABLE,
    JOBS_TABLE,
    TABLES,
    TEST_SETS_TABLE,
    USERS_TABLE,
    TableSpec,
)
from stacks.options import DeploymentOptions

# Labels read during validation; they are read again from the test set where they have expired.
LABEL_CACHE_DAYS = 30


class Storage(Construct):
    """A table for each kind of record, `data_bucket` and `test_set_bucket`; an attached bucket is only referred to."""

    def __init__(self, scope: Construct, construct_id: str, *, options: DeploymentOptions) -> None:
        super().__init__(scope, construct_id)
        self._options = options
        self._keep = options.removal == "retain"
        tables = {spec.name: self._table(spec) for spec in TABLES}
        self.jobs_table = tables[JOBS_TABLE.name]
        self.test_sets_table = tables[TEST_SETS_TABLE.name]
        self.config_versions_table = tables[CONFIG_VERSIONS_TABLE.name]
        self.users_table = tables[USERS_TABLE.name]
        self._access_logs = self._access_log_bucket()
        self.data_bucket = self._bucket("DataBucket")
        self.data_bucket.add_lifecycle_rule(
            id="ForgetReadLabels", prefix="validation/", expiration=Duration.days(LABEL_CACHE_DAYS)
        )
        self.data_bucket.add_lifecycle_rule(
            id="ForgetClassifications", prefix="classifications/", expiration=Duration.days(CLASSIFICATION_DAYS)
        )
        _let_browsers_post(self.data_bucket)
        self.test_set_bucket = self._test_set_bucket()

    def _table(self, spec: TableSpec) -> dynamodb.Table:
        table = dynamodb.Table(
            self,
            spec.name,
            table_name=spec.table_name(self._options.name_prefix),
            partition_key=_text(spec.partition_key),
            sort_key=_text(spec.sort_key) if spec.sort_key else None,
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=self._keep,
            removal_policy=RemovalPolicy.RETAIN if self._keep else RemovalPolicy.DESTROY,
        )
        for index in spec.indexes:
            table.add_global_secondary_index(
                index_name=index.name,
                partition_key=_text(index.partition_key),
                sort_key=_text(index.sort_key),
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
        _let_browsers_post(bucket)
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
        """Who read or wrote which object, kept as long as other logs: keys hold the names of documents."""
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


def _let_browsers_post(bucket: s3.Bucket) -> None:
    """Browsers send documents by presigned POST; the signature, not the origin, is what admits them."""
    bucket.add_cors_rule(
        allowed_methods=[s3.HttpMethods.POST], allowed_origins=["*"], allowed_headers=["*"], max_age=3600
    )


def _text(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
