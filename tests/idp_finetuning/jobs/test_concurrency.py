"""The Map's concurrency: a share of the account's, never so much that the API has no room."""

from __future__ import annotations

from itertools import product

import pytest

from idp_finetuning.jobs.concurrency import MINIMUM_CONCURRENCY, share_concurrency


@pytest.mark.parametrize(
    ("unreserved", "others", "expected"),
    [
        (1000, [], 40),
        (1000, [40] * 12, 40),
        (1000, [40] * 15, 37),  # 600 among 16
        (1000, [40] * 20, 2),
        (50, [], 30),
        (50, [30], 10),  # half of 30 would be 15, but 30 + 15 are more than 40
        (50, [None], 15),
        (10, [], 6),
        (10, [None], 3),
        (10, [3], 3),
        (10, [6], 2),
        (10, [6, 2], 2),
        (0, [], 2),
        (None, [], 6),
    ],
)
def test_a_job_gets_its_share(unreserved: int | None, others: list[int | None], expected: int) -> None:
    assert share_concurrency(40, unreserved=unreserved, others=others) == expected


def test_the_operators_number_is_never_exceeded() -> None:
    assert share_concurrency(5, unreserved=1000, others=[]) == 5


def test_jobs_that_start_one_after_the_other_leave_a_fifth_while_the_minimum_allows_it() -> None:
    for unreserved, wanted in product(range(200), (2, 7, 40, 1000)):
        begun: list[int] = []
        for _ in range(6):
            begun.append(share_concurrency(wanted, unreserved=unreserved, others=begun))
            assert min(begun) >= MINIMUM_CONCURRENCY
            more_than_minimum = [one for one in begun if one > MINIMUM_CONCURRENCY]
            minimum = MINIMUM_CONCURRENCY * (len(begun) - len(more_than_minimum))
            assert sum(begun) <= max(unreserved * 0.8, sum(more_than_minimum) + minimum)
            assert sum(more_than_minimum) <= unreserved * 0.8
