"""The Lambda functions: handler, environment variables, limits, and retries of asynchronous invocations."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict

from idp_finetuning.deployment.variables import Variable


class FunctionSpec(BaseModel):
    """One Lambda function. The name is also its state, construct id and placeholder (`${<name>Arn}`).

    `event_retries` is how often Lambda retries a failed asynchronous invocation; `on_failure` names the function that
    Lambda tells of one that it gives up.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    variables: tuple[Variable, ...]
    timeout_seconds: int = 60
    memory_mb: int = 512
    bundle: Literal["core", "render"] = "core"
    event_retries: int = 2
    on_failure: str | None = None

    @property
    def module(self) -> str:
        """Name of the file in lambdas/, for example validate_test_set."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", self.name).lower()

    @property
    def handler(self) -> str:
        """Lambda's handler string."""
        return f"lambdas.{self.module}.handler"

    def function_name(self, prefix: str) -> str:
        """`<prefix>-<stage>`, for example idp-finetuning-validate-test-set."""
        return f"{prefix}-{self.module.replace('_', '-')}"


V = Variable

FUNCTIONS: tuple[FunctionSpec, ...] = (
    # Ends before AppSync gives up, which is after 30 s (AppSync quotas, "Request execution time").
    FunctionSpec(
        name="Resolver",
        timeout_seconds=28,
        memory_mb=1769,  # one whole vCPU: validation reads thousands of labels
        variables=(
            V.DATA_BUCKET,
            V.TEST_SET_BUCKET,
            V.TEST_SET_BUCKET_IS,
            V.JOBS_TABLE,
            V.TEST_SETS_TABLE,
            V.CONFIG_VERSIONS_TABLE,
            V.USERS_TABLE,
            V.USER_POOL_ID,
            V.DEFAULT_SCOPE,
            V.FINETUNING_STATE_MACHINE_ARN,
            V.DELETION_STATE_MACHINE_ARN,
            V.EVALUATION_STATE_MACHINE_ARN,
            V.READ_LABELS_FUNCTION,
            V.COUNT_PAGES_FUNCTION,
            V.CLASSIFY_DOCUMENT_FUNCTION,
            V.DELETE_TEST_SET_FUNCTION,
            V.CLASSIFICATIONS_PER_USER,
            V.TRAINING_POLL_SECONDS,
            V.DEPLOYMENT_POLL_SECONDS,
            V.NOTIFICATION_SENDER,
        ),
    ),
    # Reads the labels of a test set that is too large for one request of the API.
    FunctionSpec(name="ReadLabels", timeout_seconds=900, memory_mb=1769, variables=(V.DATA_BUCKET, V.TEST_SET_BUCKET)),
    # Opens every document of a complete test set; what takes longer continues in another run.
    FunctionSpec(
        name="CountPages",
        timeout_seconds=900,
        memory_mb=2048,
        bundle="render",
        variables=(V.DATA_BUCKET, V.TEST_SET_BUCKET, V.COUNT_PAGES_FUNCTION),
    ),
    # Deletes a test set, which takes longer than a request of the API if it is large.
    FunctionSpec(
        name="DeleteTestSet",
        timeout_seconds=900,
        variables=(V.DATA_BUCKET, V.TEST_SET_BUCKET, V.TEST_SET_BUCKET_IS, V.TEST_SETS_TABLE),
    ),
    FunctionSpec(
        name="ValidateTestSet",
        timeout_seconds=900,
        memory_mb=1769,
        variables=(
            V.DATA_BUCKET,
            V.TEST_SET_BUCKET,
            V.TEST_SET_BUCKET_IS,
            V.JOBS_TABLE,
            V.TEST_SETS_TABLE,
            V.MAP_CONCURRENCY,
        ),
    ),
    # A page of 8,000 x 8,000 px takes 256 MB as RGBA.
    FunctionSpec(
        name="GenerateExample",
        timeout_seconds=900,
        memory_mb=2048,
        bundle="render",
        variables=(V.DATA_BUCKET, V.DATA_BUCKET_OWNER, V.TEST_SET_BUCKET, V.JOBS_TABLE),
    ),
    FunctionSpec(name="RejectDocument", variables=(V.DATA_BUCKET,)),
    FunctionSpec(name="AssembleDataset", timeout_seconds=900, memory_mb=1769, variables=(V.DATA_BUCKET, V.JOBS_TABLE)),
    FunctionSpec(
        name="CreateCustomizationJob",
        variables=(V.DEPLOYMENT_NAME, V.DATA_BUCKET, V.JOBS_TABLE, V.BEDROCK_ROLE_ARN),
    ),
    FunctionSpec(name="GetCustomizationJob", variables=(V.DATA_BUCKET, V.JOBS_TABLE)),
    FunctionSpec(name="CreateModelDeployment", variables=(V.DEPLOYMENT_NAME, V.JOBS_TABLE)),
    FunctionSpec(name="GetModelDeployment", variables=(V.JOBS_TABLE,)),
    FunctionSpec(
        name="CompleteJob",
        variables=(
            V.JOBS_TABLE,
            V.EVALUATION_STATE_MACHINE_ARN,
            V.TRAINING_POLL_SECONDS,
            V.DEPLOYMENT_POLL_SECONDS,
        ),
    ),
    FunctionSpec(name="EndJob", variables=(V.JOBS_TABLE,)),
    FunctionSpec(name="DeleteModelDeployment", variables=(V.JOBS_TABLE,)),
    FunctionSpec(name="DeleteCustomModel", variables=(V.JOBS_TABLE,)),
    # Runs every 5 minutes, and when an execution ends.
    FunctionSpec(
        name="ReconcileJobs",
        timeout_seconds=300,
        variables=(
            V.DEPLOYMENT_NAME,
            V.DATA_BUCKET,
            V.TEST_SET_BUCKET,
            V.TEST_SET_BUCKET_IS,
            V.JOBS_TABLE,
            V.TEST_SETS_TABLE,
            V.DELETE_TEST_SET_FUNCTION,
            V.FINETUNING_STATE_MACHINE_ARN,
            V.DELETION_STATE_MACHINE_ARN,
            V.EVALUATION_STATE_MACHINE_ARN,
            V.TRAINING_POLL_SECONDS,
            V.DEPLOYMENT_POLL_SECONDS,
            V.NOT_STARTED_HOURS,
            V.TRAINING_HOURS,
            V.DEPLOYMENT_HOURS,
            V.NOTIFICATION_SENDER,
        ),
    ),
    FunctionSpec(
        name="PrepareEvaluation",
        timeout_seconds=900,  # reads what drawing every training document showed
        memory_mb=1769,
        variables=(
            V.DATA_BUCKET,
            V.TEST_SET_BUCKET,
            V.TEST_SET_BUCKET_IS,
            V.JOBS_TABLE,
            V.TEST_SETS_TABLE,
            V.CONFIG_VERSIONS_TABLE,
        ),
    ),
    # Reads the page images that the job made, and draws the documents of another test set.
    FunctionSpec(
        name="EvaluateDocument",
        timeout_seconds=900,
        memory_mb=2048,
        bundle="render",
        variables=(V.DATA_BUCKET, V.TEST_SET_BUCKET, V.JOBS_TABLE),
    ),
    FunctionSpec(name="ScoreEvaluation", timeout_seconds=900, memory_mb=1769, variables=(V.DATA_BUCKET, V.JOBS_TABLE)),
    FunctionSpec(name="EndEvaluation", variables=(V.JOBS_TABLE, V.DATA_BUCKET)),
    # Waits for a run that may still work, at most twenty seconds.
    FunctionSpec(name="EndClassification", variables=(V.DATA_BUCKET,)),
    # Asks a model about each page of one document. Retried once if it died: the next run asks only about the rest.
    FunctionSpec(
        name="ClassifyDocument",
        timeout_seconds=900,
        memory_mb=2048,
        bundle="render",
        variables=(V.DATA_BUCKET, V.TEST_SET_BUCKET, V.CLASSIFY_DOCUMENT_FUNCTION),
        event_retries=1,
        on_failure="EndClassification",
    ),
    FunctionSpec(name="DeleteJobData", timeout_seconds=900, variables=(V.DATA_BUCKET, V.JOBS_TABLE)),
)


def find_function(name: str) -> FunctionSpec:
    """Return the function of this name, for example ReadLabels. Raises StopIteration."""
    return next(spec for spec in FUNCTIONS if spec.name == name)
