"""What makes a run of chaos fail, and what it prints then."""

from __future__ import annotations

import pytest

from tests.chaos.report import KINDS, Report, verdict


def report(**changes: object) -> Report:
    """Make the report of a run that passed, with these changes."""
    passed = Report(seed=1, faults=dict.fromkeys(KINDS, 1), statuses={"COMPLETED": 40}, violations=(), seconds=60.0)
    return passed.model_copy(update=changes)


def test_runs_with_every_fault_and_no_violation_pass() -> None:
    assert verdict([report(), report(seed=2)], jobs=20) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_of_fault_that_never_happened_fails_the_run_and_is_named(
    kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    without_it = report(faults={**dict.fromkeys(KINDS, 1), kind: 0})

    assert verdict([without_it], jobs=20) == 1
    assert f"NEVER INJECTED {kind}" in capsys.readouterr().out
    assert verdict([without_it, report()], jobs=20) == 0


def test_a_violation_fails_the_run_and_is_named_with_the_way_to_run_it_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    broken = report(seed=20261122, violations=("no ghosts: job 1 was deleted and has a record again",))

    assert verdict([report(), broken], jobs=20) == 1
    printed = capsys.readouterr().out
    assert "broken  no ghosts" in printed
    assert "VIOLATED no ghosts: job 1" in printed
    assert "python -m tests.chaos --jobs 20 --seed 20261122 --directory" in printed
