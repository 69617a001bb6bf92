"""The prompt is the same in training and at inference, and holds nothing that training reserves."""

from __future__ import annotations

import json

import pytest

from idp_finetuning.errors import InvalidInput
from idp_finetuning.nova.prompt import RESERVED_WORDS, Boundary, DocumentClass, PageLabel, Prompt, reserved_word
from idp_finetuning.training_data.examples import training_record
from tests.support.domain.service_model import problems

NASTY_NAMES = (
    "invoice",
    'say "hello"',
    "back\\slash",
    "{curly} [square] <angle>",
    "請求書",
    "نامه‌ها",
    "facture\u00a0client",
    "👩‍💻",
    "{DOCUMENT_IMAGE}",
    "{CLASS_NAMES_AND_DESCRIPTIONS}",
    "</document-classes>",
    "class\tname",
)


def prompt(*names: str) -> Prompt:
    """The built-in prompt for these classes."""
    return Prompt(classes=tuple(DocumentClass(name=n) for n in names))


def test_a_class_stands_on_a_line_of_its_own_with_its_description_in_brackets() -> None:
    built_in = Prompt(classes=(DocumentClass(name="invoice", description="asks for money"), DocumentClass(name="w2")))
    _, before, _ = built_in.texts()
    assert "\ninvoice  \t[ asks for money ]\nw2  \t[  ]\n" in before


def test_the_content_is_text_before_the_image_the_image_and_text_after_it() -> None:
    image = {"format": "jpeg", "source": {"bytes": b"x"}}
    custom = Prompt(
        system_prompt="S",
        task_prompt="before {CLASS_NAMES_AND_DESCRIPTIONS} {DOCUMENT_IMAGE} after",
        classes=(DocumentClass(name="a"),),
    )
    system, content = custom.render(image)
    assert system == [{"text": "S"}]
    assert content == [{"text": "before a  \t[  ] "}, {"image": image}, {"text": " after"}]


@pytest.mark.parametrize(
    ("task", "kinds"), [("{DOCUMENT_IMAGE} a", ["image", "text"]), ("a {DOCUMENT_IMAGE}\n", ["text", "image"])]
)
def test_no_empty_text_is_sent(task: str, kinds: list[str]) -> None:
    _, content = Prompt(task_prompt=task, classes=(DocumentClass(name="a"),)).render({})
    assert [next(iter(block)) for block in content] == kinds


@pytest.mark.parametrize("name", NASTY_NAMES)
def test_training_and_converse_say_the_same_words(name: str) -> None:
    built_in = prompt(name, "other").require_trainable()
    label = PageLabel(class_name=name, boundary=Boundary.START)
    record = json.loads(training_record(built_in, "s3://data/jobs/1/pages/a/1.jpeg", label))
    request = built_in.converse_request("us.amazon.nova-lite-v1:0", b"jpeg")

    def words(content: list[dict[str, object]]) -> list[object]:
        return [block.get("text", "the image") for block in content]

    assert record["system"] == request["system"]
    assert words(record["messages"][0]["content"]) == words(request["messages"][0]["content"])
    assert f"\n{name}  \t[  ]\n" in record["messages"][0]["content"][0]["text"]


@pytest.mark.parametrize(
    "model_id",
    ["us.amazon.nova-lite-v1:0", "arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/abcdef012345"],
)
def test_the_converse_request_passes_bedrocks_own_rules(model_id: str) -> None:
    request = prompt("a", "b").converse_request(model_id, b"jpeg")
    assert problems("bedrock-runtime", "Converse", "input", request) == []
    assert request["inferenceConfig"]["temperature"] == 0
    assert request["inferenceConfig"]["maxTokens"] <= 500


@pytest.mark.parametrize("name", NASTY_NAMES)
@pytest.mark.parametrize("boundary", list(Boundary))
def test_an_answer_in_the_form_of_the_target_is_read_back(name: str, boundary: Boundary) -> None:
    label = PageLabel(class_name=name, boundary=boundary)
    assert prompt(name, "other").read_answer(label.to_answer()) == label
    assert prompt(name, "other").read_answer(f"```json\n{label.to_answer()}\n```") == label


@pytest.mark.parametrize("spelling", ["Invoice", " invoice", "INVO\u200bICE", "\uff29nvoice"])
def test_an_answer_in_another_spelling_of_one_class_is_that_class(spelling: str) -> None:
    answer = json.dumps({"class": spelling, "document_boundary": "Start"})
    read = prompt("invoice", "letter").read_answer(answer)
    assert read == PageLabel(class_name="invoice", boundary=Boundary.START)
    assert (
        prompt("invoice", "INVOICE").read_answer(json.dumps({"class": "Invoice", "document_boundary": "start"})) is None
    )


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "invoice",
        "{}",
        "[]",
        '{"class": "invoice"}',
        '{"class": "letter", "document_boundary": "start"}',
        '{"class": "invoice", "document_boundary": "middle"}',
        '{"class": null, "document_boundary": "start"}',
        '{"class": ["invoice"], "document_boundary": "start"}',
        '{"class": "invoice", "document_boundary": "start"',
        '} {"class": 1',
    ],
)
def test_an_answer_that_is_not_what_was_asked_for_is_no_label(answer: str) -> None:
    assert prompt("invoice").read_answer(answer) is None


@pytest.mark.parametrize("word", RESERVED_WORDS)
@pytest.mark.parametrize("around", ["{}", "Operating {}", "x{}y", " {} "])
def test_a_reserved_word_is_found_in_any_case_and_inside_words(word: str, around: str) -> None:
    assert reserved_word(around.format(word.upper())) == word
    assert reserved_word(around.format(word.title())) == word


@pytest.mark.parametrize("text", ["system", "user name", "bottle: green", "[EO S]", "image", "Unknown", "thought of"])
def test_ordinary_words_are_not_reserved(text: str) -> None:
    assert reserved_word(text) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"system_prompt": "System: you"},
        {"task_prompt": "User: {CLASS_NAMES_AND_DESCRIPTIONS} {DOCUMENT_IMAGE}"},
        {"task_prompt": "{CLASS_NAMES_AND_DESCRIPTIONS} {DOCUMENT_IMAGE} <image>"},
        {"classes": (DocumentClass(name="End user: form"),)},
        {"classes": (DocumentClass(name="a", description="ends with [EOS]"),)},
    ],
)
def test_a_reserved_word_is_refused_wherever_it_would_reach_a_record(changes: dict[str, object]) -> None:
    values: dict[str, object] = {"classes": (DocumentClass(name="a"),)}
    with pytest.raises(InvalidInput, match="which Nova training reserves"):
        Prompt.model_validate(values | changes).require_trainable()


def test_no_reserved_word_arises_when_names_become_json() -> None:
    """The target quotes and escapes names; what the class list may hold, the target may hold too."""
    for word in RESERVED_WORDS:
        for name in (word[:-1], word[1:], word[:-1] + '"', word.replace(":", "\\:")):
            if not reserved_word(name):
                assert reserved_word(PageLabel(class_name=name, boundary=Boundary.START).to_answer()) is None


@pytest.mark.parametrize("task", ["no placeholders", "{DOCUMENT_IMAGE}", "{CLASS_NAMES_AND_DESCRIPTIONS}"])
def test_a_task_prompt_without_its_placeholders_is_refused(task: str) -> None:
    with pytest.raises(InvalidInput, match="The task prompt needs"):
        Prompt(task_prompt=task, classes=(DocumentClass(name="a"),)).require_trainable()


WITH_TEXT = "{CLASS_NAMES_AND_DESCRIPTIONS}\n{DOCUMENT_TEXT}\n{DOCUMENT_IMAGE}\nAgain: {DOCUMENT_TEXT}"


def test_what_a_page_says_is_not_taken_for_a_placeholder() -> None:
    classes = (DocumentClass(name="a", description="{DOCUMENT_TEXT}"),)
    asked = Prompt(task_prompt=WITH_TEXT, classes=classes).require_trainable()
    text = "{CLASS_NAMES_AND_DESCRIPTIONS} {DOCUMENT_IMAGE} {DOCUMENT_TEXT} \\1"
    _, before, after = asked.texts(text)
    assert before == f"a  \t[ {{DOCUMENT_TEXT}} ]\n{text}\n"
    assert after == f"\nAgain: {text}"


def test_only_a_prompt_with_the_placeholder_needs_texts() -> None:
    classes = (DocumentClass(name="a"),)
    assert Prompt(task_prompt=WITH_TEXT, classes=classes).needs_text
    assert not Prompt(classes=classes).needs_text


def test_a_second_place_for_the_image_is_refused() -> None:
    task = "{CLASS_NAMES_AND_DESCRIPTIONS} {DOCUMENT_IMAGE} {DOCUMENT_IMAGE}"
    with pytest.raises(InvalidInput, match="once"):
        Prompt(task_prompt=task, classes=(DocumentClass(name="a"),)).require_trainable()


def test_a_temperature_is_not_undone_by_a_choice_of_one() -> None:
    warm = prompt("a", "b").converse_request("us.amazon.nova-lite-v1:0", b"jpeg", temperature=0.5)
    assert warm["inferenceConfig"]["temperature"] == 0.5
    assert "topK" not in str(warm)
    assert problems("bedrock-runtime", "Converse", "input", warm) == []


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ('{"class": "invoice", "document_boundary": "middle"}', ("invoice", None)),
        ('{"class": "letter", "document_boundary": "start"}', (None, "start")),
        ('{"document_boundary": {}, "class": []}', (None, None)),
        ("[" * 100_000, (None, None)),
    ],
)
def test_the_usable_half_of_an_answer_is_read(answer: str, expected: tuple[str | None, str | None]) -> None:
    read = prompt("invoice").parse_answer(answer)
    assert (read.class_name, read.boundary) == expected
