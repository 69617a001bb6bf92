"""Names and ARNs in the local account, the stack's own where the stack decides them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from idp_finetuning.deployment import (
    CONFIG_VERSIONS_TABLE,
    FUNCTIONS,
    JOBS_TABLE,
    TEST_SETS_TABLE,
    USERS_TABLE,
    BucketIs,
    DefaultScope,
    Variable,
)
from idp_local.environment import ACCOUNT_ID, REGION

PREFIX: Final = "idp-finetuning"
DATA_BUCKET: Final = f"{PREFIX}-data-local"
TEST_SET_BUCKET: Final = f"{PREFIX}-test-sets-local"
FINETUNING: Final = "finetuning"
DELETION: Final = "deletion"


def function_name(name: str) -> str:
    """Lambda's name for the function that deployment.FUNCTIONS calls `name`."""
    return next(spec.function_name(PREFIX) for spec in FUNCTIONS if spec.name == name)


def state_machine_name(workflow: str) -> str:
    """`<prefix>-<workflow>`."""
    return f"{PREFIX}-{workflow}"


def state_machine_arn(workflow: str) -> str:
    """ARN of the state machine made from `statemachines/<workflow>.asl.json`."""
    return f"arn:aws:states:{REGION}:{ACCOUNT_ID}:stateMachine:{state_machine_name(workflow)}"


def variable_values(poll_seconds: int, *, user_pool_id: str) -> Mapping[Variable, str]:
    """What the functions' variables are locally; nobody chooses the id of a user pool."""
    return {
        Variable.DATA_BUCKET: DATA_BUCKET,
        Variable.TEST_SET_BUCKET: TEST_SET_BUCKET,
        Variable.TEST_SET_BUCKET_IS: BucketIs.OWNED,
        Variable.JOBS_TABLE: JOBS_TABLE.table_name(PREFIX),
        Variable.TEST_SETS_TABLE: TEST_SETS_TABLE.table_name(PREFIX),
        Variable.CONFIG_VERSIONS_TABLE: CONFIG_VERSIONS_TABLE.table_name(PREFIX),
        Variable.USERS_TABLE: USERS_TABLE.table_name(PREFIX),
        Variable.USER_POOL_ID: user_pool_id,
        Variable.DEFAULT_SCOPE: DefaultScope.ALL,
        Variable.FINETUNING_STATE_MACHINE_ARN: state_machine_arn(FINETUNING),
        Variable.DELETION_STATE_MACHINE_ARN: state_machine_arn(DELETION),
        Variable.READ_LABELS_FUNCTION: function_name("ReadLabels"),
        Variable.CLASSIFY_DOCUMENT_FUNCTION: function_name("ClassifyDocument"),
        Variable.BEDROCK_ROLE_ARN: f"arn:aws:iam::{ACCOUNT_ID}:role/{PREFIX}-bedrock",
        Variable.TRAINING_POLL_SECONDS: str(poll_seconds),
        Variable.DEPLOYMENT_POLL_SECONDS: str(poll_seconds),
        Variable.NOT_STARTED_HOURS: "24",
        Variable.TRAINING_HOURS: "48",
        Variable.DEPLOYMENT_HOURS: "4",
    }
