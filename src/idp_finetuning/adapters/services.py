"""What a function works with, created on first use from the environment of that function."""

from __future__ import annotations

import math
import os
import time
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from idp_finetuning.adapters.account_limits import AccountLimits
from idp_finetuning.adapters.attached_test_sets import AttachedTestSets
from idp_finetuning.adapters.aws_calls import client
from idp_finetuning.adapters.bedrock import Bedrock
from idp_finetuning.adapters.buckets import DataBucket, TestSetBucket
from idp_finetuning.adapters.converse import Converse
from idp_finetuning.adapters.function_versions import FunctionVersions
from idp_finetuning.adapters.functions import BackgroundFunction
from idp_finetuning.adapters.mailer import Mailer
from idp_finetuning.adapters.tables.config_versions import ConfigVersionTable
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.adapters.tables.test_sets import TestSetTable
from idp_finetuning.adapters.tables.users import UserTable
from idp_finetuning.adapters.user_directory import UserDirectory
from idp_finetuning.adapters.workflows import Workflow
from idp_finetuning.classification.scopes import UserScope
from idp_finetuning.deployment import BucketIs, DefaultScope, Variable
from idp_finetuning.errors import SettingMissing
from idp_finetuning.jobs.deadlines import Deadlines

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


def setting(variable: Variable) -> str:
    """Return the variable's value. Raises SettingMissing."""
    value = os.environ.get(variable)
    if not value:
        raise SettingMissing(f"The environment lacks {variable}. Deploy the stack again.")
    return value


def _hours(variable: Variable) -> timedelta:
    return timedelta(hours=float(setting(variable)))


class Services:
    """Tables, buckets, workflows and Bedrock; each reads only the variables it needs."""

    def __init__(self, context: LambdaContext | None = None) -> None:
        self._context = context
        self._since = time.monotonic()

    def seconds_left(self) -> float:
        """Return the time until Lambda ends this run; infinite if there is no limit."""
        return self._context.get_remaining_time_in_millis() / 1000 if self._context else math.inf

    def seconds_used(self) -> float:
        """Return the time since this run began."""
        return time.monotonic() - self._since

    @cached_property
    def jobs(self) -> JobTable:
        """Job records."""
        return JobTable(client("dynamodb"), setting(Variable.JOBS_TABLE))

    @cached_property
    def test_sets(self) -> TestSetTable | AttachedTestSets:
        """Test-set records; of an attached bucket, its prefixes."""
        if setting(Variable.TEST_SET_BUCKET_IS) == BucketIs.ATTACHED:
            return AttachedTestSets(client("s3"), setting(Variable.TEST_SET_BUCKET))
        return TestSetTable(client("dynamodb"), setting(Variable.TEST_SETS_TABLE))

    @cached_property
    def config_versions(self) -> ConfigVersionTable:
        """Configuration versions."""
        return ConfigVersionTable(client("dynamodb"), setting(Variable.CONFIG_VERSIONS_TABLE))

    @cached_property
    def users(self) -> UserTable:
        """Scopes that Admins gave to users."""
        return UserTable(client("dynamodb"), setting(Variable.USERS_TABLE))

    @cached_property
    def user_directory(self) -> UserDirectory:
        """The user pool."""
        return UserDirectory(client("cognito-idp"), setting(Variable.USER_POOL_ID))

    @property
    def default_scope(self) -> UserScope:
        """The scope of a user without a record."""
        return UserScope.ALL if setting(Variable.DEFAULT_SCOPE) == DefaultScope.ALL else UserScope.NONE

    @cached_property
    def test_set_bucket(self) -> TestSetBucket:
        """Documents and labels."""
        return TestSetBucket(client("s3"), setting(Variable.TEST_SET_BUCKET))

    @cached_property
    def data(self) -> DataBucket:
        """Data of jobs."""
        return DataBucket(client("s3"), setting(Variable.DATA_BUCKET))

    @property
    def data_bucket_owner(self) -> str:
        """The account that has the data bucket."""
        return setting(Variable.DATA_BUCKET_OWNER)

    @cached_property
    def bedrock(self) -> Bedrock:
        """Bedrock's control plane."""
        return Bedrock(client("bedrock"))

    @cached_property
    def deployment_name(self) -> str:
        """The prefix of this deployment's names; a tag of what it creates in Bedrock."""
        return setting(Variable.DEPLOYMENT_NAME)

    @property
    def account_limits(self) -> AccountLimits:
        """What AWS allows the account."""
        return AccountLimits(client("lambda"), client("service-quotas"))

    @property
    def map_concurrency(self) -> int:
        """How many documents of a job the operator lets convert at once."""
        return int(setting(Variable.MAP_CONCURRENCY))

    @cached_property
    def bedrock_role_arn(self) -> str:
        """The role Bedrock reads and writes the data bucket with."""
        return setting(Variable.BEDROCK_ROLE_ARN)

    @cached_property
    def label_reader(self) -> BackgroundFunction:
        """ReadLabels."""
        return BackgroundFunction(client("lambda"), setting(Variable.READ_LABELS_FUNCTION))

    @cached_property
    def page_counter(self) -> BackgroundFunction:
        """CountPages."""
        return BackgroundFunction(client("lambda"), setting(Variable.COUNT_PAGES_FUNCTION))

    @cached_property
    def test_set_deleter(self) -> BackgroundFunction:
        """DeleteTestSet."""
        return BackgroundFunction(client("lambda"), setting(Variable.DELETE_TEST_SET_FUNCTION))

    @cached_property
    def classifier(self) -> BackgroundFunction:
        """ClassifyDocument."""
        return BackgroundFunction(client("lambda"), setting(Variable.CLASSIFY_DOCUMENT_FUNCTION))

    @property
    def classifications_per_user(self) -> int:
        """Classifications that may run at once for one user."""
        return int(setting(Variable.CLASSIFICATIONS_PER_USER))

    @cached_property
    def function_versions(self) -> FunctionVersions:
        """Published versions of the functions."""
        return FunctionVersions(client("lambda"))

    @cached_property
    def converse(self) -> Converse:
        """Inference with models."""
        return Converse(client("bedrock-runtime"))

    @cached_property
    def mailer(self) -> Mailer | None:
        """E-mail, or None if the operator named no sender: the variable may be empty."""
        sender = os.environ.get(Variable.NOTIFICATION_SENDER)
        return Mailer(client("sesv2"), sender) if sender else None

    @cached_property
    def finetuning(self) -> Workflow:
        """The fine-tuning state machine."""
        return self._workflow(Variable.FINETUNING_STATE_MACHINE_ARN)

    @cached_property
    def deletion(self) -> Workflow:
        """The deletion state machine."""
        return self._workflow(Variable.DELETION_STATE_MACHINE_ARN)

    @cached_property
    def evaluation(self) -> Workflow:
        """The evaluation state machine."""
        return self._workflow(Variable.EVALUATION_STATE_MACHINE_ARN)

    @cached_property
    def deadlines(self) -> Deadlines:
        """How long a stage may take."""
        return Deadlines(
            not_started=_hours(Variable.NOT_STARTED_HOURS),
            training=_hours(Variable.TRAINING_HOURS),
            deployment=_hours(Variable.DEPLOYMENT_HOURS),
        )

    @staticmethod
    def _workflow(variable: Variable) -> Workflow:
        return Workflow(
            client("stepfunctions"),
            setting(variable),
            training_poll_seconds=int(setting(Variable.TRAINING_POLL_SECONDS)),
            deployment_poll_seconds=int(setting(Variable.DEPLOYMENT_POLL_SECONDS)),
        )
