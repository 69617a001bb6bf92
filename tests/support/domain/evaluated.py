"""An evaluation's report: twelve held-out documents of one page, of which the custom model has one wrong."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from idp_finetuning.classification.classification import ClassifiedPage
from idp_finetuning.evaluation.baseline import BaselineEvaluation
from idp_finetuning.evaluation.comparison import Metric
from idp_finetuning.evaluation.cost import CostBound
from idp_finetuning.evaluation.plan import (
    Contestant,
    ContestantKind,
    DocumentAnswers,
    EvaluatedDocument,
    EvaluationPlan,
)
from idp_finetuning.evaluation.report import ContestantScores, EvaluatedPage, EvaluationReport
from idp_finetuning.evaluation.scoring import evaluated_pages, make_report
from idp_finetuning.evaluation.two_jobs import JobComparison, compare_jobs
from idp_finetuning.jobs.evaluation import EvaluationRun, EvaluationStatus
from idp_finetuning.nova.prices import Usage
from idp_finetuning.nova.prompt import Boundary, DocumentClass, Prompt
from idp_finetuning.test_sets.sections import Section

RUN = EvaluationRun(job_id="6f1c2b1e-8a52-4f0e-9a43-1f2f6c1f0a11", number=1)
CLASSES = ("invoice", "letter")
PROMPT = Prompt(classes=tuple(DocumentClass(name=name) for name in CLASSES))
CUSTOM = Contestant(
    kind=ContestantKind.CUSTOM_MODEL,
    model="arn:aws:bedrock:1:custom-model-deployment/a",
    prompt=PROMPT,
    base_model="us.amazon.nova-lite-v1:0",
)
BASE = Contestant(
    kind=ContestantKind.BASE_MODEL,
    model="us.amazon.nova-lite-v1:0",
    prompt=PROMPT,
    base_model="us.amazon.nova-lite-v1:0",
)


def documents(count: int = 12) -> list[EvaluatedDocument]:
    """Invoices and letters in turn, each of one page."""
    return [
        EvaluatedDocument(
            document_id=f"d{number}",
            path=f"{CLASSES[number % 2]}/{number}.pdf",
            group=f"e{number}",
            pages=1,
            sections=(Section(class_name=CLASSES[number % 2]),),
        )
        for number in range(count)
    ]


def plan(*contestants: Contestant) -> EvaluationPlan:
    """What is asked."""
    return EvaluationPlan(
        test_set_id="docsplit",
        classes=CLASSES,
        contestants=contestants or (CUSTOM, BASE),
        majority_class="letter",
        metric=Metric.PAGES,
    )


def answer(class_name: str | None) -> DocumentAnswers:
    """The answers about a document of one page."""
    return DocumentAnswers(
        answers=(ClassifiedPage(number=1, class_name=class_name, boundary=Boundary.START),),
        usage=Usage(calls=1, input_tokens=2_000, output_tokens=10),
    )


def given_answers() -> dict[str, dict[str, DocumentAnswers]]:
    """The custom model has all right but the first document; the base model has the first three invoices right."""
    asked = documents()
    of_custom = {item.document_id: answer(item.sections[0].class_name) for item in asked} | {"d0": answer("letter")}
    of_base = {item.document_id: answer("invoice" if number < 6 else "letter") for number, item in enumerate(asked)}
    of_base |= {f"d{number}": answer(None if number == 7 else "invoice") for number in (7, 9, 11)}
    of_repetition = of_custom | {"d1": answer("invoice")}
    return {CUSTOM.digest: of_custom, BASE.digest: of_base, plan().repetition.digest: of_repetition}


def without_cost(report: EvaluationReport) -> list[ContestantScores]:
    """How good the contestants are, whatever was asked for it."""
    return [item.model_copy(update={"usage": Usage(), "cost": None}) for item in report.contestants]


def pages_of_report() -> list[EvaluatedPage]:
    """The pages of the report."""
    return list(evaluated_pages(plan(), documents(), given_answers()))


def job_comparison() -> JobComparison:
    """A job that has all pages right beside that of the report."""
    asked = documents()
    right = {item.document_id: answer(item.sections[0].class_name) for item in asked}
    better = list(evaluated_pages(plan(), asked, given_answers() | {CUSTOM.digest: right}))
    found = compare_jobs(pages_of_report(), better, "the model of job 'one'", "the model of job 'two'")
    assert found
    return found


def evaluation_report() -> EvaluationReport:
    """What the answers come to."""
    return make_report(
        RUN,
        plan(),
        documents(),
        given_answers(),
        created_at="2024-01-15T11:25:00.000Z",
    )


def cost_bound() -> CostBound:
    """What asking two models about the documents could cost."""
    return CostBound(pages=12, answers=36, cost=0.0144, prices_as_of="2026-08-31")


def baseline(*, evaluated: bool = False) -> BaselineEvaluation:
    """The same answers, as those of a base model and of a version before any job."""
    return BaselineEvaluation(
        test_set_id="docsplit",
        number=1,
        base_models=(BASE.model,),
        config_versions=("invoices",),
        status=EvaluationStatus.COMPLETED if evaluated else EvaluationStatus.RUNNING,
        started_at=datetime(2024, 1, 15, 10, tzinfo=UTC),
        ended_at=datetime(2024, 1, 15, 11, tzinfo=UTC) if evaluated else None,
        report=_report_before_training() if evaluated else None,
    )


def _report_before_training() -> EvaluationReport:
    titles = {CUSTOM.title: "Nova Lite v1", BASE.title: "configuration version 'invoices'"}
    report = evaluation_report()
    return report.model_copy(
        update={
            "job_id": None,
            "test_set_id": "docsplit",
            "contestants": tuple(
                item.model_copy(update={"name": titles.get(item.name, item.name)}) for item in report.contestants
            ),
            "comparisons": tuple(
                item.model_copy(
                    update={
                        "name": titles.get(item.name, item.name),
                        "sentence": _renamed(item.sentence, titles),
                    }
                )
                for item in report.comparisons
            ),
            "sentence": _renamed(report.sentence, titles),
        }
    )


def _renamed(sentence: str, titles: Mapping[str, str]) -> str:
    for title, name in titles.items():
        sentence = sentence.replace(title, name).replace(title[0].upper() + title[1:], name)
    return sentence
