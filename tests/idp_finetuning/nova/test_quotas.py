"""Warnings of quotas: at the quota and one below it, with the account's own figure or one an operator may correct."""

from __future__ import annotations

import pytest

from idp_finetuning.nova.quotas import AccountUsage, ListedQuota, known_quotas

NOTHING = AccountUsage(custom_models=0, customization_jobs=0, deployments=0)
# As accounts list them, among others that look alike.
LISTED = tuple(
    ListedQuota(code=code, name=name, most=most)
    for code, name, most in (
        ("L-C02E1E99", "Custom models with a creating status per account", 2),
        ("L-CB5B847D", "Custom models per account", 40),
        ("L-0406044C", "(Model customization) Scheduled customization jobs", 4),
        ("L-11111111", "In-progress custom model deployments", 2),
        ("L-22222222", "Total custom model deployments", 3),
    )
)
OWN = {"custom_models": 40, "customization_jobs": 4, "deployments": 3}


def warnings(thing: str, held: int, listed: tuple[ListedQuota, ...] | None) -> tuple[str, ...]:
    """Warnings of an account that holds only this."""
    return known_quotas().nearly_used_up(NOTHING.model_copy(update={thing: held}), listed)


@pytest.mark.parametrize("listed", [None, (), LISTED], ids=["not asked", "not listed", "listed"])
@pytest.mark.parametrize("thing", AccountUsage.model_fields)
@pytest.mark.parametrize(("left", "warned"), [(2, False), (1, True), (0, True), (-1, True)])
def test_a_quota_is_warned_of_when_one_more_fills_it(
    thing: str, left: int, warned: bool, listed: tuple[ListedQuota, ...] | None
) -> None:
    quota = getattr(known_quotas(), thing)
    held = (OWN[thing] if listed else quota.most) - left
    found = warnings(thing, held, listed)
    assert [f"This account holds {held} {quota.name}" in words for words in found] == [True] * warned


@pytest.mark.parametrize(
    ("listed", "words"),
    [
        (LISTED, "and the quota is 40, as Service Quotas says. Delete what you do not need"),
        ((), "and the quota is about 100; Service Quotas does not list it, so quotas.json says so. Delete"),
        (None, "and the quota is about 100; Service Quotas could not be asked, so quotas.json says so. Delete"),
    ],
)
def test_a_warning_says_where_its_figure_is_from(listed: tuple[ListedQuota, ...] | None, words: str) -> None:
    (warning,) = warnings("custom_models", 100, listed)
    assert words in warning


@pytest.mark.parametrize(
    ("row", "found"),
    [
        (ListedQuota(code="L-CB5B847D", name="renamed", most=7), 7),
        (ListedQuota(code="L-99999999", name="CUSTOM MODELS PER ACCOUNT (new)", most=8), 8),
        (ListedQuota(code="L-C02E1E99", name="Custom models with a creating status per account", most=2), None),
    ],
)
def test_a_quota_is_found_by_its_code_or_by_its_name(row: ListedQuota, found: int | None) -> None:
    own = known_quotas().custom_models.find_in([row])
    assert (own.most if own else None) == found


def test_the_code_goes_before_the_name() -> None:
    renamed = ListedQuota(code="L-CB5B847D", name="renamed", most=7)
    own = known_quotas().custom_models.find_in(
        [ListedQuota(code="L-1", name="Custom models per account", most=1), renamed]
    )
    assert own == renamed


def test_an_account_has_room_for_a_hundred_models_and_what_is_not_known_for_sure_says_so() -> None:
    """100 is AWS's default; the others were reported only."""
    quotas = known_quotas()
    assert quotas.custom_models.most == 100
    for quota in (quotas.customization_jobs, quotas.deployments):
        assert quota.source.startswith("UNVERIFIED: ")
