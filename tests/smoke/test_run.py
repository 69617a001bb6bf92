"""The recorder asks every question, records no account id, removes what it made, and its answers give the switches."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

from idp_local.bedrock.answers import Answers
from idp_local.bedrock.switches import DEFAULTS, Switches
from smoke.steps import Step
from tests.smoke.conftest import QUICK, Account

pytestmark = pytest.mark.xdist_group("smoke")

ENOUGH = Switches(nova_2_minimum_records=8)
DIFFERENT = Switches(
    absent_job="ValidationException",
    absent_model="AccessDeniedException",
    absent_deployment="ValidationException",
    visible_after=0.2,
    model_arn_after=0.5,
    s3_uri_echo="without slash",
    token_replay="ConflictException",
    first_job_statuses=("Queued",),
    last_deployment_statuses=("Updating",),
    deletion_status="Deleting",
    mutating="ConflictException",
    deletions_refused=1,
    nova_2_refuses=("learningRateWarmupSteps",),
    nova_2_validation_set=True,
    nova_2_minimum_records=8,
)

MakeAccount = Callable[[Switches], Account]


class Whole(NamedTuple):
    """A run from start to end on an account with these switches."""

    switches: Switches
    account: Account
    answers: Answers
    said: list[str]


def everything(_step: Step) -> bool:
    return True


def nothing(_step: Step) -> bool:
    return False


@pytest.fixture(scope="module", params=[ENOUGH, DIFFERENT], ids=["as by default", "different"])
def whole(request: pytest.FixtureRequest, make_account: MakeAccount) -> Whole:
    account = make_account(request.param)
    return Whole(request.param, account, *account.run(everything))


def test_the_answers_give_the_switches_that_the_run_met(whole: Whole) -> None:
    assert not any("failed" in line for line in whole.said)
    found, given = whole.answers.switches(), whole.switches
    rough = ("visible_after", "model_arn_after")
    exact = {name: value for name, value in found.model_dump().items() if name not in rough}
    assert exact == {name: getattr(given, name) for name in exact}
    for name in rough:
        assert getattr(found, name) == pytest.approx(getattr(given, name), abs=0.3)
    assert Answers.model_validate_json(whole.account.recorded()) == whole.answers


def test_a_record_identifies_nobody(whole: Whole) -> None:
    text = whole.account.recorded()
    assert "arn:aws:bedrock:us-east-1:000000000000:custom-model-deployment/" in text
    assert not re.search(r"123456789012|role/(?!REMOVED)|idp-finetuning-smoke", text)


def test_only_customization_jobs_are_left_and_named(whole: Whole) -> None:
    bedrock = whole.account.client("bedrock")
    assert bedrock.list_custom_models()["modelSummaries"] == []
    assert bedrock.list_custom_model_deployments()["modelDeploymentSummaries"] == []
    jobs = bedrock.list_model_customization_jobs()["modelCustomizationJobSummaries"]
    assert {job["status"] for job in jobs} <= {"Completed", "Stopped", "Stopping", "Failed"}
    named = {line.split()[-1] for line in whole.said if line.startswith("  customization job")}
    assert named == {job["jobArn"] for job in jobs}
    # Accounts of other tests in this process have buckets, too.
    buckets = [bucket["Name"] for bucket in whole.account.client("s3").list_buckets()["Buckets"]]
    assert [name for name in buckets if "smoke" in name] == []
    assert whole.account.client("iam").list_roles()["Roles"] == []
    assert not (whole.account.folder / "state.json").exists()


def test_a_run_on_a_bedrock_that_refuses_small_sets_says_so(make_account: MakeAccount) -> None:
    switches = Switches(nova_2_refuses=("batchSize",))
    answers, said = make_account(switches).run(everything)
    assert answers.switches() == switches
    assert any("needs at least 200" in line for line in said)
    assert not list(answers.asked("converse"))


def test_without_consent_nothing_is_trained(make_account: MakeAccount) -> None:
    answers, said = make_account(DEFAULTS).run(nothing)
    creating = {one.question for one in answers.exchanges if one.operation.startswith("Create")}
    assert creating == {"unknownHyperParameter"}
    assert sum(line.startswith("Left out") for line in said) == 2


def test_a_training_that_takes_longer_is_not_stopped_and_the_next_run_goes_on(make_account: MakeAccount) -> None:
    account = make_account(ENOUGH)
    before, said = account.run(everything, patience=replace(QUICK, training=0.1))
    assert "nothing was stopped or removed" in said[-1]
    answers, _ = account.run(nothing)
    assert answers.exchanges[: len(before.exchanges)] == before.exchanges
    assert len(list(answers.asked("train"))) == 1
    assert [one.error for one in answers.asked("converse")] == [None]


def test_expired_credentials_end_the_run_and_are_no_answer(make_account: MakeAccount) -> None:
    class Expired:
        def __getattr__(self, operation: str) -> Any:
            def refuse(**_: Any) -> None:
                raise ClientError({"Error": {"Code": "ExpiredTokenException", "Message": "expired"}}, operation)

            return refuse

    account = make_account(DEFAULTS)
    with pytest.raises(ClientError, match="expired"):
        account.run(everything, wrap=lambda service, made: Expired() if service == "bedrock" else made)
    assert (account.folder / "state.json").exists()
    assert not (account.folder / "answers").exists()
    answers, _ = account.run(nothing)
    assert list(answers.asked("absentJob"))
