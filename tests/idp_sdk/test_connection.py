from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from idp_local.connection import Connection as LocalConnection
from idp_local.connection import ConnectionFile
from idp_sdk import Connection, fetch_tokens, read_connection
from idp_sdk.errors import NotConfigured
from idp_sdk.sending import Sender
from idp_sdk.signin.cognito import Cognito
from idp_sdk.signin.tokens import Tokens

URL = "https://abc.appsync-api.us-east-1.amazonaws.com/graphql"


def test_the_outputs_of_a_deployment_are_a_connection(tmp_path: Path) -> None:
    outputs = {
        "GraphqlUrl": URL,
        "Region": "us-east-1",
        "UserPoolId": "us-east-1_abc",
        "UserPoolClientId": "client1",
        "JobsTableName": "jobs",
    }
    file = tmp_path / "outputs.json"
    file.write_text(json.dumps({"another-stack": {"Url": "x"}, "idp-finetuning": outputs}))
    connection = read_connection(file)
    assert connection == Connection(
        graphql_url=URL, region="us-east-1", user_pool_id="us-east-1_abc", user_pool_client_id="client1"
    )
    assert connection.cognito_url == "https://cognito-idp.us-east-1.amazonaws.com/"


def test_the_file_of_a_local_runtime_is_a_connection(tmp_path: Path) -> None:
    local = LocalConnection(
        graphql_url="http://127.0.0.1:4000/graphql",
        region="us-east-1",
        user_pool_id="us-east-1_abc",
        user_pool_client_id="client1",
        aws_endpoint_url="http://127.0.0.1:4001",
        bedrock_endpoint_url="http://127.0.0.1:4002",
        test_set_bucket="a",
        data_bucket="b",
        jobs_table="c",
        state_machine_arn="d",
        users=(),
    )
    file = ConnectionFile(tmp_path)
    file.write(local)
    connection = read_connection(file.path)
    assert connection.graphql_url == local.graphql_url
    assert connection.user_pool_client_id == "client1"
    assert connection.cognito_url == "http://127.0.0.1:4001/"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "cannot be read: No such file"),
        ("{", "it is not JSON"),
        ("[]", "names no graphqlUrl"),
        ('{"stack": {"Url": "x"}}', "names no graphqlUrl"),
        ('{"graphqlUrl": "http://api.example.com/graphql"}', "has to begin with https://"),
        ('{"graphqlUrl": "ftp://127.0.0.1/graphql"}', "has to begin with https://"),
        ('{"graphqlUrl": 5}', "graphqlUrl"),
    ],
)
def test_a_file_that_is_neither_is_told(tmp_path: Path, content: str | None, problem: str) -> None:
    file = tmp_path / "given.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(NotConfigured) as caught:
        read_connection(file)
    assert problem in caught.value.message
    assert "given.json" in caught.value.message


def test_without_a_region_nobody_knows_where_cognito_is() -> None:
    with pytest.raises(NotConfigured, match="IDP_REGION"):
        _ = Connection(graphql_url=URL).cognito_url


def test_chinas_cognito_has_its_own_domain() -> None:
    connection = Connection(graphql_url=URL, region="cn-north-1")
    assert connection.cognito_url == "https://cognito-idp.cn-north-1.amazonaws.com.cn/"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"region": "us-east-1"}, None),
        ({"region": "eu-west-1"}, "the API is in us-east-1, and the region to sign in at is eu-west-1"),
        ({"cognito_endpoint_url": "https://cognito-idp.us-east-1.amazonaws.com"}, None),
        ({"cognito_endpoint_url": "https://cognito-idp.us-east-1.amazonaws.com.example.com"}, "no address of AWS"),
        ({"cognito_endpoint_url": "http://127.0.0.1:4001"}, "passwords would be sent to 127.0.0.1"),
        ({"graphql_url": "https://api.example.com/graphql", "region": "us-east-1"}, None),
        (
            {"graphql_url": "http://127.0.0.1:4000/graphql", "cognito_endpoint_url": "http://localhost:4001"},
            None,
        ),
        (
            {"graphql_url": "http://127.0.0.1:4000/graphql", "cognito_endpoint_url": "https://thief.example.com"},
            "passwords would be sent to thief.example.com",
        ),
    ],
)
def test_a_connection_that_signs_in_elsewhere_than_its_api_says_so(changes: dict[str, str], reason: str | None) -> None:
    connection = Connection(**{"graphql_url": URL, "user_pool_client_id": "c", **changes})
    found = connection.foreign_address
    assert (found is None) if reason is None else reason in str(found)


def test_a_password_that_would_go_elsewhere_is_not_sent() -> None:
    sent: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(500)

    connection = Connection(
        graphql_url=URL,
        region="us-east-1",
        user_pool_client_id="c",
        cognito_endpoint_url="https://thief.example.com",
    )
    client = httpx.Client(transport=httpx.MockTransport(handle))
    cognito = Cognito(connection, Sender(client, retries=0))
    tokens = Tokens(
        username="u",
        id_token=SecretStr("i"),
        access_token=SecretStr("a"),
        refresh_token=SecretStr("r"),
        expires_at=0,
    )
    for send in (lambda: cognito.refresh(tokens), lambda: cognito.revoke(tokens)):
        with pytest.raises(NotConfigured, match="Nothing was sent"):
            send()
    with pytest.raises(NotConfigured, match=r"Nothing was sent: .*thief\.example\.com"):
        fetch_tokens("u", "Secret-1", connection=connection, http_client=client)
    assert sent == []
