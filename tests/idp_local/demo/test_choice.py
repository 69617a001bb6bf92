from __future__ import annotations

import json
from typing import Any

import pytest

from idp_finetuning.nova.base_models import base_models
from idp_finetuning.test_sets.labels import DocumentLabels, Labels
from idp_finetuning.test_sets.sections import Section
from idp_finetuning.test_sets.validation import validate
from idp_local.demo.choice import first_fitting_model
from idp_local.demo.failure import DemoFailed
from idp_sdk import LabelledDocument, LabelledSection
from tests.support.sdk.deployment import Deployment


def documents(count: int, pages: int | None) -> list[LabelledDocument]:
    indices = None if pages is None else tuple(range(pages))
    return [
        LabelledDocument(
            path=f"{name}/{number}-{pages}.pdf",
            content=b"%PDF-",
            sections=(LabelledSection(class_name=name, page_indices=indices),),
        )
        for name in ("invoice", "letter")
        for number in range(count)
    ]


def rules(labelled: list[LabelledDocument]) -> Deployment:
    """Answers with the catalogue and the rules of the domain, as the service does."""
    labels = Labels(
        test_set_id="own",
        documents=tuple(
            DocumentLabels(
                path=document.path,
                size=1,
                etag=document.path,
                sections=tuple(
                    Section(class_name=s.class_name, page_indices=s.page_indices) for s in document.sections
                ),
            )
            for document in labelled
        ),
    )

    def verdict(arguments: dict[str, Any]) -> object:
        found = validate(labels, train_split=0.9, base_model=arguments["baseModel"]).to_wire()
        return {**found, "classDistribution": json.dumps(found["classDistribution"])}

    deployment = Deployment()
    deployment.answers = {
        "listAvailableModels": {"baseModels": [model.to_wire() for model in base_models()], "customModels": []},
        "validateTestSetForFinetuning": verdict,
    }
    return deployment


def chosen(labelled: list[LabelledDocument]) -> tuple[str, list[str]]:
    choice = first_fitting_model(rules(labelled).signed_in(), "own", labelled)
    return choice.model.name, [reason for _, reason in choice.passed_over]


def test_a_big_test_set_gets_the_first_recommended_model() -> None:
    assert chosen(documents(60, pages=2)) == ("Nova 2 Lite", [])


def test_a_small_test_set_gets_the_first_model_it_suffices_for_with_the_reasons() -> None:
    model, reasons = chosen(documents(50, pages=1))
    assert model == "Nova Lite v1"
    assert [reason.split(" needs ")[0] for reason in reasons] == ["Nova 2 Lite", "Nova 2 Pro"]
    assert all("has 90" in reason for reason in reasons)


def test_a_file_that_cannot_be_opened_does_not_hide_that_the_set_is_too_small() -> None:
    model, reasons = chosen([*documents(50, pages=1), *documents(1, pages=None)])
    assert model == "Nova Lite v1"
    assert "those that can be counted are" in reasons[0]


def test_a_test_set_no_model_takes_fails_the_demo_with_the_reasons() -> None:
    with pytest.raises(DemoFailed, match="at least 10 needed"):
        chosen(documents(2, pages=1))
