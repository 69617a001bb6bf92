from __future__ import annotations

import io
import json
import random

import pytest
from PIL import Image

from idp_local.bedrock.trainer import PASSES_PER_EPOCH, Answer, Example, PageClassifier, features, train
from tests.support.local.drawn import CLASSES, page


def examples(count: int, first_seed: int) -> list[Example]:
    kinds = [CLASSES[number % 3] for number in range(count)]
    return [
        Example(features(page(kind, first_seed + number)), Answer(kind, ("start", "continue")[number % 2]))
        for number, kind in enumerate(kinds)
    ]


def trained(material: list[Example], epochs: int = 1) -> PageClassifier:
    return list(train(material, [], epochs))[-1][1]


def accuracy(model: PageClassifier, seeds: range) -> float:
    right = [model.answer(page(CLASSES[seed % 3], seed)).page_class == CLASSES[seed % 3] for seed in seeds]
    return sum(right) / len(right)


def test_one_epoch_is_enough_to_tell_pages_apart_that_were_not_seen() -> None:
    assert accuracy(trained(examples(30, first_seed=0)), range(300, 330)) >= 0.9


def test_shuffled_labels_teach_nothing() -> None:
    material = examples(60, first_seed=0)
    answers = [example.answer for example in material]
    random.Random(7).shuffle(answers)
    shuffled = [Example(example.features, answer) for example, answer in zip(material, answers, strict=True)]
    # The classes are equally frequent: the majority class is right in a third of the pages.
    assert accuracy(trained(shuffled), range(300, 360)) <= 1 / 3 + 0.15


def test_losses_fall_on_training_and_validation_pages() -> None:
    passes = [done for done, _ in train(examples(30, first_seed=0), [examples(12, first_seed=500)], epochs=2)]
    assert passes[-1].training_loss < passes[0].training_loss / 2
    assert passes[-1].validation_losses[0] < passes[0].validation_losses[0]
    assert [done.epoch for done in passes] == [1] * PASSES_PER_EPOCH + [2] * PASSES_PER_EPOCH


def test_the_loss_is_minus_the_log_of_the_probability_of_the_whole_answer() -> None:
    # One page shown with four different answers, equally often: no model can do better than a quarter for each.
    shown = features(page("letter", 1))
    answers = [Answer(kind, boundary) for kind in ("a", "b") for boundary in ("start", "continue")]
    last, _ = list(train([Example(shown, answer) for answer in answers], [], epochs=1))[-1]
    assert last.training_loss == pytest.approx(1.386294, abs=1e-4)  # ln 4


def test_a_class_that_was_never_shown_costs_much_but_not_everything() -> None:
    model = trained(examples(12, first_seed=0))
    unknown = Example(features(page("letter", 0)), Answer("passport", "start"))
    assert 10 < model.loss([unknown]) < 30


def test_the_same_pages_in_another_order_make_the_same_model() -> None:
    material = examples(15, first_seed=0)
    losses = [done for done, _ in train(material, [], epochs=1)]
    assert [done for done, _ in train(material[::-1], [], epochs=1)] == losses


def test_a_single_class_is_learnt_without_complaint() -> None:
    only = [Example(features(page("form", seed)), Answer("form", "start")) for seed in range(8)]
    assert trained(only).answer(page("letter", 3)) == Answer("form", "start")


def test_nothing_to_learn_from_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to learn"):
        trained([])


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK", "I;16"])
def test_images_of_every_kind_can_be_read(mode: str) -> None:
    content = io.BytesIO()
    Image.new(mode, (60, 30)).save(content, "JPEG" if mode == "CMYK" else "PNG")
    assert features(content.getvalue()).shape == features(page("letter", 0)).shape


def test_a_cut_off_image_is_an_error_not_a_guess() -> None:
    with pytest.raises(OSError, match="truncated"):
        features(page("letter", 0, "PNG")[:-2000])


@pytest.mark.parametrize(
    "text",
    [
        "invoice",
        '"invoice"',
        '{"class": "invoice"}',
        '{"class": 3, "document_boundary": "start"}',
        '{"class": "invoice", "document_boundary": "begin"}',
        '{"class": "invoice", "document_boundary": "start", "more": 1}',
    ],
)
def test_a_target_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Answer.parse(text)


def test_an_answer_keeps_its_class_name_letter_for_letter() -> None:
    answer = Answer('Übertrag "A"', "continue")
    assert Answer.parse(answer.text()) == answer
    assert json.loads(answer.text())["class"] == 'Übertrag "A"'
