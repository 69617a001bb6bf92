"""Names and ARNs in the local account; those that the stack chooses are the stack's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from idp_finetuning import deployment
from idp_finetuning.deployment import STATE_MACHINES, Variable, environment_variables, find_function
from idp_local.environment import ACCOUNT_ID, REGION

PREFIX: Final = "idp-finetuning"
DATA_BUCKET: Final = f"{PREFIX}-data-local"
TEST_SET_BUCKET: Final = f"{PREFIX}-test-sets-local"
NOTIFICATION_SENDER: Final = "idp-local@example.com"  # the stand-in of SES sends nothing anywhere


def function_name(name: str) -> str:
    """Lambda's name for the function that deployment.FUNCTIONS calls `name`."""
    return find_function(name).function_name(PREFIX)


def function_arn(name: str) -> str:
    """ARN of the function that Lambda calls `name`."""
    return f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{name}"


def state_machine_name(workflow: str) -> str:
    """Step Functions' name for the state machine of `statemachines/<workflow>.asl.json`."""
    return deployment.state_machine_name(workflow, PREFIX)


def state_machine_arn(workflow: str) -> str:
    """ARN of the state machine of `statemachines/<workflow>.asl.json`."""
    return f"arn:aws:states:{REGION}:{ACCOUNT_ID}:stateMachine:{state_machine_name(workflow)}"


def variable_values(poll_seconds: int, *, user_pool_id: str, map_concurrency: int = 4) -> Mapping[Variable, str]:
    """Return the values of the functions' variables; Cognito makes the id of the user pool."""
    return environment_variables(
        PREFIX,
        data_bucket=DATA_BUCKET,
        data_bucket_owner=ACCOUNT_ID,
        test_set_bucket=TEST_SET_BUCKET,
        user_pool_id=user_pool_id,
        state_machine_arns={workflow: state_machine_arn(workflow) for workflow in STATE_MACHINES},
        bedrock_role_arn=f"arn:aws:iam::{ACCOUNT_ID}:role/{PREFIX}-bedrock",
        map_concurrency=map_concurrency,
        training_poll_seconds=poll_seconds,
        deployment_poll_seconds=poll_seconds,
        notification_sender=NOTIFICATION_SENDER,
    )
