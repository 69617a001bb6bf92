"""Converse with patience: what passes is waited out with growing waits, what lasts is said at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from idp_finetuning.adapters.converse import LONGEST_WAIT_SECONDS, Converse
from idp_finetuning.errors import AwsCallRefused, TransientError
from idp_finetuning.nova.prices import Usage
from idp_finetuning.nova.prompt import DocumentClass, Prompt
from tests.support.domain.fake_converse import INPUT_TOKENS, OUTPUT_TOKENS, FakeConverse, label

REQUEST = Prompt(classes=(DocumentClass(name="invoice"),)).converse_request("us.amazon.nova-lite-v1:0", b"jpeg")


class Waits:
    """Sleeps for nobody; time passes all the same."""

    def __init__(self, seconds: float = 800) -> None:
        self.left = seconds
        self.waited: list[float] = []
        self.given_up = False

    def wait(self, seconds: float) -> bool:
        self.waited.append(seconds)
        self.left -= seconds
        return self.given_up

    def seconds_left(self) -> float:
        return self.left


def ask(model: Any, waits: Waits) -> str:
    return Converse(model).answer(REQUEST, seconds_left=waits.seconds_left, wait=waits.wait).text


@pytest.fixture(autouse=True)
def longest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every wait is as long as it may be."""
    monkeypatch.setattr("idp_finetuning.adapters.converse.random.uniform", lambda _, longest: longest)


def test_what_bedrock_counted_comes_with_the_answer() -> None:
    waits = Waits()
    said = Converse(FakeConverse()).answer(REQUEST, seconds_left=waits.seconds_left, wait=waits.wait)
    assert said.usage == Usage(calls=1, input_tokens=INPUT_TOKENS, output_tokens=OUTPUT_TOKENS)


def test_waits_grow_up_to_a_limit() -> None:
    model, waits = FakeConverse(), Waits()
    model.failures = ["ThrottlingException"] * 8
    assert ask(model, waits) == label("invoice")
    assert waits.waited == [1, 2, 4, 8, 16, *[LONGEST_WAIT_SECONDS] * 3]


def test_no_wait_goes_beyond_the_time_there_is() -> None:
    model, waits = FakeConverse(), Waits(30)
    model.failures = ["ThrottlingException"] * 100
    with pytest.raises(TransientError, match=r"throttled the model 'us\.amazon\.nova-lite-v1:0' on every attempt"):
        ask(model, waits)
    assert waits.waited == [1, 2, 4, 8]
    assert waits.left >= 0


def test_whoever_waits_is_told_that_the_document_was_given_up() -> None:
    model, waits = FakeConverse(), Waits()
    waits.given_up = True
    model.failures = ["ThrottlingException"] * 100
    with pytest.raises(TransientError):
        ask(model, waits)
    assert len(model.requests) == 1


def test_what_lasts_is_not_asked_again() -> None:
    model, waits = FakeConverse(), Waits()
    model.failures = ["ValidationException"]
    with pytest.raises(AwsCallRefused, match=r"\(ValidationException\): Bedrock's own words\."):
        ask(model, waits)
    assert waits.waited == []


@pytest.fixture
def flexible(monkeypatch: pytest.MonkeyPatch) -> FakeConverse:
    """A model in a process that has not asked for the flex tier yet."""
    monkeypatch.setattr("idp_finetuning.adapters.converse._without_flex", set())
    return FakeConverse()


def ask_flexibly(model: FakeConverse, waits: Waits) -> list[bool]:
    """Ask once; of each request whether it was one of the flex tier."""
    before = len(model.requests)
    said = Converse(model).answer(REQUEST, seconds_left=waits.seconds_left, wait=waits.wait, flex=True)
    assert said.text == label("invoice")
    return ["serviceTier" in request for request in model.requests[before:]]


def test_the_flex_tier_is_asked_where_it_is_taken(flexible: FakeConverse) -> None:
    assert [ask_flexibly(flexible, Waits()) for _ in range(2)] == [[True], [True]]
    assert flexible.requests[0]["serviceTier"] == {"type": "flex"}


@pytest.mark.parametrize("code", ["ValidationException", "AccessDeniedException", "ResourceNotFoundException"])
def test_a_model_that_refuses_the_flex_tier_is_asked_without_it_from_then_on(flexible: FakeConverse, code: str) -> None:
    flexible.failures = [code]
    waits = Waits()
    assert [ask_flexibly(flexible, waits) for _ in range(2)] == [[True, False], [False]]
    assert waits.waited == []


def test_a_refusal_that_has_nothing_to_do_with_the_tier_is_told_and_not_remembered(flexible: FakeConverse) -> None:
    flexible.failures = ["ValidationException"] * 2
    with pytest.raises(AwsCallRefused):
        ask_flexibly(flexible, Waits())
    assert ask_flexibly(flexible, Waits()) == [True]


def test_a_flex_tier_that_keeps_failing_gives_way_to_the_standard_tier(flexible: FakeConverse) -> None:
    flexible.failures = ["ThrottlingException", "ServiceUnavailableException", "ModelTimeoutException"]
    waits = Waits()
    assert ask_flexibly(flexible, waits) == [True, True, True, False]
    assert waits.waited == [1, 2, 4]
    assert ask_flexibly(flexible, waits) == [True]


def test_no_call_begins_after_the_time_there_is_whatever_the_tier(flexible: FakeConverse) -> None:
    flexible.failures = ["ThrottlingException"] * 4
    with pytest.raises(TransientError):
        ask_flexibly(flexible, Waits(3))
    assert len(flexible.requests) == 3


def test_a_lost_connection_is_made_again() -> None:
    class Unreachable:
        def __init__(self, failures: Iterator[Exception]) -> None:
            self._failures = failures

        def converse(self, **request: Any) -> Any:
            for failure in self._failures:
                raise failure
            return FakeConverse().converse(**request)

    failures = iter([EndpointConnectionError(endpoint_url="x"), ReadTimeoutError(endpoint_url="x")])
    assert ask(Unreachable(failures), Waits()) == label("invoice")
