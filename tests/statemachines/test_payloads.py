"""No payload grows with the number of documents, and every one fits what Step Functions carries."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from hashlib import md5
from typing import Any, get_args

import pytest

from idp_finetuning.adapters.workflows import Workflow
from idp_finetuning.evaluation.plan import EvaluatedDocument
from idp_finetuning.jobs.evaluation import EvaluationRun
from idp_finetuning.jobs.job import STAGES, JobRun
from idp_finetuning.nova.base_models import base_models
from idp_finetuning.test_sets.keys import document_id
from idp_finetuning.test_sets.labels import Labels, Listing, StoredFile, read_labels
from idp_finetuning.test_sets.page_limit import MAXIMUM_PAGES
from idp_finetuning.test_sets.page_texts import ETAG_LENGTH
from idp_finetuning.test_sets.sections import Section, parse_section
from idp_finetuning.test_sets.split import Split
from idp_finetuning.test_sets.validation import validate
from idp_finetuning.training_data.examples import ManifestDocument
from idp_finetuning.wire import WireModel
from tests.support.domain.service_model import AnyClient
from tests.support.statemachines.definitions import DEFINITIONS, State, definition, is_terminal, levels, tasks
from tests.support.statemachines.payloads import DOCUMENTS, LIMIT, Payload, Step, at, contract, size, walk

# What Workflow.start sends for every machine; the longest name of a stage.
INPUT = {
    "jobId": "j" * 36,
    "number": 1_000,
    "startAt": max(STAGES, key=len).value,
    "trainingPollSeconds": 3600,
    "deploymentPollSeconds": 3600,
}
RUN_OF: dict[str, JobRun | EvaluationRun] = {
    "finetuning": JobRun(job_id="j" * 36, number=1_000),
    "deletion": JobRun(job_id="j" * 36, number=1_000),
    "evaluation": EvaluationRun(job_id="j" * 36, number=1_000),
}
LONGEST_KEY = "k" * 1_024  # S3's limit


def manifest_item(sections: tuple[Section, ...]) -> Payload:
    """What the Map hands to the child of one document."""
    document = ManifestDocument(
        document_id=document_id(LONGEST_KEY),
        key=LONGEST_KEY,
        etag=f"{'e' * 32}-10000",
        split=Split.VALIDATION,
        sections=sections,
        text_etags=("e" * ETAG_LENGTH,) * MAXIMUM_PAGES,
    )
    return document.to_wire()


def longest_class_name(character: str) -> str:
    """The longest name of this character that the labels' reader lets through."""
    accepted = [
        length
        for length in range(1, 1_200)
        if isinstance(parse_section(json.dumps({"document_class": character * length}).encode()), Section)
    ]
    return character * max(accepted)


def one_page_sections(count: int, class_name: str) -> tuple[Section, ...]:
    return tuple(Section(class_name=class_name, page_indices=(page,)) for page in range(count))


def evaluated_item(sections: tuple[Section, ...]) -> Payload:
    """What the Map of the evaluation hands to the child of one document."""
    document = EvaluatedDocument(
        document_id=document_id(LONGEST_KEY),
        path=LONGEST_KEY,
        group=f"{'e' * 32}-10000",
        pages=MAXIMUM_PAGES,
        sections=sections,
    )
    return document.to_wire()


ITEM_OF = {"finetuning": manifest_item, "deletion": manifest_item, "evaluation": evaluated_item}


def input_of(machine: str) -> dict[str, Any]:
    return {**INPUT, **RUN_OF[machine].to_wire()}


def steps(machine: str, item: Any = None) -> list[Step]:
    item = item or ITEM_OF[machine](one_page_sections(MAXIMUM_PAGES, longest_class_name("c")))
    return list(walk(definition(machine), input_of(machine), item))


def collections_in(model: type[WireModel]) -> set[str]:
    """Members that can hold more than one value, those of nested models included, as `Model.member`."""
    found: set[str] = set()
    waiting: list[tuple[str, Any]] = [(f"{model.__name__}.{n}", f.annotation) for n, f in model.model_fields.items()]
    while waiting:
        member, annotation = waiting.pop()
        if isinstance(annotation, type) and issubclass(annotation, WireModel):
            waiting.extend((f"{annotation.__name__}.{n}", f.annotation) for n, f in annotation.model_fields.items())
        elif annotation is Any or getattr(annotation, "__origin__", annotation) in (tuple, list, set, frozenset, dict):
            found.add(member)
        waiting.extend((member, part) for part in get_args(annotation) if isinstance(part, type))
    return found


each_machine = pytest.mark.parametrize("machine", sorted(DEFINITIONS))


@each_machine
def test_outside_the_map_no_function_gets_or_returns_a_collection(machine: str) -> None:
    outside = next(level for level in levels(definition(machine)) if not level.is_map)
    for name, state in outside.states.items():
        if state["Type"] == "Task":
            event, answer = contract(name)
            assert not collections_in(event), name
            assert answer is None or not collections_in(answer), name


def test_inside_the_map_a_function_gets_one_document_and_returns_nothing() -> None:
    inside = next(level for level in levels(definition("finetuning")) if level.is_map)
    for name in inside.states:
        event, answer = contract(name)
        assert answer is None, name
        bounded = {"ManifestDocument.sections", "ManifestDocument.text_etags", "Section.page_indices"}
        assert collections_in(event) <= bounded, name


@each_machine
def test_every_function_understands_what_its_state_sends(machine: str) -> None:
    called = {name for name, _ in tasks(definition(machine))}
    sent = [(step.name, step.sent) for step in steps(machine) if step.name in called]
    assert {name for name, _ in sent} == called
    for name, payload in sent:
        contract(name).event.model_validate(payload)


@each_machine
def test_choices_and_waits_find_what_they_look_for(machine: str) -> None:
    for step in steps(machine):
        state = step.level.states[step.name]
        for choice in state.get("Choices", []):
            assert isinstance(at(step.given, choice["Variable"]), str)
        if state["Type"] == "Wait":
            assert isinstance(at(step.given, state["SecondsPath"]), int)
        if state["Type"] == "Fail":
            assert at(step.given, state["ErrorPath"])
            assert at(step.given, state["CausePath"])


@each_machine
def test_a_choice_compares_with_a_word_its_function_can_answer(machine: str) -> None:
    states = definition(machine)["States"]
    for name, state in states.items():
        if state["Type"] == "Choice" and name != definition(machine)["StartAt"]:
            asked = next(n for n, s in states.items() if s.get("Next") == name)
            answer = contract(asked).answer
            assert answer is not None
            for choice in state["Choices"]:
                result_path, _, member = choice["Variable"].rpartition(".")
                assert result_path == states[asked]["ResultPath"]
                assert choice["StringEquals"] in get_args(answer.model_fields[member].annotation)


class SentInput(AnyClient):  # type: ignore[misc]
    """Step Functions as far as the start of an execution goes: keeps the input."""

    def start_execution(self, **arguments: str) -> None:
        self.given = json.loads(arguments["input"])


@each_machine
def test_the_input_a_machine_is_started_with_is_the_one_walked_here(machine: str) -> None:
    client = SentInput()
    workflow = Workflow(client, f"arn:…:{machine}", training_poll_seconds=3600, deployment_poll_seconds=3600)
    for stage in STAGES:
        workflow.start(RUN_OF[machine], "name", stage=stage)
        assert client.given == {**input_of(machine), "startAt": stage.value}


@each_machine
def test_every_payload_fits_even_with_the_longest_texts(machine: str) -> None:
    for step in steps(machine):
        for payload in (step.given, step.sent, step.left or {}):
            assert size(payload) < LIMIT, step.name


def children_outputs(machine: State, make_item: Callable[[tuple[Section, ...]], Payload] = manifest_item) -> int:
    """Bytes of the list that the outputs of the Map's children make together."""
    item = make_item((Section(class_name="invoice"),))
    ends = [
        step.left
        for step in walk(machine, {**INPUT, "testSetId": None}, item)
        if step.level.is_map and is_terminal(step.level.states[step.name])
    ]
    return DOCUMENTS * (max(size(end) for end in ends) + len(",")) + len("[]")


def test_the_outputs_of_all_children_fit_into_the_map_result() -> None:
    assert children_outputs(definition("finetuning")) < LIMIT
    assert children_outputs(definition("evaluation"), evaluated_item) < LIMIT


@pytest.mark.parametrize("state", ["GenerateExample", "RejectDocument"])
def test_children_that_answered_their_document_would_not_fit(state: str) -> None:
    machine = copy.deepcopy(definition("finetuning"))
    del machine["States"]["GenerateExamples"]["ItemProcessor"]["States"][state]["OutputPath"]
    assert children_outputs(machine) > LIMIT


@pytest.mark.parametrize("character", ["c", '"', "ы", "請", "🧾"])
def test_the_longest_document_fits_its_child_whatever_its_classes_are_called(character: str) -> None:
    item = manifest_item(one_page_sections(MAXIMUM_PAGES, longest_class_name(character)))
    inside = [step for step in steps("finetuning", item) if step.level.is_map]
    evaluated = evaluated_item(one_page_sections(MAXIMUM_PAGES, longest_class_name(character)))
    inside += [step for step in steps("evaluation", evaluated) if step.level.is_map]
    assert max(size(payload) for step in inside for payload in (step.given, step.sent)) < LIMIT


def labels_of(make_sections_path: dict[str, list[dict[str, Any]]]) -> Labels:
    """Labels as they are read from a test set with these section files for each document."""
    contents: dict[str, bytes] = {}
    for path, sections in make_sections_path.items():
        contents[f"set/input/{path}"] = path.encode()
        for number, section in enumerate(sections, start=1):
            contents[f"set/baseline/{path}/sections/{number}/result.json"] = json.dumps(section).encode()
    files = tuple(
        StoredFile(key=key, size=len(content), etag=md5(content, usedforsecurity=False).hexdigest())
        for key, content in sorted(contents.items())
    )

    def read_all(keys: list[str]) -> list[bytes]:
        return [contents[key] for key in keys]

    return read_labels(Listing(test_set_id="set", files=files), read_all, read_all)


def section_file(class_name: str, pages: list[int]) -> dict[str, Any]:
    return {"document_class": {"type": class_name}, "split_document": {"page_indices": pages}}


@pytest.mark.parametrize("side", ["train", "held out"])
@pytest.mark.parametrize(("pages", "pages_a_section"), [(MAXIMUM_PAGES, 1), (5_000, 1), (50_000, 50_000)])
def test_labels_that_no_child_can_carry_are_refused_before_the_map(pages: int, pages_a_section: int, side: str) -> None:
    class_name = longest_class_name("c")
    documents = {f"{n}.pdf": [section_file((class_name, "other")[n % 2], list(range(30)))] for n in range(20)}
    held = validate(labels_of(documents), train_split=0.9).held_out_paths
    path = next(path for path in documents if (path in held) == (side == "held out"))
    starts = range(0, pages, pages_a_section)
    documents[path] = [
        section_file(class_name, list(range(start, min(start + pages_a_section, pages)))) for start in starts
    ]
    labels = labels_of(documents)
    carried = max(size(manifest_item(document.sections)) for document in labels.documents)
    accepting = [model.id for model in base_models() if validate(labels, train_split=0.9, base_model=model.id).is_valid]
    assert carried < LIMIT or not accepting
