"""The losses of a training as a picture, for the report of an evaluation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from idp_sdk import LossCurve, LossPoint

_LEFT, _WIDTH, _TOP, _HEIGHT = 60, 600, 10, 200


def loss_plot(curve: LossCurve | None) -> list[str]:
    """Return a heading and a plot of the losses over the steps, or nothing if there are none.

    A description stands for the picture.
    """
    if curve is None or not curve.training:
        return []
    drawn = [("training", curve.training), *([("validation", curve.validation)] if curve.validation else [])]
    points = [point for _, line in drawn for point in line]
    steps, high = max(point.step for point in points), _round_up(max(point.loss for point in points))

    def place(point: LossPoint) -> tuple[float, float]:
        return _LEFT + _WIDTH * point.step / steps, _TOP + _HEIGHT * (1 - point.loss / high)

    described = "; ".join(f"{name} loss from {line[0].loss:.3f} to {line[-1].loss:.3f}" for name, line in drawn)
    parts = [f'<svg viewBox="0 0 800 {_TOP + _HEIGHT + 50}" role="img" aria-label="{escape(described)}">']
    for part in range(5):
        y = _TOP + _HEIGHT * part / 4
        parts.append(f'<line class="axis" x1="{_LEFT}" x2="{_LEFT + _WIDTH}" y1="{y}" y2="{y}"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{high * (1 - part / 4):.2g}</text>')
    for x, text, anchor in ((_LEFT, "0", "start"), (_LEFT + _WIDTH, f"step {steps:,}", "end")):
        parts.append(f'<text x="{x}" y="{_TOP + _HEIGHT + 20}" text-anchor="{anchor}">{text}</text>')
    lowest = -math.inf
    for name, line in sorted(drawn, key=lambda one: -one[1][-1].loss):
        places = [place(point) for point in line]
        lowest = max(places[-1][1] + 4, lowest + 16)  # the names stand below each other
        parts += [*_line(name, places), f'<text x="{_LEFT + _WIDTH + 10}" y="{lowest:.1f}">{name}</text>']
    return ["<h2>Losses of the training</h2>", "".join([*parts, "</svg>"])]


def _line(name: str, places: Sequence[tuple[float, float]]) -> list[str]:
    x, y = places[-1]
    path = " ".join(f"{left:.1f},{top:.1f}" for left, top in places)
    return [
        f'<polyline class="loss {name}" points="{path}"/>' if len(places) > 1 else "",
        f'<circle class="loss-end {name}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>',
    ]


def _round_up(loss: float) -> float:
    """Return the end of an axis with four equal parts that read well; 1 if there is no loss."""
    if loss <= 0:
        return 1.0
    power = 10 ** math.floor(math.log10(loss))
    return float(next(step * power for step in (1, 2, 4, 6, 8, 10) if step * power >= loss))
