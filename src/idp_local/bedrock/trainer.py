"""The local substitute for Nova: a model that really learns page class and document boundary from page images.

A page becomes a gradient-orientation histogram with a few features of the whole page; two softmax regressions read it,
one for the class and one for the boundary. Nothing here is random, and the order of the records has no effect.
"""

from __future__ import annotations

import io
import json
import re
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from threadpoolctl import threadpool_limits

Vector = NDArray[np.float32]
Matrix = NDArray[np.float32]

# Every page is read at this size; cells of 16 px make a grid of 16 × 20.
WIDTH, HEIGHT, CELL, ORIENTATIONS = 256, 320, 16, 9
# Mean gradient, of white to black = 1, below which a cell counts as blank.
BLANK = 0.02

# An epoch of the customization job is this many passes. A pass is some steps of the solver over all records, from where
# the last pass ended; one epoch of them is enough to learn.
PASSES_PER_EPOCH = 6
SOLVER_STEPS = 12
# Weight of the data against the penalty on large weights: it rises evenly from the first pass to the last, so that the
# loss comes down step by step. The last was chosen on scanned documents by cross-validation.
FIRST_WEIGHT, LAST_WEIGHT = 0.00005, 0.02
# Features are standardised and cut here, so that one strange page does not outweigh the rest.
MOST_DEVIATION = 4.0
# The least probability an answer is given; it also bounds the loss of a class that was never seen.
LEAST_PROBABILITY = 1e-6

# A line of the prompt's class list: name, two spaces, a tab and the description in brackets, which may be empty.
_CLASS_LINE = re.compile(r"^(\S.*?) {2}\t\[", re.MULTILINE)


def classes_in(texts: Sequence[str]) -> list[str]:
    """Return the class names of the prompt's class list, in its order, each once."""
    return list(dict.fromkeys(name for text in texts for name in _CLASS_LINE.findall(text)))


class Answer(NamedTuple):
    """What a page is: its class, and whether a document starts on it (`start`) or continues (`continue`)."""

    page_class: str
    boundary: str

    @classmethod
    def parse(cls, text: str) -> Answer:
        """Read the target of a training record; ValueError if it is not `{"class", "document_boundary"}`."""
        content = json.loads(text)
        if not isinstance(content, dict) or set(content) != {"class", "document_boundary"}:
            raise ValueError("not a class and a document boundary")
        page_class, boundary = content["class"], content["document_boundary"]
        if not isinstance(page_class, str) or boundary not in ("start", "continue"):
            raise ValueError("not a class name, or a boundary other than start and continue")
        return cls(page_class, boundary)

    def text(self) -> str:
        """Return the answer as the target of a training record."""
        return json.dumps({"class": self.page_class, "document_boundary": self.boundary}, ensure_ascii=False)


class Example(NamedTuple):
    """A page's features and its true answer."""

    features: Vector
    answer: Answer


class Pass(NamedTuple):
    """Mean losses after one pass: minus log of the probability of the whole true answer, in nats."""

    number: int
    epoch: int
    training_loss: float
    validation_losses: tuple[float, ...]


def features(image: bytes) -> Vector:
    """Return about 2,900 features of a page image; OSError or ValueError if the image is damaged."""
    with Image.open(io.BytesIO(image)) as opened:
        width, height = opened.size
        # JPEG is decoded at a fraction of its size, which is most of the speed.
        opened.draft("RGB", (2 * WIDTH, 2 * HEIGHT))
        colour = opened.convert("RGB")
    grey = np.asarray(colour.convert("L").resize((WIDTH, HEIGHT), Image.Resampling.BOX), dtype=np.float64) / 255
    # Repeated: a single number among thousands would have no weight.
    shape = np.repeat([np.log(width / height), np.log(width * height)], [20, 5])
    return np.concatenate([_orientations(grey), _colours(colour), shape]).astype(np.float32)


def _orientations(grey: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the gradient strength by cell and direction."""
    vertical, horizontal = np.gradient(grey)
    strength = np.hypot(horizontal, vertical)
    place = np.mod(np.arctan2(vertical, horizontal), np.pi) * (ORIENTATIONS / np.pi)
    lower = np.floor(place)
    share = place - lower
    rows, columns = np.indices(grey.shape)
    cell = (rows // CELL) * (WIDTH // CELL) + columns // CELL
    first = cell * ORIENTATIONS + lower.astype(int) % ORIENTATIONS
    second = cell * ORIENTATIONS + (lower.astype(int) + 1) % ORIENTATIONS
    count = (WIDTH // CELL) * (HEIGHT // CELL) * ORIENTATIONS
    histogram = np.bincount(first.ravel(), (strength * (1 - share)).ravel(), count)
    histogram += np.bincount(second.ravel(), (strength * share).ravel(), count)
    table = histogram.reshape(-1, ORIENTATIONS) / CELL**2
    # Within a cell only the mix of directions counts, unless it is nearly blank; the root evens out the directions.
    return np.asarray(np.sqrt(table / (table.sum(axis=1, keepdims=True) + BLANK)).ravel())


def _colours(page: Image.Image) -> NDArray[np.float64]:
    """Return histograms of saturation, brightness and hue."""
    small = page.resize((32, 40), Image.Resampling.BOX).convert("HSV")
    hue, saturation, brightness = np.moveaxis(np.asarray(small, dtype=np.float64) / 255, 2, 0)
    parts = [np.histogram(saturation, 8, (0, 1))[0], np.histogram(brightness, 8, (0, 1))[0]]
    parts.append(np.histogram(hue, 8, (0, 1), weights=saturation)[0])
    return np.asarray(np.sqrt(np.concatenate(parts) / saturation.size))


@dataclass(frozen=True)
class Head:
    """Softmax regression over one part of the answer."""

    labels: tuple[str, ...]
    weights: Matrix  # labels × features
    bias: Vector  # labels

    def probabilities(self, standard: Matrix) -> Matrix:
        """Return rows of probabilities over `labels`, one a page."""
        scores = standard @ self.weights.T + self.bias
        exponents = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(exponents / exponents.sum(axis=1, keepdims=True), dtype=np.float32)

    def losses(self, standard: Matrix, truth: Sequence[str]) -> NDArray[np.float64]:
        """Return minus log of the probability of each page's true label."""
        position = {label: index for index, label in enumerate(self.labels)}
        table = self.probabilities(standard)
        right = [table[row, position[label]] if label in position else 0.0 for row, label in enumerate(truth)]
        return np.asarray(-np.log(np.clip(np.array(right, dtype=np.float64), LEAST_PROBABILITY, 1.0)))


@dataclass(frozen=True)
class PageClassifier:
    """A trained model: two heads on standardised features."""

    mean: Vector
    deviation: Vector
    page_class: Head
    boundary: Head

    def answer(self, image: bytes) -> Answer:
        """Return class and boundary of a page image; OSError or ValueError if the image is damaged."""
        standard = self._standard(features(image)[np.newaxis])
        heads = (self.page_class, self.boundary)
        return Answer(*(head.labels[int(head.probabilities(standard)[0].argmax())] for head in heads))

    def loss(self, examples: Sequence[Example]) -> float:
        """Return the mean loss over examples, in nats."""
        standard = self._standard(np.stack([example.features for example in examples]))
        losses = self.page_class.losses(standard, [example.answer.page_class for example in examples])
        losses = losses + self.boundary.losses(standard, [example.answer.boundary for example in examples])
        return float(losses.mean())

    def _standard(self, table: Matrix) -> Matrix:
        return np.asarray(np.clip((table - self.mean) / self.deviation, -MOST_DEVIATION, MOST_DEVIATION))


class _HeadTraining:
    """One head while it learns; a head with a single label has nothing to learn."""

    def __init__(self, standard: Matrix, truth: Sequence[str]) -> None:
        # Imported late: a server that only classifies is spared the second and more that scikit-learn takes to load.
        from sklearn.linear_model import LogisticRegression

        self._standard = standard
        self._truth = truth
        self._labels = tuple(sorted(set(truth)))
        self._regression = LogisticRegression(max_iter=SOLVER_STEPS, warm_start=True)

    def run_pass(self, weight: float) -> Head:
        count = len(self._labels)
        if count == 1:
            return Head(self._labels, np.zeros((1, self._standard.shape[1]), np.float32), np.zeros(1, np.float32))
        self._regression.C = weight
        with warnings.catch_warnings():
            # A pass stops early on purpose, of which the solver warns; the next one continues from there.
            warnings.simplefilter("ignore")
            self._regression.fit(self._standard, self._truth)
        weights, bias = self._regression.coef_, self._regression.intercept_
        if count == 2:
            # Two labels have one row of weights, the second label's.
            weights, bias = np.vstack([np.zeros_like(weights), weights]), np.concatenate([np.zeros_like(bias), bias])
        return Head(self._labels, weights.astype(np.float32), bias.astype(np.float32))


def train(
    examples: Sequence[Example], validation: Sequence[Sequence[Example]], epochs: int
) -> Iterator[tuple[Pass, PageClassifier]]:
    """Learn in `epochs` × PASSES_PER_EPOCH passes; yield after each its losses and the model so far.

    `validation` holds any number of sets that are only measured. ValueError without examples.
    """
    if not examples:
        raise ValueError("there is nothing to learn from")
    # The solver adds up in order, so a fixed order makes the same records the same model to the last bit.
    ordered = sorted(examples, key=lambda example: (example.answer, example.features.tobytes()))
    table = np.stack([example.features for example in ordered])
    mean = table.mean(axis=0)
    deviation = table.std(axis=0)
    deviation[deviation < 1e-6] = 1.0
    standard = np.clip((table - mean) / deviation, -MOST_DEVIATION, MOST_DEVIATION)
    classes = _HeadTraining(standard, [example.answer.page_class for example in ordered])
    boundaries = _HeadTraining(standard, [example.answer.boundary for example in ordered])
    for number, weight in enumerate(np.geomspace(FIRST_WEIGHT, LAST_WEIGHT, epochs * PASSES_PER_EPOCH), start=1):
        with threadpool_limits(limits=1):
            model = PageClassifier(mean, deviation, classes.run_pass(float(weight)), boundaries.run_pass(float(weight)))
            losses = tuple(model.loss(measured) for measured in validation)
            training_loss = model.loss(ordered)
        yield Pass(number, (number - 1) // PASSES_PER_EPOCH + 1, training_loss, losses), model
