"""A custom model put to use: documents come back as sections, by its version, by it alone, and with texts."""

from __future__ import annotations

import pytest

from idp_sdk import Classification, ClassificationStatus
from tests.support.graphql_client import GraphQLError
from tests.support.pipeline.classified import BASE_MODEL, VERSION, WITH_TEXT, Classified
from tests.support.pipeline.documents import EXPECTED
from tests.support.pipeline.driver import Finished, Pipeline

pytestmark = pytest.mark.xdist_group("pipeline")


def answers(shown: Classification) -> list[tuple[str | None, str | None]]:
    return [(page.class_name, page.boundary) for page in shown.pages]


def test_a_packet_comes_back_as_sections_with_classes_and_page_ranges(
    classified: Classified, packets: Finished
) -> None:
    """The model has seen these pages in training, so that it is their labels which come back."""
    shown = classified.packet
    assert shown.status is ClassificationStatus.COMPLETED, shown.error_message
    assert (shown.document, shown.config_version) == ("new packet – ü.pdf", VERSION)
    assert shown.model == packets.job.custom_model_deployment_arn
    assert shown.page_count == len(EXPECTED)
    assert answers(shown) == EXPECTED
    assert [(s.class_name, s.start_page, s.end_page) for s in shown.sections] == [
        ("letter", 1, 1),
        ("invoice", 2, 2),
        ("letter", 3, 3),
        ("invoice", 4, 4),
        ("receipt", 5, 5),
        ("receipt", 6, 6),
    ]
    assert shown.warnings == ()


def test_the_same_document_gets_the_same_answers_from_a_test_set_and_from_the_model_alone(
    classified: Classified,
) -> None:
    assert answers(classified.of_test_set) == answers(classified.packet)
    assert answers(classified.model_alone) == answers(classified.packet)
    assert classified.model_alone.config_version is None


def test_a_prompt_with_texts_takes_them_from_the_baseline(classified: Classified) -> None:
    shown = classified.with_texts
    assert shown.status is ClassificationStatus.COMPLETED, shown.error_message
    assert (shown.model, shown.config_version) == (BASE_MODEL, WITH_TEXT)
    assert {page.class_name for page in shown.pages} <= {"letter", "invoice", "receipt"}


def test_what_cannot_be_classified_is_refused_before_it_starts(classified: Classified) -> None:
    assert set(classified.refusals.values()) == {"InvalidInput"}


@pytest.mark.parametrize("kind", ["upload", "test set"])
def test_a_document_that_went_away_fails_with_its_reason(classified: Classified, kind: str) -> None:
    shown = classified.gone[kind]
    assert (shown.status, shown.error_code) == ("FAILED", "DocumentRejected")
    assert "no longer there" in str(shown.error_message)


@pytest.mark.parametrize(
    ("username", "found"), [("admin@example.com", True), ("viewer@example.com", False), ("nogroup@example.com", False)]
)
def test_only_the_starter_and_admins_read_a_classification(
    pipeline: Pipeline, classified: Classified, username: str, found: bool
) -> None:
    query = "query ($id: ID!) { getClassification(classificationId: $id) { id } }"
    client = pipeline.as_user(username)
    if found:
        assert client.execute(query, {"id": classified.packet.id})["getClassification"]["id"] == classified.packet.id
    else:
        with pytest.raises(GraphQLError) as refused:
            client.execute(query, {"id": classified.packet.id})
        assert refused.value.error_type == "ClassificationNotFound"


def test_a_run_that_died_is_continued_and_its_answer_is_kept(classified: Classified) -> None:
    assert classified.continued.status == "COMPLETED"
    assert classified.continued.pages == classified.packet.pages


def test_what_lambda_gives_up_has_failed(classified: Classified) -> None:
    assert (classified.given_up.status, classified.given_up.error_code) == ("FAILED", "InternalError")
    assert "1 of its pages have an answer" in str(classified.given_up.error_message)
