from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from idp_sdk import IDPClient
from idp_sdk.errors import ConnectionFailed, IDPError, ServerError, Throttled, WaitTimeout
from tests.idp_sdk.conftest import Clock
from tests.support.sdk.answers import config_version, job, page
from tests.support.sdk.deployment import API_URL, Deployment, Disturbance, Refusal

Response = httpx.Response


def create(client: IDPClient) -> object:
    return client.finetuning.create_job(test_set_id="docsplit", base_model="us.amazon.nova-pro-v1:0", name="x")


def list_jobs(client: IDPClient) -> object:
    return list(client.finetuning.list_jobs())


@pytest.mark.parametrize(
    "failure",
    [
        Response(429),
        Response(500),
        Response(502, text="<html>bad gateway</html>"),
        Response(503),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("gone"),
    ],
    ids=repr,
)
@pytest.mark.parametrize(
    ("call", "field", "answer"),
    [(list_jobs, "listFinetuningJobs", page()), (create, "createFinetuningJob", job())],
    ids=["query", "creation"],
)
def test_a_failure_that_passes_is_retried(
    deployment: Deployment,
    client: IDPClient,
    clock: Clock,
    failure: Response | httpx.TransportError,
    call: Callable[[IDPClient], object],
    field: str,
    answer: object,
) -> None:
    deployment.answers[field] = [Disturbance(failure), Disturbance(failure), answer]
    call(client)
    first, second, third = deployment.calls_of(field)
    assert first == second == third  # above all the client token: retries make no second job
    assert 0 <= clock.slept[0] <= 0.5
    assert 0 <= clock.slept[1] <= 1.0


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (Response(429), Throttled),
        (Response(503), ServerError),
        (httpx.ConnectError("refused"), ConnectionFailed),
        (httpx.ReadTimeout("slow"), ConnectionFailed),
    ],
    ids=repr,
)
def test_retries_end(
    deployment: Deployment, clock: Clock, failure: Response | httpx.TransportError, kind: type[IDPError]
) -> None:
    deployment.answers["listFinetuningJobs"] = Disturbance(failure)
    client = IDPClient(graphql_url=API_URL, token="token-0", http_client=deployment.client(), retries=2)
    with pytest.raises(kind) as caught:
        list_jobs(client)
    assert type(caught.value) is kind
    assert len(deployment.calls) == 3
    assert "api.example.com" in caught.value.message


@pytest.mark.parametrize(
    ("failure", "sent"),
    [
        (Response(429), 2),
        (httpx.ConnectError("refused"), 2),
        (httpx.ConnectTimeout("slow"), 2),
        (Response(500), 1),
        (httpx.ReadTimeout("slow"), 1),
        (httpx.RemoteProtocolError("gone"), 1),
    ],
    ids=repr,
)
def test_what_must_not_be_done_twice_is_repeated_only_where_it_did_not_arrive(
    deployment: Deployment, client: IDPClient, clock: Clock, failure: Response | httpx.TransportError, sent: int
) -> None:
    deployment.answers["createConfigVersion"] = [Disturbance(failure), config_version()]
    if sent == 1:
        with pytest.raises(IDPError):
            client.config_versions.create("v1")
    else:
        client.config_versions.create("v1")
    assert len(deployment.calls) == sent


@pytest.mark.parametrize("error_type", ["ThrottledException", "TooManyRequestsException"])
def test_appsyncs_throttling_is_waited_out(
    deployment: Deployment, client: IDPClient, clock: Clock, error_type: str
) -> None:
    throttled = Response(429, json={"errors": [{"errorType": error_type, "message": "Rate exceeded"}]})
    deployment.answers["createConfigVersion"] = [Disturbance(throttled), config_version()]
    client.config_versions.create("v1")
    assert len(clock.slept) == 1


@pytest.mark.parametrize("error_type", ["InternalError", "Conflict", "InvalidInput", "TestSetInvalid"])
def test_an_answer_is_not_retried(deployment: Deployment, client: IDPClient, clock: Clock, error_type: str) -> None:
    deployment.answers["createFinetuningJob"] = Refusal(error_type)
    with pytest.raises(IDPError):
        create(client)
    assert len(deployment.calls) == 1


def test_the_server_says_when_to_come_again(deployment: Deployment, client: IDPClient, clock: Clock) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    deployment.answers["listFinetuningJobs"] = [
        Disturbance(Response(429, headers={"Retry-After": "7"})),
        Disturbance(Response(503, headers={"Retry-After": soon})),
        Disturbance(Response(503, headers={"Retry-After": "in a while"})),
        page(),
    ]
    list_jobs(client)
    assert clock.slept[0] == 7
    assert 25 < clock.slept[1] <= 30
    assert clock.slept[2] <= 2


def test_a_server_that_asks_for_an_hour_is_not_waited_for(
    deployment: Deployment, client: IDPClient, clock: Clock
) -> None:
    deployment.answers["listFinetuningJobs"] = Disturbance(Response(429, headers={"Retry-After": "3600"}))
    with pytest.raises(Throttled):
        list_jobs(client)
    assert clock.slept == []


@pytest.mark.parametrize(
    "answer",
    [Response(200, text="<html>hello</html>"), Response(404, json={"message": "Not Found"}), Response(200, json=[])],
    ids=repr,
)
def test_an_address_that_is_no_api_is_told(deployment: Deployment, client: IDPClient, answer: Response) -> None:
    deployment.answers["listFinetuningJobs"] = Disturbance(answer)
    with pytest.raises(ServerError, match="graphqlUrl is the API's"):
        list_jobs(client)


def test_a_server_that_hangs_is_not_waited_for_beyond_the_timeout(deployment: Deployment, clock: Clock) -> None:
    deployment.answers["getFinetuningJob"] = job("TRAINING")
    patience: list[float] = []

    def handle(request: httpx.Request) -> Response:
        patience.append(request.extensions["timeout"]["read"])
        return deployment.handle(request)

    http = httpx.Client(transport=httpx.MockTransport(handle), timeout=60)
    client = IDPClient(graphql_url=API_URL, token="token-0", http_client=http)
    with pytest.raises(WaitTimeout):
        client.finetuning.wait_for_completion("job-1", poll_interval=50, timeout=100)
    client.finetuning.get_job("job-1")
    assert patience == [60, 50, 5, 60]


def test_a_failing_request_is_named_for_the_operators(deployment: Deployment, client: IDPClient, clock: Clock) -> None:
    failure = Response(500, headers={"x-amzn-RequestId": "11111111-2222"})
    deployment.answers["listFinetuningJobs"] = Disturbance(failure)
    with pytest.raises(ServerError, match=r"\(request 11111111-2222\)"):
        list_jobs(client)


def test_a_server_that_is_down_is_one_sentence(clock: Clock) -> None:
    with (
        IDPClient(graphql_url="http://127.0.0.1:9/graphql", token="t", retries=1) as client,
        pytest.raises(ConnectionFailed, match=r"http://127\.0\.0\.1:9 could not be reached .* Check that it runs"),
    ):
        list_jobs(client)
