"""The losses of a training from Bedrock's tables, whatever form they have."""

from __future__ import annotations

import pytest

from idp_finetuning.training_data.loss_curve import MAXIMUM_POINTS, LossPoint, parse_losses

HEADER = "step_number,epoch_number,training_loss,perplexity\n"


def test_each_step_is_a_point_in_the_order_of_the_steps() -> None:
    table = HEADER + "2,1,0.5,1.6\n1,1,0.75,2.1\n3,2,0.25,1.3\n"
    assert parse_losses(table.encode()) == (
        LossPoint(step=1, epoch=1, loss=0.75),
        LossPoint(step=2, epoch=1, loss=0.5),
        LossPoint(step=3, epoch=2, loss=0.25),
    )


def test_the_loss_of_a_validation_is_found_by_its_column() -> None:
    assert parse_losses(b"step_number,epoch_number,validation_loss\n10,1,0.5\n") == (
        LossPoint(step=10, epoch=1, loss=0.5),
    )


@pytest.mark.parametrize(
    "row", ["x,1,0.5,1", "1,1,,1", "1,1,nan,1", "1,1,inf,1", "1", "", "1,1,0.5e999,1", "inf,1,0.5,1", '"1\n2",1,0.5,1']
)
def test_a_row_without_numbers_is_left_out(row: str) -> None:
    assert parse_losses(f"{HEADER}{row}\n7,1,0.5,1\n".encode()) == (LossPoint(step=7, epoch=1, loss=0.5),)


@pytest.mark.parametrize("table", [b"", b"\xff\xfe\x00", b"{}", b"a,b\n1,2\n", b"step_number,epoch_number\n1,1\n"])
def test_a_table_of_another_form_has_no_points(table: bytes) -> None:
    assert parse_losses(table) == ()


@pytest.mark.parametrize("steps", [499, 500, 501, 999, 1_000, 100_000])
def test_a_long_training_is_thinned_to_means_that_end_with_the_last_step(steps: int) -> None:
    table = HEADER + "".join(f"{step},1,{step % 2},1\n" for step in range(1, steps + 1))
    points = parse_losses(table.encode())
    assert steps // 2 < len(points) * 200 or len(points) > 200
    assert 250 <= len(points) <= MAXIMUM_POINTS
    assert points[-1].step == steps
    if steps == 1_000:
        assert {point.loss for point in points} == {0.5}
