"""What the runs of chaos did and found, and whether they pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from tests.chaos import bedrock, disturbance, users
from tests.chaos.invariants import INVARIANTS
from tests.support.local.faults import FaultKind

PROGRAM = ".venv/bin/python -m tests.chaos"
ENDED_EXECUTIONS = {"ABORTED": "execution aborted", "TIMED_OUT": "execution timed out"}
KINDS = (
    *(kind.value for kind in FaultKind),
    disturbance.DUPLICATE,
    disturbance.LATE,
    disturbance.START_REFUSED,
    *bedrock.KINDS,
    *users.KINDS,
    *ENDED_EXECUTIONS.values(),
)


class Report(BaseModel):
    """One run: how often each kind of fault was injected, how many jobs ended in each status, what broke."""

    model_config = ConfigDict(frozen=True)

    seed: int
    faults: Mapping[str, int]
    statuses: Mapping[str, int]
    violations: tuple[str, ...]
    seconds: float

    @property
    def text(self) -> str:
        """Return the report for people."""
        return "\n".join(
            (
                f"Seed {self.seed}: {sum(self.statuses.values())} jobs in {self.seconds:.0f} s",
                "Faults injected:",
                *(f"  {count:6}  {kind}" for kind, count in self.faults.items()),
                "Jobs at the end:",
                *(f"  {count:6}  {status}" for status, count in sorted(self.statuses.items())),
                "Invariants checked:",
                *(f"  {self._verdict(name)}  {name}" for name in INVARIANTS),
                *(f"VIOLATED {violation}" for violation in self.violations),
            )
        )

    def _verdict(self, name: str) -> str:
        return "broken" if any(text.startswith(f"{name}:") for text in self.violations) else "    ok"


def never_injected(reports: Sequence[Report]) -> tuple[str, ...]:
    """Return the kinds of faults that happened in none of the runs: these show nothing about them."""
    return tuple(kind for kind in KINDS if not any(report.faults[kind] for report in reports))


def verdict(reports: Sequence[Report], *, jobs: int) -> int:
    """Print the reports, the faults that none of the runs had, and how to run again; return the exit code."""
    for report in reports:
        print(report.text, flush=True)
    missing = never_injected(reports)
    for kind in missing:
        print(f"NEVER INJECTED {kind}: run more jobs")
    broken = [report.seed for report in reports if report.violations]
    if not missing and not broken:
        return 0
    seeds = " ".join(str(seed) for seed in broken or [report.seed for report in reports])
    print(f"FAILED. Run it again with logs: {PROGRAM} --jobs {jobs} --seed {seeds} --directory build/chaos")
    return 1
