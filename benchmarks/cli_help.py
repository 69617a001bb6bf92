"""How long `idp --help` takes, against a Python that does nothing."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import Any

RUNS = 9
TARGET_RATIO = 8

# The script that pip makes of the entry point.
_HELP = "import sys; from idp_cli.main import main; sys.exit(main(['--help']))"


def measure_cli_help() -> dict[str, Any]:
    """Measure medians in milliseconds of 9 interleaved runs, each a process of its own, and their ratio."""
    programs = {"help": [sys.executable, "-c", _HELP], "pass": [sys.executable, "-c", "pass"]}
    taken: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(RUNS):
        for name, command in programs.items():
            taken[name].append(_seconds(command))
    medians = {name: statistics.median(runs) for name, runs in taken.items()}
    return {
        "helpMs": round(medians["help"] * 1000),
        "passMs": round(medians["pass"] * 1000),
        "ratio": round(medians["help"] / medians["pass"], 2),
        "runs": RUNS,
    }


def _seconds(command: Sequence[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began
