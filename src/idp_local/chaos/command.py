"""`idp-local chaos`: runs, prints, and fails where an invariant is broken or a kind of fault never happened."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from idp_local.chaos.run import Report, never_injected, run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Number of jobs and seeds."""
    parser.add_argument("--jobs", type=int, default=300, help="jobs a seed (default: 300)")
    parser.add_argument(
        "--seed", type=int, nargs="+", default=[1], help="a run each; the same seed draws the same faults (default: 1)"
    )
    parser.add_argument("--directory", type=Path, help="where logs are kept (default: a folder that is removed)")


def run_chaos(options: argparse.Namespace) -> int:
    """The exit code: 0 only where all invariants hold and every kind of fault was injected."""
    reports = []
    with tempfile.TemporaryDirectory(prefix="idp-chaos-") as temporary:
        for seed in options.seed:
            directory = (options.directory or Path(temporary)) / str(seed)
            directory.mkdir(parents=True, exist_ok=True)
            reports.append(run(directory, jobs=options.jobs, seed=seed))
            print(reports[-1].text, flush=True)
    return verdict(reports)


def verdict(reports: Sequence[Report]) -> int:
    """The exit code of the runs; says which faults none of them had."""
    missing = never_injected(reports)
    for kind in missing:
        print(f"NEVER INJECTED {kind}: run more jobs")
    return 1 if missing or any(report.violations for report in reports) else 0
