"""What failures of AWS calls mean, and how clients are made."""

from __future__ import annotations

import pytest
from botocore.exceptions import (
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)

from idp_finetuning.adapters.aws_calls import aws_calls, make_client
from idp_finetuning.errors import AwsCallRefused, JobNotFound, TransientError


def answered(code: str, status: int = 400) -> ClientError:
    """A service's refusal."""
    return ClientError(
        {"Error": {"Code": code, "Message": "Its words"}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item, unused-ignore]
        "PutItem",
    )


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (answered("ThrottlingException"), TransientError),
        (answered("SlowDown", 503), TransientError),
        (answered("Unheard", 500), TransientError),
        (answered("Unheard", 429), TransientError),
        (answered("ProvisionedThroughputExceededException"), TransientError),
        (EndpointConnectionError(endpoint_url="https://x"), TransientError),
        (ReadTimeoutError(endpoint_url="https://x"), TransientError),
        (answered("AccessDenied", 403), AwsCallRefused),
        (answered("ValidationException"), AwsCallRefused),
        (NoCredentialsError(), AwsCallRefused),
        (ParamValidationError(report="bad"), AwsCallRefused),
        (JobNotFound("no"), JobNotFound),
        (KeyError("bug"), KeyError),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_failure_is_worth_a_retry_or_final(failure: Exception, expected: type[Exception]) -> None:
    with pytest.raises(expected) as raised, aws_calls():
        raise failure
    if isinstance(failure, ClientError):
        assert "PutItem returned" in str(raised.value)
        assert "Its words" in str(raised.value)


def test_the_client_of_s3_signs_uploads_so_that_kms_buckets_take_them(aws: None) -> None:
    post = make_client("s3").generate_presigned_post(Bucket="documents", Key="k")
    assert post["fields"]["x-amz-algorithm"] == "AWS4-HMAC-SHA256"
