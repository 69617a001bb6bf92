"""Runs the benchmarks, prints a table and writes build/bench.json."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.local_trainer import measure_local_trainer
from idp_local.demo.class_folders import read_class_folders
from idp_local.demo.documents import demo_test_set


def main() -> int:
    """Command line of `python -m benchmarks`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--docs", type=Path, help="a folder of class folders; default: the demo's documents")
    arguments = parser.parse_args()
    documents = read_class_folders(arguments.docs).documents if arguments.docs else demo_test_set()
    results = {"documents": str(arguments.docs or "demo"), "localTrainer": measure_local_trainer(documents)}
    target = Path("build/bench.json")
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    for name, value in results["localTrainer"].items():  # type: ignore[attr-defined]
        print(f"local trainer  {name:<26} {value}")
    print(f"Written to {target}. The local trainer is a stand-in: it says nothing about Nova.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
