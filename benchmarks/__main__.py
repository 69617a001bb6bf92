"""Runs the benchmarks, prints a table and writes build/bench.json."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.bundle_import import measure_bundle_import
from benchmarks.local_trainer import measure_local_trainer
from idp_local.demo.class_folders import read_class_folders
from idp_local.demo.documents import demo_test_set


class Section(NamedTuple):
    """One benchmark: what it is called in the table, what its rows are, and what a reader has to know of them."""

    title: str
    measure: Callable[[], Mapping[str, Any]]
    remark: str


def sections(docs: Path | None) -> dict[str, Section]:
    """The benchmarks by their name in build/bench.json."""
    documents = read_class_folders(docs).documents if docs else demo_test_set()
    return {
        "bundleImport": Section(
            "bundle import",
            measure_bundle_import,
            "Import time of the resolver and its clients, against an empty handler on the same packages.",
        ),
        "localTrainer": Section(
            "local trainer",
            lambda: measure_local_trainer(documents),
            "The local trainer is a stand-in: it says nothing about Nova.",
        ),
    }


def main() -> int:
    """Command line of `python -m benchmarks`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--docs", type=Path, help="a folder of class folders; default: the demo's documents")
    arguments = parser.parse_args()
    results: dict[str, Any] = {"documents": str(arguments.docs or "demo")}
    for name, section in sections(arguments.docs).items():
        rows = section.measure()
        results[name] = dict(rows)
        for row, value in rows.items():
            print(f"{section.title:<14} {row:<26} {value}")
        print(f"{section.title:<14} {section.remark}", flush=True)
    target = Path("build/bench.json")
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(f"Written to {target}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
