"""`idp-local chaos`: runs, prints, and fails where an invariant is broken or a kind of fault never happened."""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from idp_local.chaos.run import Report, never_injected, run

PROGRAM = ".venv/bin/idp-local chaos"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Number of jobs and seeds."""
    parser.add_argument("--jobs", type=int, default=300, help="jobs a seed (default: 300)")
    parser.add_argument(
        "--seed",
        type=int,
        nargs="+",
        default=[1],
        help="a run each, all at once; the same seed draws the same faults (default: 1)",
    )
    parser.add_argument("--directory", type=Path, help="where logs are kept (default: a folder that is removed)")


def run_chaos(options: argparse.Namespace) -> int:
    """The exit code: 0 only where all invariants hold and every kind of fault was injected."""
    with tempfile.TemporaryDirectory(prefix="idp-chaos-") as temporary:
        folder = options.directory or Path(temporary)

        def run_seed(seed: int) -> Report:
            directory = folder / str(seed)
            directory.mkdir(parents=True, exist_ok=True)
            return run(directory, jobs=options.jobs, seed=seed)

        # A run at a time would leave most of a machine idle: the account of each is served by one thread.
        with ThreadPoolExecutor(len(options.seed)) as pool:
            try:
                reports = list(pool.map(run_seed, options.seed))
            except (KeyboardInterrupt, SystemExit):
                shutil.rmtree(temporary, ignore_errors=True)
                os._exit(130)  # the runs would wait for their jobs; their processes end with this one
    return verdict(reports, jobs=options.jobs)


def verdict(reports: Sequence[Report], *, jobs: int) -> int:
    """Prints the reports and answers the exit code; says which faults none of the runs had, and how to run again."""
    for report in reports:
        print(report.text, flush=True)
    missing = never_injected(reports)
    for kind in missing:
        print(f"NEVER INJECTED {kind}: run more jobs")
    broken = [report.seed for report in reports if report.violations]
    if not missing and not broken:
        return 0
    seeds = " ".join(str(seed) for seed in broken or [report.seed for report in reports])
    print(f"FAILED. Again with logs: {PROGRAM} --jobs {jobs} --seed {seeds} --directory build/chaos")
    return 1
