"""Bedrock's quotas that a job can meet: the account's own figure if Service Quotas lists it, else quotas.json's."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import resources

from idp_finetuning.wire import WireModel


class AccountUsage(WireModel):
    """How much an account holds of each resource with a quota, no matter who created it."""

    custom_models: int
    customization_jobs: int
    deployments: int


class ListedQuota(WireModel):
    """A quota of this account as Service Quotas lists it."""

    code: str
    name: str
    most: int


class Quota(WireModel):
    """How much an account may hold unless Service Quotas says otherwise, and where the figure is from.

    Service Quotas lists it under `code` (None: not known), else under a name that contains `listed_as`.
    """

    name: str
    most: int
    code: str | None
    listed_as: str
    source: str

    def find_in(self, listed: Iterable[ListedQuota]) -> ListedQuota | None:
        """Return the account's own figure, or None if it is not listed."""
        by_name = None
        for quota in listed:
            if quota.code == self.code:
                return quota
            if self.listed_as.casefold() in quota.name.casefold():
                by_name = by_name or quota
        return by_name


class Quotas(WireModel):
    """The quota of each resource."""

    custom_models: Quota
    customization_jobs: Quota
    deployments: Quota

    def nearly_used_up(self, usage: AccountUsage, listed: tuple[ListedQuota, ...] | None) -> tuple[str, ...]:
        """Return a warning for each quota that is full, or full with one more.

        `listed` is what Service Quotas lists, None if it could not be asked.
        """
        warnings = []
        for resource in AccountUsage.model_fields:
            quota: Quota = getattr(self, resource)
            held: int = getattr(usage, resource)
            own = quota.find_in(listed or ())
            if held >= (own or quota).most - 1:
                if own:
                    figure = f"the quota is {own.most}, as Service Quotas says"
                else:
                    why = "could not be asked" if listed is None else "does not list it"
                    figure = f"the quota is about {quota.most}; Service Quotas {why}, so quotas.json says so"
                warnings.append(
                    f"This account holds {held} {quota.name}, and {figure}. Delete what you do not need or ask AWS for "
                    "a higher quota; otherwise the job may fail or wait."
                )
        return tuple(warnings)


@cache
def known_quotas() -> Quotas:
    """Return the quotas of quotas.json, which an operator may edit."""
    return Quotas.model_validate_json(
        resources.files("idp_finetuning.nova").joinpath("quotas.json").read_text(encoding="utf-8")
    )
