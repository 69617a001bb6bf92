"""`python -m tests.chaos`: runs jobs under random faults on the local runtime, then checks the invariants.

The exit code is 0 only if all invariants hold and every kind of fault was injected.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from idp_local.child import exit_on_signals
from idp_local.environment import forget_settings
from tests.chaos.report import PROGRAM, Report, verdict
from tests.chaos.run import run


def main() -> int:
    """Run one seed a thread, print the reports, and return the exit code."""
    options = _parser().parse_args()
    forget_settings()
    exit_on_signals()
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=PROGRAM, description="Runs jobs under random faults and checks what is left.")
    parser.add_argument("--jobs", type=int, default=300, help="jobs of each seed (default: 300)")
    parser.add_argument(
        "--seed",
        type=int,
        nargs="+",
        default=[1],
        help="a run for each, all at once; the same seed draws the same faults (default: 1)",
    )
    parser.add_argument("--directory", type=Path, help="folder for the logs (default: a folder that is removed)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
