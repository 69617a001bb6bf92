"""No web page from elsewhere gets into a server of the runtime."""

from __future__ import annotations

import http.client
from urllib.parse import urlsplit

import pytest

from idp_local.functions.endpoint import FunctionEndpoint
from idp_local.local_only import is_from_this_machine
from idp_local.runtime import LocalRuntime

PORT = 4000
HOST = {"host": f"127.0.0.1:{PORT}"}


@pytest.mark.parametrize(
    "headers",
    [
        HOST,
        {"host": "localhost"},
        {"host": f"LocalHost:{PORT}"},
        HOST | {"origin": f"http://127.0.0.1:{PORT}", "sec-fetch-site": "same-origin"},
        HOST | {"origin": "http://localhost:5173", "sec-fetch-site": "same-site"},
    ],
    ids=str,
)
def test_programs_and_pages_of_this_machine_get_in(headers: dict[str, str]) -> None:
    assert is_from_this_machine(headers, PORT)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"host": "evil.example"},
        {"host": f"evil.example:{PORT}"},
        {"host": "127.0.0.1:4001"},
        {"host": f"127.0.0.1.evil.example:{PORT}"},
        HOST | {"origin": "http://evil.example"},
        HOST | {"origin": "http://127.0.0.1.evil.example"},
        HOST | {"origin": "null"},
        HOST | {"origin": "http://[127.0.0.1"},
        HOST | {"sec-fetch-site": "cross-site"},
    ],
    ids=str,
)
def test_others_do_not(headers: dict[str, str]) -> None:
    assert not is_from_this_machine(headers, PORT)


def send(url: str, method: str, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    """A raw request, with these headers over those of a program."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=10)
    try:
        connection.request(method, path, body=b"{}" if method == "POST" else None, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def servers(runtime: LocalRuntime) -> dict[str, str]:
    """The addresses of the runtime's servers."""
    connection = runtime.connection
    return {
        "API": connection.graphql_url,
        "account": connection.aws_endpoint_url,
        "Bedrock": connection.bedrock_endpoint_url,
    }


@pytest.mark.parametrize("server", ["API", "account", "Bedrock"])
@pytest.mark.parametrize(
    "headers",
    [{"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}],
    ids=str,
)
def test_every_server_refuses_pages_from_elsewhere(runtime: LocalRuntime, server: str, headers: dict[str, str]) -> None:
    signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=x"}
    status, said = send(servers(runtime)[server], "POST", "/", signed | headers)
    assert status == 403
    assert b"of this machine only" in said


def test_the_server_that_runs_functions_refuses_them_too() -> None:
    endpoint = FunctionEndpoint()
    try:
        path = "/2015-03-31/functions/anything/invocations"
        signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=x"}
        assert send(endpoint.url, "POST", path, signed | {"Host": "evil.example"})[0] == 403
        assert send(endpoint.url, "POST", path, signed)[0] == 404
    finally:
        endpoint.close()


def test_the_pages_that_empty_the_account_are_closed(runtime: LocalRuntime) -> None:
    for method, path in (("POST", "/moto-api/reset"), ("GET", "/moto-api/data.json"), ("GET", "/moto-api/")):
        assert send(runtime.connection.aws_endpoint_url, method, path, {})[0] == 403


def test_a_link_leads_to_the_page_and_to_nothing_else(runtime: LocalRuntime) -> None:
    link = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert send(runtime.connection.graphql_url, "GET", "/graphql", link)[0] == 200
    assert send(runtime.connection.graphql_url, "POST", "/sign-in", link)[0] == 403
    assert send(runtime.connection.aws_endpoint_url, "GET", "/", link)[0] == 403
