"""A comparison as a sentence that people read."""

from __future__ import annotations

from idp_finetuning.evaluation.comparison import Comparison, Metric, Verdict
from idp_finetuning.evaluation.uncertainty import FEWEST_DIFFERING

_THINGS = {Metric.PAGES: "pages with the right class", Metric.SECTIONS: "sections found exactly"}


def verdict_sentence(comparison: Comparison, first: str, second: str) -> str:
    """Say what is proven about `second` beside `first`, both named with their article, with the numbers."""
    difference = comparison.difference
    numbers = (
        f"{_points(difference.value)} in {_THINGS[comparison.metric]} (95 % interval {100 * difference.lower:+.1f} to "
        f"{_points(difference.upper)}, {_p_value(comparison.p_value)}, "
        f"{comparison.units} document{'s' if comparison.units > 1 else ''})"
    )
    begin = {
        Verdict.BETTER: f"{second} is better than {first}",
        Verdict.WORSE: f"{second} is worse than {first}",
        Verdict.NO_WORSE: f"{second} is no worse than {first} by more than {100 * comparison.margin:g} points",
        Verdict.NOT_PROVEN: f"It is not proven that {second} is better than {first}",
    }[comparison.verdict]
    return f"{begin[0].upper()}{begin[1:]}: {numbers}.{_what_was_possible(comparison)}"


def _what_was_possible(comparison: Comparison) -> str:
    if comparison.verdict in (Verdict.BETTER, Verdict.WORSE):
        return ""
    if comparison.detectable is None:
        count = comparison.differing_units
        return (
            f" The models differ on {count} document{'' if count == 1 else 's'}; below {FEWEST_DIFFERING} nothing can "
            "be proven. Evaluate on more documents."
        )
    return (
        f" An evaluation of this size finds a difference of {100 * comparison.detectable:.0f} points in four of five "
        "cases; more held-out documents find smaller ones."
    )


def _points(share: float) -> str:
    return f"{100 * share:+.1f} points"


def _p_value(value: float) -> str:
    return "p below 0.0001" if value < 0.0001 else f"p = {value:.4f}"
