"""The DynamoDB tables: keys and global secondary indexes."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class TableSpec(BaseModel):
    """One on-demand DynamoDB table; all keys are strings."""

    model_config = ConfigDict(frozen=True)

    name: str
    partition_key: str
    sort_key: str | None = None
    indexes: tuple[IndexSpec, ...] = ()

    def table_name(self, prefix: str) -> str:
        """`<prefix>-<name>`: its name in the local runtime. CloudFormation makes the names of the stack's tables."""
        return f"{prefix}-{self.name}"


class IndexSpec(BaseModel):
    """One global secondary index with the attributes it projects beside the keys (none: keys only)."""

    model_config = ConfigDict(frozen=True)

    name: str
    partition_key: str
    sort_key: str
    projected: tuple[str, ...]


JOBS_BY_CREATION = IndexSpec(
    name="ByCreation",
    partition_key="kind",
    sort_key="createdAt",
    projected=(
        "jobName",
        "testSetId",
        "testSetName",
        "baseModel",
        "baseModelName",
        "status",
        "updatedAt",
        "customModelName",
        "customModelDeploymentArn",
        "errorMessage",
    ),
)
# Sparse: only jobs that have not ended, or whose evaluation runs, carry `unfinished`.
UNFINISHED_JOBS = IndexSpec(name="Unfinished", partition_key="unfinished", sort_key="createdAt", projected=())
# Sparse too: only jobs with a deployment carry its ARN, and DynamoDB fills a new index from the records there are.
JOBS_BY_DEPLOYMENT = IndexSpec(
    name="ByDeployment",
    partition_key="customModelDeploymentArn",
    sort_key="createdAt",
    projected=("jobName", "baseModelName", "status"),
)
# Keys only: a list reads the records it shows.
JOBS_BY_TEST_SET = IndexSpec(name="ByTestSet", partition_key="testSetId", sort_key="createdAt", projected=())
JOBS_BY_STATUS = IndexSpec(name="ByStatus", partition_key="status", sort_key="createdAt", projected=())
JOBS_BY_BASE_MODEL = IndexSpec(name="ByBaseModel", partition_key="baseModel", sort_key="createdAt", projected=())
JOB_FILTER_INDEXES = (JOBS_BY_TEST_SET, JOBS_BY_STATUS, JOBS_BY_BASE_MODEL)
TEST_SETS_BY_CREATION = IndexSpec(
    name="ByCreation",
    partition_key="kind",
    sort_key="createdAt",
    projected=("name", "description", "fileCount", "status"),
)

# Keys only: a version may be large, and lists read those they show.
CONFIG_VERSIONS_BY_CREATION = IndexSpec(name="ByCreation", partition_key="kind", sort_key="createdAt", projected=())

# Items of the Jobs table by (id, item): (<job id>, "job"), (<job id>, "event#<time>#…"), (<token>, "token").
JOBS_TABLE = TableSpec(
    name="jobs",
    partition_key="id",
    sort_key="item",
    indexes=(JOBS_BY_CREATION, UNFINISHED_JOBS, JOBS_BY_DEPLOYMENT, *JOB_FILTER_INDEXES),
)
TEST_SETS_TABLE = TableSpec(name="test-sets", partition_key="id", indexes=(TEST_SETS_BY_CREATION,))
CONFIG_VERSIONS_TABLE = TableSpec(name="config-versions", partition_key="name", indexes=(CONFIG_VERSIONS_BY_CREATION,))
USERS_TABLE = TableSpec(name="users", partition_key="id")
TABLES: tuple[TableSpec, ...] = (JOBS_TABLE, TEST_SETS_TABLE, CONFIG_VERSIONS_TABLE, USERS_TABLE)
