"""Bedrock's quotas that a job can meet; the figures are in quotas.json, which an operator may edit."""

from __future__ import annotations

from functools import cache
from importlib import resources

from idp_finetuning.wire import WireModel


class AccountUsage(WireModel):
    """How much an account holds of each resource with a quota, no matter who created it."""

    custom_models: int
    customization_jobs: int
    deployments: int


class Quota(WireModel):
    """How much an account may hold, and where the figure is from."""

    name: str
    most: int
    source: str


class Quotas(WireModel):
    """The quota of each resource."""

    custom_models: Quota
    customization_jobs: Quota
    deployments: Quota

    def nearly_used_up(self, usage: AccountUsage) -> tuple[str, ...]:
        """Return a warning for each quota that is full, or full with one more."""
        warnings = []
        for resource in AccountUsage.model_fields:
            quota: Quota = getattr(self, resource)
            held: int = getattr(usage, resource)
            if held >= quota.most - 1:
                warnings.append(
                    f"This account holds {held} {quota.name}, and Bedrock's quota is about {quota.most}. Delete what "
                    "you do not need or ask AWS for a higher quota; otherwise the job may fail or wait. Service Quotas "
                    "shows your account's figure."
                )
        return tuple(warnings)


@cache
def known_quotas() -> Quotas:
    """Return the quotas of quotas.json."""
    return Quotas.model_validate_json(
        resources.files("idp_finetuning.nova").joinpath("quotas.json").read_text(encoding="utf-8")
    )
