"""Page labels and training records."""

from __future__ import annotations

import json

import pytest

from idp_finetuning.errors import DocumentRejected
from idp_finetuning.nova.prompt import Boundary, DocumentClass, PageLabel, Prompt
from idp_finetuning.test_sets.sections import Section
from idp_finetuning.training_data.examples import bound_tokens, page_labels, training_record

S, C = Boundary.START, Boundary.CONTINUE


def section(name: str, *indices: int) -> Section:
    """A section of these pages; none given: of all pages."""
    return Section(class_name=name, page_indices=indices or None)


@pytest.mark.parametrize(
    ("sections", "pages", "expected"),
    [
        ([section("a")], 1, [("a", S)]),
        ([section("a")], 3, [("a", S), ("a", C), ("a", C)]),
        ([section("a", 0, 1), section("b", 2)], 3, [("a", S), ("a", C), ("b", S)]),
        ([section("a", 0), section("a", 1)], 2, [("a", S), ("a", S)]),
        ([section("b", 2), section("a", 1, 0)], 3, [("a", S), ("a", C), ("b", S)]),
        ([section("a", 0, 2), section("b", 1, 3)], 4, [("a", S), ("b", S), ("a", C), ("b", C)]),
    ],
)
def test_a_page_has_its_sections_class_and_starts_where_the_section_does(
    sections: list[Section], pages: int, expected: list[tuple[str, Boundary]]
) -> None:
    assert [(label.class_name, label.boundary) for label in page_labels(sections, pages)] == expected


@pytest.mark.parametrize("pages", [1, 2, 4])
def test_labels_of_another_number_of_pages_reject_the_document(pages: int) -> None:
    with pytest.raises(DocumentRejected, match=f"labels have 3 pages, the document has {pages}") as rejected:
        page_labels([section("a", 0, 1), section("b", 2)], pages)
    assert rejected.value.reason_code == "label_mismatch"


def test_a_record_is_one_line_of_json_in_novas_shape() -> None:
    prompt = Prompt(classes=(DocumentClass(name='two\u00a0"words"'), DocumentClass(name="請求書")))
    uri = "s3://data/jobs/1/pages/abc/1.jpeg"
    label = PageLabel(class_name="請求書", boundary=C)
    line = training_record(prompt, uri, label, bucket_owner="123456789012")
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    record = json.loads(line)
    assert record.keys() == {"schemaVersion", "system", "messages"}
    assert record["schemaVersion"] == "bedrock-conversation-2024"
    user, assistant = record["messages"]
    assert (user["role"], assistant["role"]) == ("user", "assistant")
    assert [block["image"] for block in user["content"] if "image" in block] == [
        {"format": "jpeg", "source": {"s3Location": {"uri": uri, "bucketOwner": "123456789012"}}}
    ]
    assert assistant["content"] == [{"text": '{"class": "請求書", "document_boundary": "continue"}'}]


def test_the_token_bound_holds_the_prompt_its_classes_and_the_image() -> None:
    few = Prompt(classes=tuple(DocumentClass(name=f"class {n}") for n in range(13)))
    many = Prompt(classes=tuple(DocumentClass(name="文" * 100 + str(n)) for n in range(100)))
    assert 5_000 < bound_tokens(few) < 8_000
    assert bound_tokens(many) > 32_000
