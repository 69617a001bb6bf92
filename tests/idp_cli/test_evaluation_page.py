"""The report as a page: the API's figures, everything escaped, and no request to anywhere."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from html.parser import HTMLParser

import pytest

from idp_cli.evaluation_page import evaluation_page
from idp_cli.evaluation_text import evaluation_lines
from idp_finetuning.evaluation.plan import DocumentAnswers
from idp_finetuning.evaluation.report import EvaluationReport, Part, PartScores
from idp_finetuning.evaluation.scoring import make_report
from idp_finetuning.test_sets.sections import Section
from idp_finetuning.training_data.loss_curve import LossCurve, LossPoint
from tests.support.domain.evaluated import BASE, CUSTOM, RUN, answer, documents, evaluation_report, plan

EVIL = "<script>alert(1)</script>\"'&"


class Reader(HTMLParser):
    """Collects the tags with their attributes, and the text of each."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip() and self.open[-1] != "style":
            self.text.append(data.strip())


def evil_report() -> EvaluationReport:
    """Class names and paths from somebody who wants to run a script."""
    asked = [
        item.model_copy(update={"path": f"{EVIL}/{number}.pdf", "sections": (Section(class_name=EVIL),)})
        for number, item in enumerate(documents())
    ]
    answers = {item.document_id: answer("letter") for item in asked}
    refused = dict.fromkeys(answers, DocumentAnswers(reason=EVIL))
    return make_report(RUN, plan(), asked, {CUSTOM.digest: answers, BASE.digest: refused}, created_at="t")


def test_the_losses_are_drawn_and_described() -> None:
    points = tuple(LossPoint(step=step, epoch=1, loss=2 / step) for step in range(1, 6))
    page = evaluation_page(evaluation_report(), losses=LossCurve(training=points, validation=points[3:]))
    assert "training loss from 2.000 to 0.400; validation loss from 0.500 to 0.400" in page
    assert page.count("<polyline") == 2
    alone = evaluation_page(evaluation_report(), losses=LossCurve(training=points[:1]))
    assert alone.count("<polyline") == 0
    assert "training loss from 2.000 to 2.000" in alone
    for nothing in (None, LossCurve()):
        assert "Losses" not in evaluation_page(evaluation_report(), losses=nothing)


def test_the_page_shows_the_figures_of_the_report() -> None:
    report = evaluation_report()
    read = Reader(evaluation_page(report))
    assert read.open == []
    assert report.sentence in read.text
    shown = " ".join(read.text)
    for item in report.contestants:
        assert item.accuracy
        assert item.pages
        limits = item.accuracy
        figures = f"{100 * limits.value:.1f} ({100 * limits.lower:.1f} to {100 * limits.upper:.1f})"
        assert figures in read.text
        assert f"{item.pages.macro_f1:.3f}" in read.text
    for finding in report.findings:
        assert finding.path in shown


@pytest.mark.parametrize("report", [evaluation_report(), evil_report()], ids=["usual", "evil"])
def test_the_page_runs_nothing_asks_nothing_and_allows_only_its_own_style(report: EvaluationReport) -> None:
    page = evaluation_page(report, stand_in="a stand-in")
    read = Reader(page)
    assert not {"script", "link", "img", "iframe", "object", "form", "a"} & {tag for tag, _ in read.tags}
    assert not [name for _, attributes in read.tags for name in attributes if name.startswith("on") or name == "style"]
    assert not [name for _, attributes in read.tags for name in attributes if name in ("src", "href")]
    (policy,) = [attributes["content"] for _, attributes in read.tags if "http-equiv" in attributes]
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style
    digest = b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'"
    assert "url(" not in style[1]


def test_names_from_others_are_text() -> None:
    read = Reader(evaluation_page(evil_report()))
    assert EVIL in read.text
    assert "script" not in {tag for tag, _ in read.tags}
    assert any(EVIL in text and "not scored" in text for text in read.text)


def test_what_the_models_are_is_said_if_they_are_no_real_ones() -> None:
    assert "stand-in, not Nova" in Reader(evaluation_page(evaluation_report(), stand_in="stand-in, not Nova")).text
    assert not [text for text in Reader(evaluation_page(evaluation_report())).text if "stand-in" in text]


def test_parts_and_earlier_judgements_stand_on_the_page_and_in_the_text() -> None:
    report = evaluation_report()
    custom = report.contestants[0]
    assert custom.accuracy
    parts = tuple(
        PartScores(part=part, documents=6, accuracy=custom.accuracy, exact_sections=custom.accuracy) for part in Part
    )
    report = report.model_copy(
        update={
            "judged_before": 3,
            "contestants": (custom.model_copy(update={"parts": parts}), *report.contestants[1:]),
        }
    )
    page, text = evaluation_page(report), "\n".join(evaluation_lines(report))
    for shown in (page, text):
        assert "judged 3 other models before" in shown
        assert "single documents" in shown
    assert "6 packets" in text
    assert "judged" not in evaluation_page(evaluation_report())
