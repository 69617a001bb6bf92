"""What became of every document, and whether it is enough."""

from __future__ import annotations

import pytest

from idp_finetuning.errors import DatasetUnusable
from idp_finetuning.nova.base_models import BaseModelSpec, find_base_model
from idp_finetuning.test_sets.sections import Section
from idp_finetuning.test_sets.split import Split
from idp_finetuning.training_data.dataset import (
    AcceptedDocument,
    ClassReport,
    RejectedDocument,
    dataset_report,
    require_usable,
)
from idp_finetuning.training_data.examples import ManifestDocument

NOVA_1 = find_base_model("us.amazon.nova-lite-v1:0")


def manifest(count: int, class_name: str = "a", split: Split = Split.TRAIN) -> list[ManifestDocument]:
    """Documents of one class whose labels do not tell the pages."""
    return [
        ManifestDocument(
            document_id=f"{class_name}{n}",
            key=f"docsplit/input/{class_name} {n}.pdf",
            split=split,
            sections=(Section(class_name=class_name),),
        )
        for n in range(count)
    ]


def check(documents: list[ManifestDocument], *, lost: int, pages: int = 2, model: BaseModelSpec = NOVA_1) -> None:
    """Judges the data set where the first `lost` documents were rejected."""
    accepted = [AcceptedDocument(document=d, pages=pages) for d in documents[lost:]]
    rejected = [RejectedDocument(key=d.key, code="damaged", reason="It is damaged.") for d in documents[:lost]]
    require_usable(dataset_report(accepted, rejected, []), documents, model)


def test_the_report_counts_pages_by_section_and_a_packet_for_each_class_once() -> None:
    packet = ManifestDocument(
        document_id="p",
        key="k",
        split=Split.TRAIN,
        sections=(
            Section(class_name="b", page_indices=(0, 1)),
            Section(class_name="a", page_indices=(2,)),
            Section(class_name="b", page_indices=(3,)),
        ),
    )
    report = dataset_report(
        [AcceptedDocument(document=packet, pages=4)]
        + [AcceptedDocument(document=d, pages=7) for d in manifest(1)]
        + [AcceptedDocument(document=d, pages=1) for d in manifest(2, split=Split.VALIDATION)],
        [RejectedDocument(key="x", code="empty", reason="The file is empty.")],
        ["careful"],
    )
    assert (report.found, report.accepted, report.rejected) == (5, 4, 1)
    assert (report.train.documents, report.train.pages) == (2, 11)
    assert report.train.classes == (
        ClassReport(name="a", documents=2, pages=8),
        ClassReport(name="b", documents=1, pages=3),
    )
    assert (report.validation.documents, report.validation.pages) == (2, 2)
    assert report.warnings == ("careful",)


def test_one_document_of_ten_may_be_rejected() -> None:
    check(manifest(10), lost=1)


def test_more_than_a_tenth_rejected_ends_the_job_and_names_documents_and_reasons() -> None:
    with pytest.raises(DatasetUnusable) as unusable:
        check(manifest(20), lost=3)
    assert unusable.value.message.startswith("3 of 20 documents could not be used; at most 10% may be rejected.")
    assert "docsplit/input/a 0.pdf (It is damaged.)" in unusable.value.message


def test_a_class_that_lost_its_last_training_document_ends_the_job() -> None:
    with pytest.raises(DatasetUnusable, match="No training document of these classes could be used: rare"):
        check([*manifest(1, "rare"), *manifest(30)], lost=1)


def test_a_class_that_was_only_lost_on_the_held_out_side_does_not_end_the_job() -> None:
    check([*manifest(1, "a", Split.VALIDATION), *manifest(30)], lost=1)


@pytest.mark.parametrize(("pages", "fits"), [(19, False), (20, True), (2000, True), (2001, False)])
def test_the_pages_the_documents_really_have_are_held_to_the_models_limits(pages: int, fits: bool) -> None:
    model = find_base_model("us.amazon.nova-2-lite-v1:0")
    if fits:
        check(manifest(10), lost=0, pages=pages, model=model)
        return
    with pytest.raises(DatasetUnusable, match=r"^(Insufficient documents: )?Nova 2 Lite (needs at least 200|takes at)"):
        check(manifest(10), lost=0, pages=pages, model=model)


@pytest.mark.parametrize(
    ("base_model", "train", "held_out", "repeat", "fits"),
    [
        ("us.amazon.nova-lite-v1:0", 19_990, 10, 1, True),
        ("us.amazon.nova-lite-v1:0", 19_990, 11, 1, False),
        ("us.amazon.nova-lite-v1:0", 4_990, 40, 4, True),
        ("us.amazon.nova-lite-v1:0", 4_990, 41, 4, False),
        ("us.amazon.nova-2-lite-v1:0", 5_000, 500, 4, True),
        ("us.amazon.nova-2-lite-v1:0", 50, 500, 4, False),
    ],
)
def test_repeated_and_held_out_pages_count_as_records_and_the_fewest_counts_a_page_once(
    base_model: str, train: int, held_out: int, repeat: int, fits: bool
) -> None:
    documents = [*manifest(1), *manifest(1, split=Split.VALIDATION)]
    pages = {Split.TRAIN: train, Split.VALIDATION: held_out}
    accepted = [AcceptedDocument(document=d, pages=pages[d.split]) for d in documents]
    report = dataset_report(accepted, [], [], repeat=repeat)
    assert (report.train.pages, report.repeat) == (train, repeat)
    if fits:
        require_usable(report, documents, find_base_model(base_model))
    else:
        with pytest.raises(DatasetUnusable):
            require_usable(report, documents, find_base_model(base_model))
