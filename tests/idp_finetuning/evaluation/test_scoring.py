"""The report of an evaluation: who is scored, on which documents, and which pages are named."""

from __future__ import annotations

from typing import Any

import pytest

from idp_finetuning.classification.classification import ClassifiedPage
from idp_finetuning.classification.config_versions import ClassificationConfig
from idp_finetuning.evaluation.comparison import Verdict
from idp_finetuning.evaluation.gate import judge_gate, refuse_activation
from idp_finetuning.evaluation.plan import (
    Contestant,
    ContestantKind,
    DocumentAnswers,
    answer_always,
    choose_documents,
    majority_class,
    page_digest,
)
from idp_finetuning.evaluation.report import EvaluatedPage, EvaluationReport
from idp_finetuning.evaluation.scoring import OTHER_CLASS, make_report
from idp_finetuning.nova.prompt import Boundary
from idp_finetuning.test_sets.sections import Section
from tests.support.domain.evaluated import (
    BASE,
    CUSTOM,
    PROMPT,
    RUN,
    answer,
    documents,
    evaluation_report,
    pages_of_report,
    plan,
)


def report_of(custom: dict[str, DocumentAnswers], base: dict[str, DocumentAnswers]) -> EvaluationReport:
    return make_report(RUN, plan(), documents(), {CUSTOM.digest: custom, BASE.digest: base}, created_at="t")


def right(*, but: dict[str, DocumentAnswers] | None = None) -> dict[str, DocumentAnswers]:
    return {item.document_id: answer(item.sections[0].class_name) for item in documents()} | (but or {})


def test_every_contestant_is_scored_and_the_verdict_is_against_the_base_model() -> None:
    report = evaluation_report()
    scores = {item.kind: item.accuracy.value for item in report.contestants if item.accuracy}
    assert scores == {"CUSTOM_MODEL": 11 / 12, "BASE_MODEL": 0.25, "MAJORITY_CLASS": 0.5}
    compared = report.comparison_with(ContestantKind.BASE_MODEL)
    assert compared
    assert compared.sentence == report.sentence
    assert compared.comparison.verdict is Verdict.BETTER  # nine documents better, one worse: p is 0.0215
    assert report.sentence.startswith(
        "The custom model is better than the base model with the same prompt: +66.7 points"
    )


def test_pages_to_look_at_are_named_the_broken_ones_first() -> None:
    same_wrong = {"d1": answer("invoice")}
    report = report_of(
        right(but={"d0": answer("letter"), "d2": answer(None), **same_wrong}),
        right(but={"d2": answer("letter"), "d4": answer("letter"), **same_wrong}),
    )
    named = [(item.finding, item.path, item.page, item.label, item.custom, item.base) for item in report.findings]
    assert named == [
        ("BROKEN", "invoice/0.pdf", 1, "invoice", "letter", "invoice"),
        ("SUSPECTED_LABEL", "letter/1.pdf", 1, "letter", "invoice", "invoice"),
        ("BOTH_WRONG", "invoice/2.pdf", 1, "invoice", None, "letter"),
        ("FIXED", "invoice/4.pdf", 1, "invoice", "invoice", "letter"),
    ]
    assert report.findings_count == 4


def test_a_class_that_no_label_has_is_counted_and_not_named() -> None:
    secret = {"d0": answer("merger"), "d1": answer("acquisition")}
    report = report_of(right(but=secret), right(but={"d0": answer("merger")}))
    assert "merger" not in report.model_dump_json()
    assert "acquisition" not in report.model_dump_json()
    custom = next(item for item in report.contestants if item.kind is ContestantKind.CUSTOM_MODEL)
    assert custom.pages
    assert [(item.truth, item.pages) for item in custom.pages.confusions if item.given == OTHER_CLASS] == [
        ("invoice", 1),
        ("letter", 1),
    ]
    assert custom.pages.right == 10


def test_all_are_scored_on_the_documents_that_all_answered_and_the_others_are_named() -> None:
    silent = {"d1": DocumentAnswers(reason="Bedrock refused it."), "d2": DocumentAnswers()}
    report = report_of(right(), right(but=silent))
    assert report.documents == 10
    assert {item.documents for item in report.contestants} == {10}
    assert [(item.path, item.reason.partition(": ")[2]) for item in report.left_out] == [
        ("letter/1.pdf", "Bedrock refused it."),
        ("invoice/2.pdf", "Asking left no result. Evaluate again."),
    ]


def test_who_answered_too_little_is_not_compared_and_takes_no_documents_from_the_others() -> None:
    report = report_of(right(), {"d0": answer("invoice")})
    base = next(item for item in report.contestants if item.kind is ContestantKind.BASE_MODEL)
    assert (report.documents, report.left_out) == (12, ())
    assert base.accuracy is None
    assert base.reason
    assert "not known" in report.sentence


@pytest.mark.parametrize("given", [{}, {"d0": DocumentAnswers(reason="The model is gone.")}])
def test_without_the_custom_model_there_is_no_report(given: dict[str, DocumentAnswers]) -> None:
    with pytest.raises(ValueError, match=r"The model is gone|left no result"):
        report_of(given, right())


def test_answers_of_another_number_than_pages_do_not_count() -> None:
    doubled = right()["d0"].answers * 2
    report = report_of(right(but={"d0": DocumentAnswers(answers=doubled)}), right())
    assert [item.path for item in report.left_out] == ["invoice/0.pdf"]


def test_contestants_are_equal_if_they_are_asked_the_same() -> None:
    same = Contestant(kind=ContestantKind.ACTIVE_VERSION, model=BASE.model, prompt=PROMPT, temperature=0)
    assert same.digest == BASE.digest
    assert same.model_copy(update={"temperature": 0.5}).digest != BASE.digest
    assert page_digest(b"a", "") != page_digest(b"a", "text") != page_digest(b"b", "text")


def test_documents_are_drawn_of_each_class_in_turn_up_to_the_maximum_and_always_the_same() -> None:
    many = documents(40)
    chosen, left_out = choose_documents(many, maximum_pages=10)
    assert [item.sections[0].class_name for item in chosen].count("letter") == 5
    assert len(left_out) == 30
    assert choose_documents(many[::-1], maximum_pages=10)[0] == chosen[::-1]


def test_the_majority_class_is_that_of_most_training_pages() -> None:
    letter, invoice = Section(class_name="letter"), Section(class_name="invoice", page_indices=(0, 1))
    assert majority_class([([letter], 1), ([letter], 1), ([invoice], 3)]) == "invoice"
    assert majority_class([([letter], 3), ([invoice], 2)]) == "letter"
    assert [page.boundary for page in answer_always("letter", 3)] == [Boundary.START] + [Boundary.CONTINUE] * 2


# ---- The gate


def test_the_gate_holds_the_lower_limit_of_the_gain_against_what_is_asked_for() -> None:
    report = report_of(right(), right(but={f"d{number}": answer(None) for number in range(10)}))
    compared = report.comparison_with(ContestantKind.BASE_MODEL)
    assert compared
    lower = compared.comparison.difference.lower
    assert 0 < lower < compared.comparison.difference.value
    assert judge_gate(report, minimum_gain=lower).passed
    refused = judge_gate(report, minimum_gain=lower + 0.01)
    assert not refused.passed
    assert f"{100 * lower:+.1f} points at least" in refused.reasons[0]


def test_the_gate_judges_the_loss_of_classes_with_enough_pages_only() -> None:
    asked = documents(40)
    truth = {item.document_id: answer(item.sections[0].class_name) for item in asked}
    lost = truth | {
        item.document_id: answer("letter") for item in asked[:8] if item.sections[0].class_name == "invoice"
    }
    answers = {CUSTOM.digest: lost, BASE.digest: truth}
    report = make_report(RUN, plan(), asked, answers, created_at="t")
    assert judge_gate(report, minimum_gain=-1, maximum_loss_per_class=0.2).passed
    refused = judge_gate(report, minimum_gain=-1, maximum_loss_per_class=0.19)
    assert not refused.passed
    assert "Class 'invoice' loses 20.0 points of recall" in refused.reasons[0]
    few = report_of(right(but={"d0": answer(None)}), right())
    assert judge_gate(few, minimum_gain=-1, maximum_loss_per_class=0).not_judged == ("invoice", "letter")


WANTED = ClassificationConfig(model=CUSTOM.model, model_name="m", temperature=0.0, **dict(PROMPT))
LIVE = ClassificationConfig(model="us.amazon.nova-pro-v1:0", model_name="p", temperature=0.5, **dict(PROMPT))
BASE_LIVE = WANTED.model_copy(update={"model": BASE.model})
UNUSED = LIVE.model_copy(update={"classes": ()})


def against_live(wrong: int) -> EvaluationReport:
    """The custom model right, the base model wrong, and the active version wrong on so many documents."""
    live = Contestant.of_version(LIVE)
    wrongs = {f"d{number}": answer(None) for number in range(12)}
    answers = {
        CUSTOM.digest: right(),
        BASE.digest: right(but=wrongs),
        live.digest: right(but=dict(list(wrongs.items())[:wrong])),
    }
    return make_report(RUN, plan(CUSTOM, BASE, live), documents(), answers, created_at="t")


@pytest.mark.parametrize(
    ("active", "wrong", "refused"),
    [
        (LIVE, 12, None),
        (LIVE, 2, "not proven that the custom model is better than the active configuration version"),
        (UNUSED, 0, None),  # it cannot classify, so the base model counts
        (BASE_LIVE, 0, None),
        (WANTED, 0, None),  # it is live
        (LIVE.model_copy(update={"temperature": 0.7}), 12, "did not ask the version that is active now"),
    ],
)
def test_an_activation_is_held_against_what_is_active_now(
    active: ClassificationConfig, wrong: int, refused: str | None
) -> None:
    said = refuse_activation(against_live(wrong), WANTED, active)
    assert said is None if refused is None else refused in str(said)


@pytest.mark.parametrize("change", [{"temperature": 0.5}, {"task_prompt": "t"}, {"classes": PROMPT.classes[:1]}])
def test_only_what_was_evaluated_passes_for_it(change: dict[str, Any]) -> None:
    assert "not what was evaluated" in str(refuse_activation(against_live(12), WANTED.model_copy(update=change), LIVE))


def test_without_the_base_model_the_gate_does_not_open() -> None:
    report = report_of(right(), {})
    assert not judge_gate(report, minimum_gain=-1).passed


def test_packets_and_single_documents_are_scored_apart_if_there_are_both() -> None:
    packets = [
        item.model_copy(
            update={
                "pages": 2,
                "sections": (
                    Section(class_name="invoice", page_indices=(0,)),
                    Section(class_name="letter", page_indices=(1,)),
                ),
            }
        )
        for item in documents(3)
    ]
    singles = documents()[3:]
    pages = (
        ClassifiedPage(number=1, class_name="invoice", boundary=Boundary.START),
        ClassifiedPage(number=2, class_name="invoice", boundary=Boundary.CONTINUE),
    )
    given = {item.document_id: DocumentAnswers(answers=pages) for item in packets}
    given |= {item.document_id: answer(item.sections[0].class_name) for item in singles}
    custom = make_report(RUN, plan(), [*packets, *singles], {CUSTOM.digest: given}, created_at="t").contestants[0]
    assert [(item.part, item.documents, item.accuracy.value, item.exact_sections.value) for item in custom.parts] == [
        ("PACKETS", 3, 0.5, 0.0),
        ("SINGLE_DOCUMENTS", 9, 1.0, 1.0),
    ]
    assert [item.parts for item in evaluation_report().contestants] == [(), (), ()]


def test_a_report_of_before_there_were_names_has_them_by_the_kind() -> None:
    report = evaluation_report()
    stored = report.to_wire()
    for comparison in stored["comparisons"]:
        del comparison["name"]
    assert EvaluationReport.model_validate(stored) == report
    page = pages_of_report()[0]
    old = page.to_wire()
    for given in old["answers"]:
        del given["name"]
    assert EvaluatedPage.model_validate(old) == page
