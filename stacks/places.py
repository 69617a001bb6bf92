"""ARNs of everything a role may reach, as policies name them."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Stack

from idp_finetuning.deployment import (
    CONFIG_VERSIONS_BY_CREATION,
    FUNCTIONS,
    JOBS_BY_CREATION,
    TEST_SETS_BY_CREATION,
    UNFINISHED_JOBS,
)
from idp_finetuning.nova.base_models import base_models
from stacks.options import DeploymentOptions
from stacks.storage import Storage

# Where the `us.` inference profiles of Nova route requests to.
PROFILE_REGIONS = ("us-east-1", "us-east-2", "us-west-2")
FINETUNING = "finetuning"
DELETION = "deletion"


@dataclass(frozen=True)
class Places:
    """ARNs by what stands behind them; patterns where the names are made at run time."""

    stack: Stack
    options: DeploymentOptions
    storage: Storage
    bedrock_role: str
    user_pool: str

    @property
    def jobs(self) -> str:
        """The Jobs table."""
        return self.storage.jobs_table.table_arn

    @property
    def jobs_by_creation(self) -> str:
        """The index that lists jobs."""
        return f"{self.jobs}/index/{JOBS_BY_CREATION.name}"

    @property
    def unfinished_jobs(self) -> str:
        """The index that holds jobs which have not ended."""
        return f"{self.jobs}/index/{UNFINISHED_JOBS.name}"

    @property
    def test_sets(self) -> str:
        """The TestSets table."""
        return self.storage.test_sets_table.table_arn

    @property
    def test_sets_by_creation(self) -> str:
        """The index that lists test sets."""
        return f"{self.test_sets}/index/{TEST_SETS_BY_CREATION.name}"

    @property
    def config_versions(self) -> str:
        """The ConfigVersions table."""
        return self.storage.config_versions_table.table_arn

    @property
    def config_versions_by_creation(self) -> str:
        """The index that lists configuration versions."""
        return f"{self.config_versions}/index/{CONFIG_VERSIONS_BY_CREATION.name}"

    @property
    def users(self) -> str:
        """The Users table."""
        return self.storage.users_table.table_arn

    @property
    def data_bucket(self) -> str:
        """The bucket with the data of jobs."""
        return self.storage.data_bucket.bucket_arn

    def data(self, pattern: str) -> str:
        """Objects of the data bucket."""
        return f"{self.data_bucket}/{pattern}"

    @property
    def test_set_bucket(self) -> str:
        """The bucket with documents and labels."""
        return self.storage.test_set_bucket.bucket_arn

    def documents(self, pattern: str) -> str:
        """Objects of the test-set bucket."""
        return f"{self.test_set_bucket}/{pattern}"

    def state_machine_name(self, workflow: str) -> str:
        """`<prefix>-<workflow>`."""
        return f"{self.options.name_prefix}-{workflow}"

    def state_machine(self, workflow: str) -> str:
        """A state machine by its name: a reference would make a circle of it and its own role."""
        return self._regional("states", f"stateMachine:{self.state_machine_name(workflow)}")

    def executions(self, workflow: str, pattern: str = ":*") -> str:
        """Executions of a state machine; `/*` are those of its Distributed Map."""
        return self._regional("states", f"execution:{self.state_machine_name(workflow)}{pattern}")

    def function_name(self, name: str) -> str:
        """A function's name in AWS."""
        return next(spec.function_name(self.options.name_prefix) for spec in FUNCTIONS if spec.name == name)

    def function(self, name: str) -> str:
        """A function by its name, so that functions may name one another in any order."""
        return self._regional("lambda", f"function:{self.function_name(name)}")

    def bedrock(self, pattern: str) -> str:
        """Bedrock's resources of this account."""
        return self._regional("bedrock", pattern)

    @property
    def foundation_models(self) -> tuple[str, ...]:
        """The catalogue's models, under their plain and their fine-tuning ids."""
        ids = [name for model in base_models() for name in (model.foundation_model_id, model.fine_tuning_id)]
        return tuple(f"arn:{self.stack.partition}:bedrock:{self.stack.region}::foundation-model/{name}" for name in ids)

    @property
    def invocable(self) -> tuple[str, ...]:
        """What Converse may be asked of: our deployments, the catalogue's inference profiles, and the foundation models
        of these in every Region they route to [Bedrock user guide, prerequisites of inference profiles]."""
        profiles = tuple(self.bedrock(f"inference-profile/{model.id}") for model in base_models())
        models = tuple(
            f"arn:{self.stack.partition}:bedrock:{region}::foundation-model/{model.foundation_model_id}"
            for region in PROFILE_REGIONS
            for model in base_models()
        )
        return (self.bedrock("custom-model-deployment/*"), *profiles, *models)

    def _regional(self, service: str, rest: str) -> str:
        return f"arn:{self.stack.partition}:{service}:{self.stack.region}:{self.stack.account}:{rest}"
