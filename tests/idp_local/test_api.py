"""The local API over HTTP, as AppSync would answer."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from graphql import get_introspection_query
from idp_local.client import tokens_of
from idp_local.runtime import LocalRuntime
from idp_sdk.errors import SignInFailed
from tests.idp_local.conftest import Events
from tests.support.graphql_client import GraphQLClient, GraphQLError, post_graphql

pytestmark = pytest.mark.xdist_group("local_runtime")

TEST_SET = {
    "id": "ts",
    "name": "Invoices",
    "description": "",
    "fileCount": 3,
    "status": "READY",
    "createdAt": "2026-11-22T19:24:34Z",
}
GET = "query ($id: ID!) { getTestSet(testSetId: $id) { id status createdAt } }"
DELETE = "mutation ($id: ID!) { deleteFinetuningJob(jobId: $id) }"


def answering(data: Any) -> dict[str, str]:
    """Variables that make the small resolver function answer with this data."""
    return {"id": json.dumps({"data": data})}


def user(runtime: LocalRuntime, name: str) -> GraphQLClient:
    return GraphQLClient(runtime.connection, f"{name}@example.com")


def send(url: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def test_a_query_answers_what_the_function_answered(runtime: LocalRuntime, events: Events) -> None:
    data = user(runtime, "nogroup").execute(GET, answering(TEST_SET))

    assert data == {"getTestSet": {"id": "ts", "status": "READY", "createdAt": "2026-11-22T19:24:34Z"}}
    event = events("Resolver")[-1]
    assert (event["field"], event["arguments"]) == ("getTestSet", {"testSetId": answering(TEST_SET)["id"]})
    assert set(event["identity"]) == {"sub", "username", "email", "groups"}
    assert event["identity"]["groups"] == []


@pytest.mark.parametrize("name", ["reviewer", "viewer", "nogroup"])
def test_a_mutation_is_refused_by_group_before_any_function_runs(
    runtime: LocalRuntime, events: Events, name: str
) -> None:
    before = len(events("Resolver"))

    answer = user(runtime, name).answer(DELETE, answering(True))

    assert answer == {
        "data": None,
        "errors": [
            {
                "path": ["deleteFinetuningJob"],
                "data": None,
                "errorType": "Unauthorized",
                "errorInfo": None,
                "locations": [{"line": 1, "column": 23, "sourceName": None}],
                "message": "Not Authorized to access deleteFinetuningJob on type Mutation",
            }
        ],
    }
    assert len(events("Resolver")) == before


@pytest.mark.parametrize(("name", "group"), [("admin", "Admin"), ("author", "Author")])
def test_admins_and_authors_may_call_mutations(runtime: LocalRuntime, events: Events, name: str, group: str) -> None:
    assert user(runtime, name).execute(DELETE, answering(True)) == {"deleteFinetuningJob": True}
    assert events("Resolver")[-1]["identity"]["groups"] == [group]


def test_an_expected_failure_keeps_its_type(runtime: LocalRuntime) -> None:
    said = {"error": {"type": "TestSetNotFound", "message": "There is no test set 'x'."}}
    with pytest.raises(GraphQLError, match=r"TestSetNotFound: There is no test set 'x'\.") as refused:
        user(runtime, "viewer").execute(GET, {"id": json.dumps(said)})
    assert refused.value.errors[0]["path"] == ["getTestSet"]


def test_an_unexpected_failure_shows_nothing_of_itself(runtime: LocalRuntime) -> None:
    answer = user(runtime, "viewer").answer(GET, {"id": "raise"})
    assert answer["errors"][0]["errorType"] == "InternalError"
    assert "secret detail" not in json.dumps(answer)
    assert "Traceback" not in json.dumps(answer)


def test_a_time_without_offset_is_not_served_as_awsdatetime(runtime: LocalRuntime) -> None:
    answer = user(runtime, "viewer").answer(GET, answering({**TEST_SET, "createdAt": "2026-11-22T19:24:34"}))
    assert answer["data"] is None
    assert answer["errors"][0]["path"] == ["getTestSet", "createdAt"]


@pytest.mark.parametrize("token", [None, "eyJhbGciOiJub25lIn0.e30."])
def test_without_a_valid_token_nothing_is_executed(runtime: LocalRuntime, token: str | None) -> None:
    status, body = post_graphql(runtime.connection.graphql_url, "{ __typename }", None, token)
    assert status == 401
    assert body["errors"][0]["errorType"] == "UnauthorizedException"
    assert set(body) == {"errors"}


def test_an_access_token_is_as_good_as_an_id_token(runtime: LocalRuntime) -> None:
    token = tokens_of(runtime.connection, "author@example.com").access_token.get_secret_value()
    status, body = post_graphql(runtime.connection.graphql_url, DELETE, answering(True), f"Bearer {token}")
    assert (status, body) == (200, {"data": {"deleteFinetuningJob": True}})


def test_a_wrong_password_is_refused(runtime: LocalRuntime) -> None:
    users = tuple(user.model_copy(update={"password": "Wrong-password-1"}) for user in runtime.connection.users)
    with pytest.raises(SignInFailed):
        tokens_of(runtime.connection.model_copy(update={"users": users}), "author@example.com")


def test_a_standard_introspection_shows_the_scalars_that_appsync_supplies(runtime: LocalRuntime) -> None:
    schema = user(runtime, "viewer").execute(get_introspection_query())["__schema"]
    names = {kind["name"] for kind in schema["types"] if kind["kind"] == "SCALAR"}
    assert {"AWSDateTime", "AWSJSON"} <= names


def test_an_unknown_field_is_refused_and_runs_nothing(runtime: LocalRuntime, events: Events) -> None:
    before = len(events("Resolver"))
    answer = user(runtime, "admin").answer('{ listTestSets { items { id } } getTestSet(testSetId: "x") { owner } }')
    assert answer["errors"][0]["errorType"] == "ValidationError"
    assert "owner" in answer["errors"][0]["message"]
    assert len(events("Resolver")) == before


def test_a_variable_of_the_wrong_type_is_refused(runtime: LocalRuntime) -> None:
    answer = user(runtime, "viewer").answer("query ($l: Int) { listTestSets(limit: $l) { nextToken } }", {"l": "ten"})
    assert answer["data"] is None
    assert "$l" in answer["errors"][0]["message"]


@pytest.mark.parametrize(
    ("body", "said"),
    [(b"{", "not JSON"), (b"{}", 'no "query"'), (b"[1]", 'no "query"'), (b'{"query": "{a}", "variables": 3}', "type")],
)
def test_a_body_that_is_no_request_is_explained(runtime: LocalRuntime, body: bytes, said: str) -> None:
    headers = {"Authorization": runtime.token("viewer@example.com"), "Content-Type": "application/json"}
    status, text = send(runtime.connection.graphql_url, body, headers)
    assert status == 400
    assert said in json.loads(text)["errors"][0]["message"]


def test_a_browser_gets_a_page_that_loads_nothing_from_elsewhere(runtime: LocalRuntime) -> None:
    with urllib.request.urlopen(runtime.connection.graphql_url) as response:
        page = response.read().decode()
        assert "default-src 'self'" in response.headers["Content-Security-Policy"]
    assert "npm ci" in page or "author@example.com" in page
    assert "http" not in page


def test_the_page_signs_in_as_a_seeded_user(runtime: LocalRuntime) -> None:
    url = runtime.connection.graphql_url.replace("/graphql", "/sign-in")
    status, text = send(url, b'{"username": "author@example.com"}', {"Content-Type": "application/json"})
    assert status == 200
    _, body = post_graphql(runtime.connection.graphql_url, DELETE, answering(True), json.loads(text)["idToken"])
    assert body == {"data": {"deleteFinetuningJob": True}}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"Content-Type": "text/plain"}, 400, id="as a form can"),
        pytest.param({"Content-Type": "application/json", "Host": "evil.example"}, 403, id="under a foreign name"),
    ],
)
def test_a_foreign_page_cannot_sign_in(runtime: LocalRuntime, headers: dict[str, str], status: int) -> None:
    url = runtime.connection.graphql_url.replace("/graphql", "/sign-in")
    assert send(url, b'{"username": "author@example.com"}', headers)[0] == status
