"""Two jobs at once where Lambda may run ten functions: nothing is lost to throttling, and the API answers.

The real figures, 500 documents of five seconds each, take a quarter of an hour:
`python -m benchmarks --only sharedConcurrency`.
"""

from __future__ import annotations

import pytest

from benchmarks.shared_concurrency import LIMIT, measure_shared_concurrency

pytestmark = pytest.mark.xdist_group("pipeline_of_single_jobs")


@pytest.mark.parametrize("seconds_apart", [0, 3], ids=["at once", "one after the other"])
def test_two_jobs_leave_the_api_its_part_of_ten_functions(seconds_apart: float) -> None:
    found = measure_shared_concurrency(20, 0.8, seconds_apart=seconds_apart)
    assert (found["documents"], found["rejected"]) == (40, 0)
    assert found["apiCalls"] > 20
    assert found["apiCallsRefused"] == 0
    assert found["apiSlowestSeconds"] < 5
    assert found["throttledInAll"] == 0
    assert 4 <= found["mostAtOnce"] <= LIMIT * 0.8
