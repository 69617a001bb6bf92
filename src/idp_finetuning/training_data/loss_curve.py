"""The losses of a training step by step, from the tables that Bedrock leaves beside a job's output."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from statistics import fmean

from idp_finetuning.wire import WireModel

# A plot shows no more, and a long training has a hundred thousand steps.
MAXIMUM_POINTS = 500


class LossPoint(WireModel):
    """The mean loss up to a step, after the point before."""

    step: int
    epoch: int
    loss: float


class LossCurve(WireModel):
    """Both curves, at most 500 points each; empty if Bedrock left no table, as for a model without validation."""

    training: tuple[LossPoint, ...] = ()
    validation: tuple[LossPoint, ...] = ()


def parse_losses(table: bytes) -> tuple[LossPoint, ...]:
    """Return the points of a table with the columns step_number, epoch_number and one that ends in `loss`, by step.

    Rows that have no numbers there are left out; a table of another form has none.
    """
    points: list[LossPoint] = []
    for row in csv.DictReader(io.StringIO(table.decode("utf-8-sig", errors="replace"))):
        named = {(name or "").strip(): value for name, value in row.items() if isinstance(value, str)}
        loss = next((value for name, value in named.items() if name.endswith("loss")), None)
        try:
            point = LossPoint(
                step=int(float(named["step_number"])), epoch=int(float(named["epoch_number"])), loss=float(loss or "")
            )
        except (KeyError, ValueError, OverflowError):
            continue
        if math.isfinite(point.loss):
            points.append(point)
    return _thin(sorted(points, key=lambda point: point.step))


def _thin(points: Sequence[LossPoint]) -> tuple[LossPoint, ...]:
    size = math.ceil(len(points) / MAXIMUM_POINTS) or 1
    groups = (points[start : start + size] for start in range(0, len(points), size))
    return tuple(group[-1].model_copy(update={"loss": fmean(point.loss for point in group)}) for group in groups)
