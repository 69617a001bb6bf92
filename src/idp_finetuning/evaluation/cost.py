"""What an evaluation asked for costs: its own answers, and none that an earlier evaluation had stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from idp_finetuning.errors import CostTooHigh, PriceUnknown
from idp_finetuning.evaluation.plan import (
    Contestant,
    DocumentAnswers,
    EvaluatedDocument,
    EvaluationPlan,
)
from idp_finetuning.evaluation.report import ContestantScores
from idp_finetuning.nova.base_models import find_base_model
from idp_finetuning.nova.prices import Usage, prices
from idp_finetuning.nova.prompt import ANSWER_TOKENS
from idp_finetuning.training_data.examples import bound_tokens
from idp_finetuning.wire import WireModel


def usage_of(
    contestant: Contestant, plan: EvaluationPlan, answers: Mapping[str, Mapping[str, DocumentAnswers]]
) -> Usage:
    """Return what was asked of a contestant; of the first one the pages that it was asked about twice, too."""
    digests = {contestant.digest} | ({plan.repetition.digest} if contestant.digest == plan.first.digest else set())
    return sum((given.usage for digest in digests for given in answers.get(digest, {}).values()), Usage())


def cost_of(contestant: Contestant, usage: Usage) -> float | None:
    """Return US dollars, or None if there is no price of the contestant's base model."""
    price = prices().inference.get(contestant.base_model or "")
    return price.cost(usage) if price else None


class CostBound(WireModel):
    """What asking could cost at most: so many answers, and US dollars with the prices of a day.

    Each page counts with more tokens than it can have, and answers that are stored are counted, too. `cost` is None if
    the price of a model is not known; `without_price` names those.
    """

    pages: int
    answers: int
    cost: float | None
    without_price: tuple[str, ...] = ()
    prices_as_of: str


def bound_cost(contestants: Sequence[Contestant], *, pages: int, asked_twice: int) -> CostBound:
    """Return what asking about so many pages could cost; the first contestant is asked about some of them twice.

    Each byte of the prompt counts as a token; if the prompt has the text of the page, whose length is not known, a page
    has what the base model takes.
    """
    cost, answers, unknown = 0.0, 0, []
    for contestant in {item.digest: item for item in reversed(contestants)}.values():
        asked = pages + (asked_twice if contestant is contestants[0] else 0)
        tokens = bound_tokens(contestant.prompt)
        if contestant.prompt.needs_text and contestant.base_model:
            tokens = find_base_model(contestant.base_model).maximum_tokens_per_record
        usage = Usage(calls=asked, input_tokens=asked * tokens, output_tokens=asked * ANSWER_TOKENS)
        answers += asked
        of_contestant = cost_of(contestant, usage)
        if of_contestant is None:
            unknown.append(contestant.base_model or contestant.model)
        cost += of_contestant or 0
    return CostBound(
        pages=pages,
        answers=answers,
        cost=None if unknown else cost,
        without_price=tuple(unknown),
        prices_as_of=prices().as_of,
    )


def require_affordable(
    maximum_cost: float, contestants: Sequence[Contestant], documents: Sequence[EvaluatedDocument]
) -> None:
    """Raise CostTooHigh if asking about all pages could cost more US dollars, PriceUnknown if a price is not known."""
    bound = bound_cost(
        contestants,
        pages=sum(item.pages for item in documents),
        asked_twice=sum(item.asked_twice for item in documents),
    )
    if bound.cost is None:
        raise _unknown(bound.without_price[0])
    if bound.cost > maximum_cost:
        raise CostTooHigh(
            f"The evaluation could cost ${bound.cost:.4f} for {bound.answers:,} answers (prices of "
            f"{bound.prices_as_of}); maximumCost is ${maximum_cost:.4f}. Nothing was asked for. Raise maximumCost, or "
            "choose a smaller test set."
        )


def require_price(base_model: str) -> None:
    """Raise PriceUnknown if there is no price of the model with this id."""
    if base_model not in prices().inference:
        raise _unknown(base_model)


def _unknown(model: str) -> PriceUnknown:
    return PriceUnknown(
        f"No price of the model '{model}' is known, so maximumCost cannot be kept. Add it to prices.json and deploy "
        "again, or leave maximumCost out."
    )


def total_cost(contestants: Sequence[ContestantScores]) -> float | None:
    """Return US dollars, or None if a price is not known; contestants that share their answers count once."""
    asked = {item.asked_as: item for item in contestants if item.asked_as and item.usage.calls}
    costs = [item.cost for item in asked.values()]
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None
