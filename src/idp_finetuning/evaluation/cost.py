"""What an evaluation asked for costs: its own answers, and none that an earlier evaluation had stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from idp_finetuning.evaluation.plan import Contestant, DocumentAnswers, EvaluationPlan
from idp_finetuning.evaluation.report import ContestantScores
from idp_finetuning.nova.prices import Usage, prices


def usage_of(
    contestant: Contestant, plan: EvaluationPlan, answers: Mapping[str, Mapping[str, DocumentAnswers]]
) -> Usage:
    """Return what was asked of a contestant; of the custom model the pages that it was asked about twice, too."""
    digests = {contestant.digest} | ({plan.repetition.digest} if contestant.digest == plan.custom.digest else set())
    return sum((given.usage for digest in digests for given in answers.get(digest, {}).values()), Usage())


def cost_of(contestant: Contestant, usage: Usage) -> float | None:
    """Return US dollars, or None if there is no price of the contestant's base model."""
    price = prices().inference.get(contestant.base_model or "")
    return price.cost(usage) if price else None


def total_cost(contestants: Sequence[ContestantScores]) -> float | None:
    """Return US dollars, or None if a price is not known; contestants that share their answers count once."""
    asked = {item.asked_as: item for item in contestants if item.asked_as and item.usage.calls}
    costs = [item.cost for item in asked.values()]
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None
