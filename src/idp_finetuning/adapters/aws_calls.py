"""Clients of AWS services, and what their failures mean for a job."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, overload

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError  # noqa: A004

from idp_finetuning.errors import AwsCallRefused, TransientError

if TYPE_CHECKING:
    from mypy_boto3_bedrock import BedrockClient
    from mypy_boto3_bedrock_runtime import BedrockRuntimeClient
    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_lambda import LambdaClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_service_quotas import ServiceQuotasClient
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_stepfunctions import SFNClient

_TRANSIENT_CODES = frozenset(
    {
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "InternalServerException",
        "ModelNotReadyException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestTimeout",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)


@overload
def client(service: Literal["bedrock"]) -> BedrockClient: ...
@overload
def client(service: Literal["bedrock-runtime"]) -> BedrockRuntimeClient: ...
@overload
def client(service: Literal["cognito-idp"]) -> CognitoIdentityProviderClient: ...
@overload
def client(service: Literal["dynamodb"]) -> DynamoDBClient: ...
@overload
def client(service: Literal["lambda"]) -> LambdaClient: ...
@overload
def client(service: Literal["s3"]) -> S3Client: ...
@overload
def client(service: Literal["service-quotas"]) -> ServiceQuotasClient: ...
@overload
def client(service: Literal["sesv2"]) -> SESV2Client: ...
@overload
def client(service: Literal["stepfunctions"]) -> SFNClient: ...
def client(service: str) -> Any:
    """Return the process's one client of a service."""
    return _cached_client(service)


@cache
def _cached_client(service: str) -> Any:
    return make_client(service)


def make_client(service: str) -> Any:
    """Return a new client. S3 signs with version 4, which buckets encrypted with KMS demand of presigned URLs."""
    return boto3.client(  # type: ignore[call-overload, unused-ignore]
        service,
        config=Config(
            signature_version="s3v4" if service == "s3" else None,
            # adapters/converse.py waits and retries by itself, for much longer.
            retries={"mode": "standard", "total_max_attempts": 1 if service == "bedrock-runtime" else 3},
            connect_timeout=5,
            read_timeout=60,
            max_pool_connections=64,
        ),
    )


def error_code(error: ClientError) -> str:
    """Return the service's error code, for example ConflictException."""
    return str(error.response.get("Error", {}).get("Code", ""))


def error_text(error: ClientError) -> str:
    """Return the service's own message."""
    return str(error.response.get("Error", {}).get("Message", ""))


@contextmanager
def aws_calls() -> Iterator[None]:
    """Turn failures of AWS calls into TransientError (worth a retry) or AwsCallRefused (not)."""
    try:
        yield
    except ClientError as error:
        code = error_code(error)
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        said = f"{error.operation_name} returned {code}: {error_text(error)}"
        if code in _TRANSIENT_CODES or status >= 500 or status == 429:
            raise TransientError(f"{said}. Try again later.") from error
        raise AwsCallRefused(f"{said}. Check the permissions and quotas of this deployment.") from error
    except (ConnectionError, HTTPClientError) as error:
        raise TransientError(
            f"An AWS service could not be reached ({type(error).__name__}). Try again later."
        ) from error
    except BotoCoreError as error:
        raise AwsCallRefused(f"A call to AWS could not be made ({type(error).__name__}): {error}.") from error
