"""Cognito's refusals of a list of users, which moto never gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from idp_finetuning.adapters.user_directory import DirectoryToken, UserDirectory
from idp_finetuning.errors import InvalidInput

TOKEN = DirectoryToken(pagination_token="of another pool").to_text()


@pytest.fixture
def refusal() -> Iterator[tuple[UserDirectory, Stubber]]:
    """A directory, and the stubber that says how Cognito refuses its next call."""
    client: Any = boto3.client(
        "cognito-idp", region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing"
    )
    with Stubber(client) as stubber:
        yield UserDirectory(client, "us-east-1_pool"), stubber


@pytest.mark.parametrize(
    ("next_token", "code", "raised"),
    [
        (TOKEN, "InvalidParameterException", InvalidInput),
        (TOKEN, "TooManyRequestsException", ClientError),
        (None, "InvalidParameterException", ClientError),
    ],
)
def test_only_a_token_that_cognito_refuses_is_the_callers_mistake(
    refusal: tuple[UserDirectory, Stubber], next_token: str | None, code: str, raised: type[Exception]
) -> None:
    directory, stubber = refusal
    stubber.add_client_error("list_users", service_error_code=code)
    with pytest.raises(raised):
        directory.page(limit=60, next_token=next_token)


def test_a_user_whom_cognito_fails_to_look_up_is_not_called_unknown(refusal: tuple[UserDirectory, Stubber]) -> None:
    directory, stubber = refusal
    stubber.add_client_error("admin_get_user", service_error_code="InternalErrorException")
    with pytest.raises(ClientError):
        directory.find("author@example.com")
