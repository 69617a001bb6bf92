"""Runs the benchmarks, prints a table with the targets and writes build/bench.json."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

from benchmarks.assembly_memory import measure_assembly_memory
from benchmarks.bundle_import import TARGET_RATIO, measure_bundle_import
from benchmarks.cli_help import TARGET_RATIO as HELP_RATIO
from benchmarks.cli_help import measure_cli_help
from benchmarks.document_memory import measure_document_memory
from benchmarks.evaluation_run import measure_evaluation_run
from benchmarks.evaluation_statistics import measure_evaluation_statistics
from benchmarks.job_list import measure_job_list
from benchmarks.large_test_set import measure_large_test_set
from benchmarks.local_trainer import measure_local_trainer
from benchmarks.page_generation import measure_page_generation
from benchmarks.s3_calls import measure_s3_calls
from benchmarks.shared_concurrency import measure_shared_concurrency
from benchmarks.upload import TARGET_RATIO as UPLOAD_RATIO
from benchmarks.upload import measure_upload
from benchmarks.validation import measure_validation
from idp_local.documents.class_folders import read_class_folders
from idp_local.documents.generator import demo_test_set
from idp_sdk import LabelledDocument


class Target(NamedTuple):
    """The bound that one row has to reach."""

    row: str
    bound: Literal["at least", "at most"]
    limit: float

    def met(self, rows: Mapping[str, Any]) -> bool:
        """Return whether the rows reach it."""
        value: float = rows[self.row]
        return value >= self.limit if self.bound == "at least" else value <= self.limit


class Section(NamedTuple):
    """One benchmark: its title in the table, its function, a remark for the reader, and its target.

    One that takes `long` runs only if it is named.
    """

    title: str
    measure: Callable[[], Mapping[str, Any]]
    remark: str
    target: Target | None = None
    long: bool = False


def sections(docs: Path | None) -> dict[str, Section]:
    """Return the benchmarks by their name in build/bench.json."""

    @cache
    def documents() -> Sequence[LabelledDocument]:
        return read_class_folders(docs).documents if docs else demo_test_set()

    return {
        "page_generation": Section(
            "page generation",
            lambda: measure_page_generation(documents()),
            "CPU time from bytes to JPEGs, both processes, against PDFium's drawing and Pillow's encoding alone.",
            Target("ratio", "at least", 0.92),
        ),
        "s3Calls": Section(
            "S3 calls",
            lambda: measure_s3_calls(documents()),
            "Requests of validation, generation and assembly, against 4 + sections + pages a document.",
            Target("ofAllowed", "at most", 1.0),
        ),
        "documentMemory": Section(
            "long document",
            measure_document_memory,
            "Peak memory of a process that generates the examples of one PDF.",
            Target("aboveOnePageMb", "at most", 60),
        ),
        "validation": Section(
            "validation",
            measure_validation,
            "Time in the resolver, with moto's on the same cores; beyond the target it goes on in the background.",
            Target("firstSeconds", "at most", 20),
        ),
        "jobList": Section(
            "job list",
            measure_job_list,
            "Items read for a page of 10 jobs.",
            Target("moreItemsRead", "at most", 0),
        ),
        "assemblyMemory": Section(
            "assembly",
            measure_assembly_memory,
            "Peak memory of a process that assembles the data set.",
            Target("aboveFewMb", "at most", 60),
        ),
        "bundleImport": Section(
            "bundle import",
            measure_bundle_import,
            "Import time of the resolver and its clients, against an empty handler on the same packages.",
            Target("ratio", "at most", TARGET_RATIO),
        ),
        "cliHelp": Section(
            "idp --help",
            measure_cli_help,
            "Time of the whole process, against `python -c pass`.",
            Target("ratio", "at most", HELP_RATIO),
        ),
        "localTrainer": Section(
            "local trainer",
            lambda: measure_local_trainer(documents()),
            "The local trainer is a stand-in: it says nothing about Nova.",
        ),
        "evaluationRun": Section(
            "evaluation run",
            measure_evaluation_run,
            "1,000 held-out pages, peak memory of the scorer over that of 100 pages; takes 3 minutes.",
            Target("scorerAboveFewMb", "at most", 20),
            long=True,
        ),
        "evaluation": Section(
            "evaluation",
            measure_evaluation_statistics,
            "Two equally good models, 48 settings: the worst of each; then half-width and power; takes 7 minutes.",
            Target("differenceCoverage", "at least", 0.90),
            long=True,
        ),
        "largeTestSet": Section(
            "large test set",
            measure_large_test_set,
            "10,000 documents on the local runtime, memory of all its processes; takes 5 minutes.",
            Target("stopSeconds", "at most", 10),
            long=True,
        ),
        "upload": Section(
            "upload",
            measure_upload,
            "Speed of the client library over boto3's transfer manager, with moto on the same cores.",
            Target("ratio", "at least", UPLOAD_RATIO),
            long=True,
        ),
        "sharedConcurrency": Section(
            "concurrency",
            measure_shared_concurrency,
            "Two jobs of 500 documents of 5 s where Lambda may run 10 functions; takes a quarter of an hour.",
            Target("apiCallsRefused", "at most", 0),
            long=True,
        ),
    }


def lines(section: Section, rows: Mapping[str, Any]) -> Iterator[str]:
    """Format the section's rows of the table, its target beside the row it is for."""
    for row, value in rows.items():
        line = f"{section.title:<16} {row:<26} {value!s:<8}"
        if section.target and section.target.row == row:
            verdict = "met" if section.target.met(rows) else "MISSED"
            line += f" {section.target.bound} {section.target.limit:g}: {verdict}"
        yield line.rstrip()
    yield f"{section.title:<16} {section.remark}"


def main() -> int:
    """Run the benchmarks; a missed target is printed, and is no failure."""
    names = list(sections(None))
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--docs", type=Path, help="a folder of class folders; default: the demo's documents")
    parser.add_argument("--only", choices=names, action="append", help="a benchmark to run; may be repeated")
    parser.add_argument("--out", type=Path, default=Path("build/bench.json"), help="default: build/bench.json")
    arguments = parser.parse_args()
    began = time.monotonic()
    results: dict[str, Any] = {"documents": str(arguments.docs or "demo")}
    for name, section in sections(arguments.docs).items():
        if (arguments.only and name not in arguments.only) or (section.long and not arguments.only):
            continue
        rows = section.measure()
        results[name] = dict(rows)
        if section.target:
            results[name]["target"] = {**section.target._asdict(), "met": section.target.met(rows)}
        print("\n".join(lines(section, rows)), flush=True)
    results["seconds"] = round(time.monotonic() - began)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(results, indent=2) + "\n", encoding="utf-8")
    print(f"Written to {arguments.out} after {results['seconds']} s.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
