"""Which base model a test set is big enough for."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from idp_finetuning.test_sets.labels import DocumentLabels
from idp_finetuning.test_sets.sections import Section
from idp_finetuning.test_sets.split import hold_out
from idp_local.demo.failure import DemoFailed
from idp_sdk import BaseModel as OfferedModel
from idp_sdk import IDPClient, LabelledDocument

TRAIN_SPLIT = 0.9  # the API's default


class ModelChoice(BaseModel):
    """The base model to train, and those before it with the reason each was passed over."""

    model_config = ConfigDict(frozen=True)

    model: OfferedModel
    passed_over: tuple[tuple[OfferedModel, str], ...]


def first_fitting_model(client: IDPClient, test_set_id: str, documents: Sequence[LabelledDocument]) -> ModelChoice:
    """Return the first base model in the API's order (recommended before legacy) that the test set is valid for.

    Raises DemoFailed if there is none.
    """
    passed_over: list[tuple[OfferedModel, str]] = []
    for model in client.models.list_available_models().base_models:
        verdict = client.finetuning.validate_test_set(test_set_id, base_model=model.id)
        reasons = [*verdict.errors, *_check_counted_pages(model, test_set_id, documents)]
        if not reasons:
            return ModelChoice(model=model, passed_over=tuple(passed_over))
        passed_over.append((model, reasons[0]))
    tried = " ".join(reason for _, reason in passed_over)
    raise DemoFailed(f"The documents are too few, or too many, for every base model. {tried}")


def _check_counted_pages(model: OfferedModel, test_set_id: str, documents: Sequence[LabelledDocument]) -> list[str]:
    """Check the size by the files that can be opened: the labels of the others have no pages, so the API cannot."""
    labels = [
        DocumentLabels(
            path=document.path,
            size=0,
            etag="",
            sections=tuple(Section(class_name=s.class_name, page_indices=s.page_indices) for s in document.sections),
        )
        for document in documents
    ]
    held = hold_out(test_set_id, labels, TRAIN_SPLIT)
    pages = sum(document.page_count or 0 for document in labels if document.path not in held)
    if pages >= model.minimum_records:
        return []
    return [
        f"{model.name} needs at least {model.minimum_records} training pages; those that can be counted are {pages}."
    ]
