"""Warnings of quotas: at the quota and one below it, with the figure an operator may correct."""

from __future__ import annotations

import pytest

from idp_finetuning.nova.quotas import AccountUsage, known_quotas

NOTHING = AccountUsage(custom_models=0, customization_jobs=0, deployments=0)


@pytest.mark.parametrize("thing", AccountUsage.model_fields)
@pytest.mark.parametrize(("left", "warned"), [(2, False), (1, True), (0, True), (-1, True)])
def test_a_quota_is_warned_of_when_one_more_fills_it(thing: str, left: int, warned: bool) -> None:
    quota = getattr(known_quotas(), thing)
    held = quota.most - left
    warnings = known_quotas().nearly_used_up(NOTHING.model_copy(update={thing: held}))
    assert [f"This account holds {held} {quota.name}" in words for words in warnings] == [True] * warned


def test_an_account_has_room_for_a_hundred_models_and_what_is_not_known_for_sure_says_so() -> None:
    """Service Quotas has the first as L-CB5B847D; the others were seen in one account each."""
    quotas = known_quotas()
    assert quotas.custom_models.most == 100
    for quota in (quotas.customization_jobs, quotas.deployments):
        assert quota.source.startswith("UNVERIFIED: ")
