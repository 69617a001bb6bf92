"""The rules a test set must meet before a job costs money, as errors and warnings for people."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from idp_finetuning.errors import InvalidInput
from idp_finetuning.nova.base_models import BaseModelSpec, base_models, find_base_model
from idp_finetuning.nova.prompt import reserved_word
from idp_finetuning.test_sets.labels import DocumentLabels, Labels
from idp_finetuning.test_sets.page_counts import CountedLabels, PageCounts
from idp_finetuning.test_sets.sections import LabelProblem
from idp_finetuning.test_sets.split import hold_out
from idp_finetuning.text import first_few, join_first, look_alikes, spell_out
from idp_finetuning.wire import WireModel

MINIMUM_DOCUMENTS = 10
MINIMUM_CLASSES = 2
FEW_EXAMPLES = 10
IMBALANCE = 5


class Validation(WireModel):
    """Verdict on a test set; counts are documents, the distribution counts sections."""

    is_valid: bool
    document_count: int
    class_count: int
    class_distribution: dict[str, int]
    train_count: int
    validation_count: int
    held_out_paths: frozenset[str]
    warnings: tuple[str, ...]
    errors: tuple[str, ...]


def validate(
    labels: Labels,
    *,
    train_split: float,
    base_model: str | None = None,
    repeat: int = 1,
    uploading: bool = False,
    counts: PageCounts | None = None,
) -> Validation:
    """Apply every rule to the labels, without opening documents; without a base model, to all models.

    `base_model` is any id of the catalogue; an unknown one is an error of the verdict. `repeat` is how often each
    training page becomes a record. `counts` are the real pages of the documents, if they are known.
    """
    documents = labels.documents
    usable = [d for d in documents if d.problem is None]
    distribution: Counter[str] = Counter(s.class_name for d in usable for s in d.sections)
    held = hold_out(labels.test_set_id, usable, train_split)
    train = [d for d in usable if d.path not in held]
    sides = _Sides(train, [d for d in usable if d.path in held], repeat)
    errors = [
        *_state_errors(uploading),
        *_count_errors(len(documents), distribution),
        *_label_errors(documents),
        *_name_errors(distribution),
    ]
    warnings = [
        *_distribution_warnings(distribution),
        *_split_warnings(usable, held),
        *_likely_mistakes(labels, distribution, held),
    ]
    if counts:
        counted = CountedLabels(usable, counts)
        sides = _Sides(counted.usable(sides.train), counted.usable(sides.held_out), repeat)
        errors.extend(counted.errors(train))
        warnings.extend(counted.warnings())
    if base_model:
        errors.extend(_model_errors(base_model, sides))
    else:
        warnings.extend(problem for model in base_models() for problem in _size_problems(model, sides) if not errors)
    return Validation(
        is_valid=not errors,
        document_count=len(documents),
        class_count=len(distribution),
        class_distribution=dict(distribution),
        train_count=len(train),
        validation_count=len(held),
        held_out_paths=held,
        warnings=tuple(warnings),
        errors=tuple(errors),
    )


class _Sides(NamedTuple):
    """Documents of both sides of the split, and how often each training page becomes a record."""

    train: list[DocumentLabels]
    held_out: list[DocumentLabels]
    repeat: int


def _state_errors(uploading: bool) -> Iterator[str]:
    if uploading:
        yield "The test set is not ready: its upload is still in progress. Complete the upload and try again."


def _count_errors(document_count: int, distribution: Counter[str]) -> Iterator[str]:
    if document_count < MINIMUM_DOCUMENTS:
        yield (
            f"Insufficient documents: {document_count} found, at least {MINIMUM_DOCUMENTS} needed. "
            "Add more documents to the test set."
        )
    if len(distribution) < MINIMUM_CLASSES:
        yield (
            f"Insufficient classes: {len(distribution)} found, at least {MINIMUM_CLASSES} needed. "
            f"Label the documents with at least {MINIMUM_CLASSES} document classes."
        )


def _label_errors(documents: Iterable[DocumentLabels]) -> Iterator[str]:
    by_problem: defaultdict[LabelProblem, list[str]] = defaultdict(list)
    for document in documents:
        if document.problem:
            by_problem[document.problem].append(document.path)
    for problem in LabelProblem:
        if paths := by_problem[problem]:
            noun = "1 document" if len(paths) == 1 else f"{len(paths)} documents"
            verb = problem.value if len(paths) == 1 else problem.for_several
            yield f"{noun} {verb}: {join_first(paths)}. {problem.advice}"


def _name_errors(distribution: Counter[str]) -> Iterator[str]:
    for name in sorted(distribution):
        if reserved := reserved_word(name):
            yield f"Class name '{name}' contains '{reserved}', which Nova training reserves. Rename the class."


def _distribution_warnings(distribution: Counter[str]) -> Iterator[str]:
    for name, count in distribution.items():
        if count <= FEW_EXAMPLES:
            yield f"Class '{name}' has relatively few examples ({count})"
    if len(distribution) >= MINIMUM_CLASSES:
        ranked = sorted(distribution, key=lambda n: (distribution[n], n))
        least, most = ranked[0], ranked[-1]
        if distribution[most] > IMBALANCE * distribution[least]:
            yield (
                f"Classes are imbalanced: '{most}' has {distribution[most]} examples, '{least}' has "
                f"{distribution[least]}. Add examples of the smaller classes."
            )


def _split_warnings(documents: list[DocumentLabels], held: frozenset[str]) -> Iterator[str]:
    if not documents:
        return
    if not held:
        yield (
            "No document can be held out: every class needs its documents for training. No validation loss is "
            "reported and the model cannot be evaluated. Add documents."
        )
        return
    classes = {name for d in documents for name in d.classes}
    missing = sorted(classes - {name for d in documents if d.path in held for name in d.classes})
    if missing:
        yield f"Classes without a held-out document are not evaluated: {join_first(missing)}"


def _likely_mistakes(labels: Labels, distribution: Counter[str], held: frozenset[str]) -> Iterator[str]:
    for names in look_alikes(distribution):
        only_case = len({name.casefold() for name in names}) == 1
        how = "differ only by case" if only_case else "look alike"
        quoted = " and ".join(f"'{name}'" if only_case else spell_out(name) for name in names)
        yield f"Class names {how} and are trained as different classes: {quoted}"
    if labels.left_out:
        listed = join_first(f"{file.path} ({file.reason})" for file in labels.left_out)
        yield f"Files that are no documents are left out ({len(labels.left_out)}): {listed}"
    yield from _identical_files(labels, held)
    if labels.orphans:
        yield f"Baselines without a document are ignored ({len(labels.orphans)}): {join_first(labels.orphans)}"


def _identical_files(labels: Labels, held: frozenset[str]) -> Iterator[str]:
    """Warn of each set of identical files, the first ten of a kind, and say how many more there are."""
    by_content: defaultdict[tuple[str, int], list[DocumentLabels]] = defaultdict(list)
    for document in labels.documents:
        if document.problem is None:
            by_content[document.etag, document.size].append(document)
    sets = by_content.values()
    kinds = {
        "Identical files under different labels": [same for same in sets if len({d.sections for d in same}) > 1],
        "Identical files both train and are held out": [
            same for same in sets if len({d.path in held for d in same}) > 1
        ],
    }
    for words, found in kinds.items():
        shown, more = first_few(found)
        for same in shown:
            yield f"{words}: {join_first(d.path for d in same)}"
        if more:
            yield f"{words}: {more} more such files."


def _model_errors(base_model: str, sides: _Sides) -> Iterator[str]:
    try:
        yield from _size_problems(find_base_model(base_model), sides)
    except InvalidInput as error:
        yield error.message


def _size_problems(model: BaseModelSpec, sides: _Sides) -> Iterator[str]:
    """Compare the pages with the model's limits, as far as the labels show them; the minimum counts a page once."""
    pages = _known_pages(sides.train)
    if all(d.page_count is not None for d in sides.train) and pages < model.minimum_records:
        yield (
            f"{model.name} needs at least {model.minimum_records} training pages; the training share of this test "
            f"set has {pages}."
        )
    if refusal := model.refuse_records(
        training_pages=pages, held_out_pages=_known_pages(sides.held_out), repeat=sides.repeat, of="this test set"
    ):
        yield refusal


def _known_pages(documents: list[DocumentLabels]) -> int:
    return sum(d.page_count for d in documents if d.page_count is not None)
