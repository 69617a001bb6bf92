"""Whether a model may go live, by its evaluation."""

from __future__ import annotations

from collections.abc import Iterator

from idp_finetuning.classification.config_versions import ClassificationConfig
from idp_finetuning.evaluation.comparison import Verdict
from idp_finetuning.evaluation.plan import Contestant, ContestantKind
from idp_finetuning.evaluation.report import EvaluationReport
from idp_finetuning.wire import WireModel

# With fewer pages of a class, one page is ten points.
FEWEST_PAGES_OF_A_CLASS = 10


class GateResult(WireModel):
    """Whether an evaluation passes, and what speaks for or against it; classes with few pages are not judged."""

    passed: bool
    verdict: str | None
    sentence: str
    reasons: tuple[str, ...]
    not_judged: tuple[str, ...]


def judge_gate(
    report: EvaluationReport, *, minimum_gain: float, maximum_loss_per_class: float | None = None
) -> GateResult:
    """Hold the report against limits in shares (0.05 is 5 points).

    The gain is the lower limit of its interval, which is what is certain. The loss of a class is that of its recall.
    """
    against_base = report.comparison_with(ContestantKind.BASE_MODEL)
    failed: list[str] = []
    said: list[str] = []
    if against_base is None:
        failed.append("The base model has no scores, so that no gain is known.")
    else:
        lower = against_base.comparison.difference.lower
        words = f"The gain is {100 * lower:+.1f} points at least, {100 * minimum_gain:g} are asked for."
        (said if lower >= minimum_gain else failed).append(words)
    if maximum_loss_per_class is not None:
        for name, loss in _losses(report):
            if loss > maximum_loss_per_class:
                failed.append(
                    f"Class '{name}' loses {100 * loss:.1f} points of recall, {100 * maximum_loss_per_class:g} are "
                    "allowed."
                )
    return GateResult(
        passed=not failed,
        verdict=against_base.comparison.verdict if against_base else None,
        sentence=report.sentence,
        reasons=(*failed, *said),
        not_judged=tuple(_small_classes(report)) if maximum_loss_per_class is not None else (),
    )


def refuse_activation(
    report: EvaluationReport, wanted: ClassificationConfig, active: ClassificationConfig
) -> str | None:
    """Return why a version may not become active if it has to be proven better, or None if it may.

    It has to be what the evaluation asked: the custom model with its prompt and temperature. It is held against the
    version that is active now; if that has no classes and so cannot classify, against the base model.
    """
    asked = {item.kind: item.asked_as for item in report.contestants}
    if Contestant.of_version(wanted).digest != asked.get(ContestantKind.CUSTOM_MODEL):
        return "It is not what was evaluated: another prompt, other classes, or another temperature than 0."
    in_use = Contestant.of_version(active).digest
    if in_use == asked.get(ContestantKind.CUSTOM_MODEL):
        return None
    if not active.classes or in_use == asked.get(ContestantKind.BASE_MODEL):
        compared = report.comparison_with(ContestantKind.BASE_MODEL)
    elif in_use == asked.get(ContestantKind.ACTIVE_VERSION):
        compared = report.comparison_with(ContestantKind.ACTIVE_VERSION)
    else:
        return "The evaluation did not ask the version that is active now. Evaluate the job again."
    if compared is None:
        return report.sentence
    return None if compared.comparison.verdict is Verdict.BETTER else compared.sentence


def _losses(report: EvaluationReport) -> Iterator[tuple[str, float]]:
    """Yield the loss of recall of each class with enough pages."""
    custom, base = (_recalls(report, kind) for kind in (ContestantKind.CUSTOM_MODEL, ContestantKind.BASE_MODEL))
    for name, (recall, support) in custom.items():
        if name in base and support >= FEWEST_PAGES_OF_A_CLASS:
            yield name, base[name][0] - recall


def _small_classes(report: EvaluationReport) -> list[str]:
    return [
        name
        for name, (_, support) in _recalls(report, ContestantKind.CUSTOM_MODEL).items()
        if support < FEWEST_PAGES_OF_A_CLASS
    ]


def _recalls(report: EvaluationReport, kind: ContestantKind) -> dict[str, tuple[float, int]]:
    scores = next((item.pages for item in report.contestants if item.kind is kind), None)
    return {item.name: (item.recall, item.support) for item in scores.classes} if scores else {}
