"""Termination protection is switched on after a success only, and a removal says how to lift it."""

from __future__ import annotations

from typing import Any

import pytest

from stacks.options import OptionInvalid
from stacks.protection import ProtectionRefused, check, find_stack_name, protect, read_arguments
from tests.support.docs_pages import ROOT
from tests.support.domain.fake_bedrock import client_error


class FakeCloudFormation:
    """One stack, or none."""

    def __init__(self, status: str | None, *, protected: bool = False) -> None:
        self.stack = status and {"StackStatus": status, "EnableTerminationProtection": protected}

    def describe_stacks(self, *, StackName: str) -> dict[str, Any]:  # noqa: N803
        if not self.stack:
            raise client_error("DescribeStacks", "ValidationError")
        assert StackName == "acme"
        return {"Stacks": [self.stack]}

    def update_termination_protection(self, *, StackName: str, EnableTerminationProtection: bool) -> None:  # noqa: N803
        assert StackName == "acme"
        assert self.stack
        self.stack["EnableTerminationProtection"] = EnableTerminationProtection


@pytest.mark.parametrize("status", ["CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"])
def test_a_deployed_stack_is_protected_and_a_removal_then_says_how_to_lift_it(status: str) -> None:
    aws = FakeCloudFormation(status)
    assert check("acme", aws) == "Stack acme is not protected from removal."
    lift = (
        "aws cloudformation update-termination-protection --region us-east-1 --stack-name acme "
        "--no-enable-termination-protection"
    )
    assert protect("acme", aws).endswith(lift)
    with pytest.raises(ProtectionRefused, match="lift the protection") as refused:
        check("acme", aws)
    assert str(refused.value).endswith(lift)


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS", "CREATE_IN_PROGRESS", "DELETE_FAILED"])
def test_a_deployment_that_failed_is_not_protected_so_that_it_can_be_repeated(status: str) -> None:
    aws = FakeCloudFormation(status)
    with pytest.raises(ProtectionRefused, match=f"is {status}"):
        protect("acme", aws)
    assert check("acme", aws)


def test_a_stack_that_does_not_exist_is_named() -> None:
    with pytest.raises(ProtectionRefused, match="There is no stack acme in us-east-1"):
        check("acme", FakeCloudFormation(None))


@pytest.mark.parametrize(
    "flags", [["-c", "namePrefix=acme"], ["--context", "namePrefix=acme"], ["--context=namePrefix=acme", "--verbose"]]
)
def test_the_stack_is_the_one_that_the_options_of_the_cdk_cli_name(flags: list[str]) -> None:
    arguments = read_arguments(["check", *flags, "--profile", "prod", "--outputs-file", "out.json"])
    assert find_stack_name(arguments.context, {}) == "acme"
    assert arguments.profile == "prod"


def test_without_options_it_is_the_shipped_one_and_a_wrong_option_is_named() -> None:
    assert find_stack_name([], {}) == "idp-finetuning"
    with pytest.raises(OptionInvalid, match="nameprefix"):
        find_stack_name(["nameprefix=x"], {})


def test_make_protects_and_looks_before_it_removes() -> None:
    recipes = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "\nprotect: setup" in recipes
    destroy = recipes.split("\ndestroy: setup", 1)[1].split("\n\n", 1)[0]
    assert destroy.index("stacks.protection check") < destroy.index("$(CDK) destroy")
    assert "termination-protection" not in (ROOT / "cdk.json").read_text(encoding="utf-8")
