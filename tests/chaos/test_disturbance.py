"""Every kind of fault is handed out within a few hundred runs, whatever the seed."""

from __future__ import annotations

import pytest

from idp_local.aws.names import function_name
from idp_local.functions.messages import Outcome, Task
from tests.chaos.disturbance import DUPLICATE, LATE, START_REFUSED, SeededDisturbance
from tests.support.local.faults import FaultKind, faults_of


def task(function: str, **event: str) -> Task:
    """Make a run of a function."""
    return Task(
        request_id="r",
        function_name=function_name(function),
        function_arn="arn",
        handler="h",
        environment={},
        timeout_seconds=1,
        memory_mb=128,
        log_file="",
        event=event,
    )


@pytest.mark.parametrize("seed", [1, 7, 20261122, 20271231])
def test_twenty_jobs_meet_every_kind_of_fault(seed: int) -> None:
    disturbance, first_of = SeededDisturbance(seed), set()

    def run(disturbed: Task) -> Outcome:
        faults = faults_of(disturbed)
        if faults and not faults[0].operation:
            first_of.add(faults[0].kind)
        return Outcome(failed=False, payload={})

    for number in range(20):
        disturbance.run(task("Resolver", field="startFinetuningJob"), run)
        for _ in range(12):  # the fewest runs a started job comes to: its documents'
            disturbance.run(task("GenerateExample", jobId=str(number)), run)
    disturbance.settle()

    assert first_of == set(FaultKind)
    assert all(disturbance.counts[kind] for kind in (DUPLICATE, LATE, START_REFUSED))
