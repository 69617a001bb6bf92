"""The ARNs that policies name."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Stack

from idp_finetuning.deployment import (
    CONFIG_VERSIONS_BY_CREATION,
    CONFIG_VERSIONS_TABLE,
    JOBS_BY_CREATION,
    JOBS_BY_DEPLOYMENT,
    JOBS_TABLE,
    TEST_SETS_BY_CREATION,
    TEST_SETS_TABLE,
    UNFINISHED_JOBS,
    USERS_TABLE,
    find_function,
    state_machine_name,
)
from idp_finetuning.nova.base_models import base_models
from stacks.storage import Storage

# The Regions that Nova's `us.` inference profiles route to (Bedrock user guide, "Supported Regions and models for
# inference profiles").
PROFILE_REGIONS = ("us-east-1", "us-east-2", "us-west-2")


@dataclass(frozen=True)
class Arns:
    """ARNs of one deployment; patterns for resources that are named at run time."""

    stack: Stack
    prefix: str
    storage: Storage
    bedrock_role: str
    user_pool: str

    @property
    def jobs_table(self) -> str:
        """The table of jobs, their events and client request tokens."""
        return self.storage.tables[JOBS_TABLE.name].table_arn

    @property
    def jobs_by_creation(self) -> str:
        """The index of jobs by the time of their creation."""
        return f"{self.jobs_table}/index/{JOBS_BY_CREATION.name}"

    @property
    def unfinished_jobs(self) -> str:
        """The index of jobs that have not ended."""
        return f"{self.jobs_table}/index/{UNFINISHED_JOBS.name}"

    @property
    def jobs_indexes(self) -> str:
        """All indexes of the table of jobs."""
        return f"{self.jobs_table}/index/*"

    @property
    def jobs_by_deployment(self) -> str:
        """The index of jobs that have a deployment."""
        return f"{self.jobs_table}/index/{JOBS_BY_DEPLOYMENT.name}"

    @property
    def mail_identities(self) -> str:
        """Every address and domain that SES knows in this account."""
        return self.stack.format_arn(service="ses", resource="identity", resource_name="*")

    @property
    def test_sets_table(self) -> str:
        """The table of test sets."""
        return self.storage.tables[TEST_SETS_TABLE.name].table_arn

    @property
    def test_sets_by_creation(self) -> str:
        """The index of test sets by the time of their creation."""
        return f"{self.test_sets_table}/index/{TEST_SETS_BY_CREATION.name}"

    @property
    def config_versions_table(self) -> str:
        """The table of configuration versions."""
        return self.storage.tables[CONFIG_VERSIONS_TABLE.name].table_arn

    @property
    def config_versions_by_creation(self) -> str:
        """The index of configuration versions by the time of their creation."""
        return f"{self.config_versions_table}/index/{CONFIG_VERSIONS_BY_CREATION.name}"

    @property
    def users_table(self) -> str:
        """The table of users' scopes."""
        return self.storage.tables[USERS_TABLE.name].table_arn

    @property
    def data_bucket(self) -> str:
        """The bucket with the data of jobs."""
        return self.storage.data_bucket.bucket_arn

    def data_objects(self, pattern: str) -> str:
        """Return the objects in the data bucket under the keys of the pattern."""
        return f"{self.data_bucket}/{pattern}"

    def evaluation_objects(self, *patterns: str) -> tuple[str, ...]:
        """Return the objects of evaluations, of jobs and before any job, under the keys of the patterns."""
        return tuple(
            self.data_objects(f"{prefix}/{pattern}")
            for prefix in ("jobs/*/evaluation", "evaluations/*")
            for pattern in patterns
        )

    @property
    def test_set_bucket(self) -> str:
        """The bucket with documents and labels."""
        return self.storage.test_set_bucket.bucket_arn

    def test_set_objects(self, pattern: str) -> str:
        """Return the objects in the bucket of test sets under the keys of the pattern."""
        return f"{self.test_set_bucket}/{pattern}"

    def state_machine(self, workflow: str) -> str:
        """Return a state machine's ARN by its name: a reference would make a cycle of it and its own role."""
        return self._regional("states", f"stateMachine:{state_machine_name(workflow, self.prefix)}")

    def executions(self, workflow: str, pattern: str = ":*") -> str:
        """Return the executions of a state machine; `/*` matches those of its Distributed Map."""
        return self._regional("states", f"execution:{state_machine_name(workflow, self.prefix)}{pattern}")

    def function(self, name: str) -> str:
        """Return a function's ARN by its name: references would make cycles of functions that invoke each other."""
        return self._regional("lambda", f"function:{find_function(name).function_name(self.prefix)}")

    def bedrock(self, pattern: str) -> str:
        """Bedrock's resources in this account."""
        return self._regional("bedrock", pattern)

    @property
    def foundation_models(self) -> tuple[str, ...]:
        """The catalogue's foundation models, under their plain and their fine-tuning ids."""
        ids = [name for model in base_models() for name in (model.foundation_model_id, model.fine_tuning_id)]
        return tuple(f"arn:{self.stack.partition}:bedrock:{self.stack.region}::foundation-model/{name}" for name in ids)

    @property
    def invocable_models(self) -> tuple[str, ...]:
        """Everything Converse may invoke: custom model deployments, and the catalogue's inference profiles.

        These with their foundation models in every Region they route to (Bedrock user guide, "Prerequisites for
        inference profiles").
        """
        profiles = tuple(self.bedrock(f"inference-profile/{model.id}") for model in base_models())
        models = tuple(
            f"arn:{self.stack.partition}:bedrock:{region}::foundation-model/{model.foundation_model_id}"
            for region in PROFILE_REGIONS
            for model in base_models()
        )
        return (self.bedrock("custom-model-deployment/*"), *profiles, *models)

    def _regional(self, service: str, rest: str) -> str:
        return f"arn:{self.stack.partition}:{service}:{self.stack.region}:{self.stack.account}:{rest}"
