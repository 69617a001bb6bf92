"""Options are checked before anything is built, and a wrong one is one clear sentence."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stacks.options import OptionInvalid, read_options
from tests.support.stacks.synthesis import ROOT

SHIPPED: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]


def test_the_shipped_context_creates_everything_itself() -> None:
    options = read_options(SHIPPED, {})
    assert (options.name_prefix, options.architecture, options.removal) == ("idp-finetuning", "arm64", "retain")
    attached = (options.test_set_bucket_name, options.test_set_bucket_kms_key_arn, options.user_pool_id)
    assert attached == (None, None, None)


def test_the_shipped_context_names_every_option_but_the_region() -> None:
    own = {name for name in SHIPPED if not name.startswith("@")}
    assert own == set(read_options({}, {}).model_dump(by_alias=True)) - {"region"}


@pytest.mark.parametrize(
    ("context", "environment"),
    [
        ({"region": "eu-central-1"}, {}),
        ({"region": "us-west-2"}, {"CDK_DEFAULT_REGION": "us-east-1"}),
        ({}, {"CDK_DEFAULT_REGION": "eu-central-1"}),
        ({}, {"AWS_REGION": "ap-south-1"}),
        ({}, {"AWS_DEFAULT_REGION": "us-east-2"}),
    ],
)
def test_any_other_region_is_refused_in_one_sentence(context: dict[str, str], environment: dict[str, str]) -> None:
    with pytest.raises(OptionInvalid) as refused:
        read_options(context, environment)
    message = str(refused.value)
    assert "us-east-1 only" in message
    assert next(value for value in [*context.values(), *environment.values()]) in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("context", "environment"),
    [({}, {}), ({}, {"CDK_DEFAULT_REGION": "us-east-1"}), ({"region": "us-east-1"}, {"AWS_REGION": "eu-west-1"})],
)
def test_us_east_1_is_the_default_and_a_choice_in_the_context_wins(
    context: dict[str, str], environment: dict[str, str]
) -> None:
    assert read_options(context, environment).region == "us-east-1"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"nameprefix": "x"}, "Context key 'nameprefix' is not known; the keys are alarmEmail, apiRequestsPerAddress"),
        ({"namePrefix": "Acme_"}, "Context key 'namePrefix' cannot be 'Acme_'"),
        ({"namePrefix": "a" * 31}, "Context key 'namePrefix'"),
        ({"architecture": "mips"}, "Context key 'architecture' cannot be 'mips'"),
        ({"testSetBucketName": "Not A Bucket"}, "Context key 'testSetBucketName'"),
        ({"testSetBucketKmsKeyArn": "arn:aws:kms:us-east-1:123456789012:key/abc"}, "testSetBucketName"),
        ({"userPoolClientId": "4q5example"}, "userPoolClientId is only for a pool named by userPoolId"),
        ({"userPoolId": "eu-west-1_AbCdEf123"}, "Context key 'userPoolId'"),
        ({"apiRequestsPerAddress": "5"}, "Context key 'apiRequestsPerAddress"),
        ({"resolverConcurrency": "0"}, "Context key 'resolverConcurrency"),
        ({"alarmEmail": "nobody"}, "Context key 'alarmEmail' cannot be 'nobody'"),
        ({"defaultScope": "some"}, "Context key 'defaultScope' cannot be 'some'"),
        ({"removal": "maybe"}, "Context key 'removal' cannot be 'maybe'"),
        ({"logRetentionDays": "8"}, "one of 1, 3, 5, 7"),
        ({"mapConcurrency": "1"}, "Context key 'mapConcurrency' cannot be '1'"),
        ({"trainingPollSeconds": "30"}, "raise trainingPollSeconds or deploymentPollSeconds, or lower trainingHours"),
        ({"deploymentPollSeconds": "10", "deploymentHours": "24"}, "raise trainingPollSeconds"),
        ({"deploymentHours": "0"}, "Context key 'deploymentHours' cannot be '0'"),
        ({"trainingPollSeconds": "soon"}, "Context key 'trainingPollSeconds' cannot be 'soon'"),
    ],
)
def test_a_value_that_cannot_be_used_is_named(changes: dict[str, str], said: str) -> None:
    with pytest.raises(OptionInvalid) as refused:
        read_options({**SHIPPED, **changes}, {})
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_deadlines_and_polls_that_fit_an_execution_are_taken() -> None:
    changes = {"trainingPollSeconds": "30", "trainingHours": "12", "deploymentPollSeconds": "30"}
    assert read_options({**SHIPPED, **changes}, {}).training_hours == 12


def test_what_belongs_to_cdk_is_left_alone() -> None:
    context = {"aws:cdk:enable-path-metadata": True, "availability-zones:account=1:region=us-east-1": ["us-east-1a"]}
    assert read_options(context, {}).name_prefix == "idp-finetuning"


def test_the_app_ends_with_one_sentence_and_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    from app import main  # imports CDK, which tests that need no template are spared

    monkeypatch.delenv("CDK_DEFAULT_REGION", raising=False)
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    with pytest.raises(SystemExit) as ended:
        main()
    # Python prints a text in place of the code, and exits with 1.
    assert isinstance(ended.value.code, str)
    assert len(ended.value.code.strip().splitlines()) == 1
    assert "us-east-1" in ended.value.code
