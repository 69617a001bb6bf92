"""ARNs of everything a role may reach, as policies name them."""

from __future__ import annotations

from dataclasses import dataclass

from aws_cdk import Stack

from idp_finetuning.base_models import base_models
from idp_finetuning.settings import FUNCTIONS, JOBS_BY_CREATION, TEST_SETS_BY_CREATION, UNFINISHED_JOBS
from stacks.options import DeploymentOptions
from stacks.storage import Storage

FINETUNING = "finetuning"
DELETION = "deletion"


@dataclass(frozen=True)
class Places:
    """ARNs by what stands behind them; patterns where the names are made at run time."""

    stack: Stack
    options: DeploymentOptions
    storage: Storage
    bedrock_role: str

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

    def _regional(self, service: str, rest: str) -> str:
        return f"arn:{self.stack.partition}:{service}:{self.stack.region}:{self.stack.account}:{rest}"
