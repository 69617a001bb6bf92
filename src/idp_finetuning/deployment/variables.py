"""The environment variables of the functions, by name, and the values of those that take fixed words."""

from __future__ import annotations

from enum import StrEnum


class Variable(StrEnum):
    """Environment variables of the functions."""

    DEPLOYMENT_NAME = "DEPLOYMENT_NAME"
    DATA_BUCKET = "DATA_BUCKET"
    DATA_BUCKET_OWNER = "DATA_BUCKET_OWNER"
    TEST_SET_BUCKET = "TEST_SET_BUCKET"
    TEST_SET_BUCKET_IS = "TEST_SET_BUCKET_IS"
    JOBS_TABLE = "JOBS_TABLE"
    TEST_SETS_TABLE = "TEST_SETS_TABLE"
    CONFIG_VERSIONS_TABLE = "CONFIG_VERSIONS_TABLE"
    USERS_TABLE = "USERS_TABLE"
    USER_POOL_ID = "USER_POOL_ID"
    DEFAULT_SCOPE = "DEFAULT_SCOPE"
    FINETUNING_STATE_MACHINE_ARN = "FINETUNING_STATE_MACHINE_ARN"
    READ_LABELS_FUNCTION = "READ_LABELS_FUNCTION"
    CLASSIFY_DOCUMENT_FUNCTION = "CLASSIFY_DOCUMENT_FUNCTION"
    DELETE_TEST_SET_FUNCTION = "DELETE_TEST_SET_FUNCTION"
    CLASSIFICATIONS_PER_USER = "CLASSIFICATIONS_PER_USER"
    DELETION_STATE_MACHINE_ARN = "DELETION_STATE_MACHINE_ARN"
    BEDROCK_ROLE_ARN = "BEDROCK_ROLE_ARN"
    MAP_CONCURRENCY = "MAP_CONCURRENCY"
    TRAINING_POLL_SECONDS = "TRAINING_POLL_SECONDS"
    DEPLOYMENT_POLL_SECONDS = "DEPLOYMENT_POLL_SECONDS"
    NOT_STARTED_HOURS = "NOT_STARTED_HOURS"
    TRAINING_HOURS = "TRAINING_HOURS"
    DEPLOYMENT_HOURS = "DEPLOYMENT_HOURS"


class BucketIs(StrEnum):
    """Values of TEST_SET_BUCKET_IS: made by this stack, or attached from another and never written."""

    OWNED = "owned"
    ATTACHED = "attached"


class DefaultScope(StrEnum):
    """Values of DEFAULT_SCOPE: which configuration versions a user without a record sees."""

    ALL = "all"
    NONE = "none"
