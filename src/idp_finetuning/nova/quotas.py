"""Bedrock's quotas that a job can meet; the figures stand in quotas.json, which an operator may edit."""

from __future__ import annotations

from functools import cache
from importlib import resources

from idp_finetuning.wire import WireModel


class AccountUsage(WireModel):
    """How much an account holds of what has a quota, whoever made it."""

    custom_models: int
    customization_jobs: int
    deployments: int


class Quota(WireModel):
    """How much an account may hold, and where the figure is from."""

    name: str
    most: int
    source: str


class Quotas(WireModel):
    """The quota of each thing."""

    custom_models: Quota
    customization_jobs: Quota
    deployments: Quota

    def nearly_used_up(self, usage: AccountUsage) -> tuple[str, ...]:
        """A warning for each quota that is full, or that one more fills."""
        warnings = []
        for thing in AccountUsage.model_fields:
            quota: Quota = getattr(self, thing)
            held: int = getattr(usage, thing)
            if held >= quota.most - 1:
                warnings.append(
                    f"This account holds {held} {quota.name}, and Bedrock's quota is about {quota.most}. Delete what "
                    "is not needed or ask AWS for more, else the job may fail or wait. Service Quotas shows your "
                    "figure."
                )
        return tuple(warnings)


@cache
def known_quotas() -> Quotas:
    """The quotas of quotas.json."""
    return Quotas.model_validate_json(
        resources.files("idp_finetuning.nova").joinpath("quotas.json").read_text(encoding="utf-8")
    )
