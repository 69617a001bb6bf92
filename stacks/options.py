"""The options of a deployment, from cdk.json or `-c name=value`, checked before anything is built."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from idp_finetuning.deployment import (
    CLASSIFICATIONS_PER_USER,
    DEPLOYMENT_HOURS,
    JOB_FILTER_INDEXES,
    MAP_CONCURRENCY,
    NOT_STARTED_HOURS,
    TRAINING_HOURS,
)

REGION: Literal["us-east-1"] = "us-east-1"

# Of the numbers of days CloudWatch Logs takes (CloudWatch Logs API reference, PutRetentionPolicy).
LOG_RETENTION_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 180, 365, 731, 1827, 3653)

# Step Functions ends an execution at 25,000 history events (Step Functions quotas); the rest is for the stages before.
# A poll is a wait, a task and a choice, and one more task while a deployment waits for a quota.
HISTORY_EVENTS = 24_000
EVENTS_A_POLL = 9
EVENTS_A_TRY = 14


class OptionInvalid(Exception):
    """An option cannot be used; the message is one sentence for the operator."""


def _none_if_empty(value: object) -> object:
    return None if value == "" else value


def _log_retention(value: object) -> object:
    if str(value) not in map(str, LOG_RETENTION_DAYS):
        raise ValueError(f"one of {', '.join(map(str, LOG_RETENTION_DAYS))} is needed")
    return value


_Optional = BeforeValidator(_none_if_empty)
BucketName = Annotated[Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")] | None, _Optional]
KeyArn = Annotated[
    Annotated[str, Field(pattern=rf"^arn:aws:kms:{REGION}:\d{{12}}:key/[A-Za-z0-9-]+$")] | None, _Optional
]
UserPoolId = Annotated[Annotated[str, Field(pattern=rf"^{REGION}_[A-Za-z0-9]+$")] | None, _Optional]
UserPoolClientId = Annotated[Annotated[str, Field(pattern=r"^[a-z0-9]{1,128}$")] | None, _Optional]
EmailAddress = Annotated[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")] | None, _Optional]
# What a rate-based rule takes (WAF API reference, RateBasedStatement).
RequestLimit = Annotated[Annotated[int, Field(ge=10, le=2_000_000_000)] | None, _Optional]
Concurrency = Annotated[Annotated[int, Field(ge=1, le=1000)] | None, _Optional]


class DeploymentOptions(BaseModel):
    """The options of a deployment; an empty name or id means that the stack creates the resource itself."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    # 30 characters leave room for the longest function name within Lambda's 64.
    name_prefix: str = Field(default="idp-finetuning", pattern=r"^[a-z][a-z0-9-]{1,29}$")
    region: Literal["us-east-1"] = REGION
    architecture: Literal["arm64", "x86_64"] = "arm64"
    # An existing bucket in the accelerator's layout: it is read, never written.
    test_set_bucket_name: BucketName = None
    test_set_bucket_kms_key_arn: KeyArn = None
    # An existing pool with the four groups; without a client id a client is added to it.
    user_pool_id: UserPoolId = None
    user_pool_client_id: UserPoolClientId = None
    # Which configuration versions users without a record see.
    default_scope: Literal["all", "none"] = "all"
    alarm_email: EmailAddress = None
    # A sender verified in SES; without one no owner of a job gets e-mail.
    notification_sender: EmailAddress = None
    # How many requests an address may send to the API in five minutes, and how many the resolver handles at once.
    api_requests_per_address: RequestLimit = None
    resolver_concurrency: Concurrency = None
    # How many of the indexes that filter lists of jobs there are: an upgrade adds them one at a time, as DynamoDB does.
    job_filter_indexes: int = Field(default=len(JOB_FILTER_INDEXES), ge=0, le=len(JOB_FILTER_INDEXES))
    # retain: tables, buckets, user pool and logs outlive the stack; destroy: they go with it.
    removal: Literal["retain", "destroy"] = "retain"
    log_retention_days: Annotated[int, BeforeValidator(_log_retention)] = 90
    noncurrent_version_days: int = Field(default=30, ge=1, le=3650)
    # Running at once.
    classifications_per_user: int = Field(default=CLASSIFICATIONS_PER_USER, ge=1, le=100)
    # At most; ValidateTestSet lowers it to what the account allows.
    map_concurrency: int = Field(default=MAP_CONCURRENCY, ge=2, le=1000)
    training_poll_seconds: int = Field(default=300, ge=30, le=3600)
    deployment_poll_seconds: int = Field(default=60, ge=10, le=3600)
    # Deadlines (168 h: an execution of the state machine times out after seven days).
    not_started_hours: int = Field(default=NOT_STARTED_HOURS, ge=1, le=168)
    training_hours: int = Field(default=TRAINING_HOURS, ge=1, le=168)
    deployment_hours: int = Field(default=DEPLOYMENT_HOURS, ge=1, le=168)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.test_set_bucket_kms_key_arn and not self.test_set_bucket_name:
            raise ValueError("testSetBucketKmsKeyArn is only for a bucket named by testSetBucketName")
        if self.user_pool_client_id and not self.user_pool_id:
            raise ValueError("userPoolClientId is only for a pool named by userPoolId")
        if self._training_polls * EVENTS_A_POLL + self._deployment_polls * EVENTS_A_TRY > HISTORY_EVENTS:
            raise ValueError(
                "one execution cannot ask Bedrock that often for that long: raise trainingPollSeconds or "
                "deploymentPollSeconds, or lower trainingHours or deploymentHours"
            )
        return self

    @property
    def _training_polls(self) -> float:
        return self.training_hours * 3600 / self.training_poll_seconds

    @property
    def _deployment_polls(self) -> float:
        return self.deployment_hours * 3600 / self.deployment_poll_seconds


def read_options(context: Mapping[str, Any], environment: Mapping[str, str]) -> DeploymentOptions:
    """Return the options in a CDK context; the Region comes from it or from the environment that the CDK CLI prepares.

    Keys with a colon or `@` are CDK's own. Raises OptionInvalid.
    """
    own = {name: value for name, value in context.items() if ":" not in name and not name.startswith("@")}
    _require_region(own, environment)
    try:
        return DeploymentOptions.model_validate(own)
    except ValidationError as error:
        raise OptionInvalid(" ".join(_sentence(problem) for problem in error.errors())) from error


def _require_region(own: Mapping[str, Any], environment: Mapping[str, str]) -> None:
    chosen = own.get("region") or next(
        (
            environment[name]
            for name in ("CDK_DEFAULT_REGION", "AWS_REGION", "AWS_DEFAULT_REGION")
            if environment.get(name)
        ),
        REGION,
    )
    if chosen != REGION:
        raise OptionInvalid(
            f"Nova models can be fine-tuned in {REGION} only, not in {chosen}: "
            f"set AWS_REGION={REGION} or pass -c region={REGION}."
        )


def _sentence(problem: Any) -> str:
    name = ".".join(map(str, problem["loc"]))
    if problem["type"] == "extra_forbidden":
        known = ", ".join(sorted(to_camel(field) for field in DeploymentOptions.model_fields))
        return f"Context key '{name}' is not known; the keys are {known}."
    reason = str(problem["msg"]).removeprefix("Value error, ")
    return f"Context key '{name}' cannot be {problem['input']!r}: {reason}." if name else f"{reason}."
