"""`python -m benchmarks.handler_process`: runs Lambda handlers on the events in stdin and prints their cost."""

from __future__ import annotations

import json
import resource
import sys
import time
from collections import Counter
from importlib import import_module
from pathlib import Path
from typing import Any

from idp_finetuning.adapters.aws_calls import client
from idp_finetuning.deployment import FUNCTIONS

_MODULES = {spec.name: spec.module for spec in FUNCTIONS}


def main() -> None:
    """Read [{"function", "event"}, ...] and print {"peakBytes", "ran": [...]}."""
    requests: Counter[str] = Counter()
    items_read = Counter[str]()
    client("s3").meta.events.register(
        "before-send.s3", lambda event_name, **_: requests.update([_operation(event_name)])
    )
    client("dynamodb").meta.events.register(
        "after-call.dynamodb.Query", lambda parsed, **_: items_read.update(items=parsed["ScannedCount"])
    )
    ran: list[dict[str, Any]] = []
    for call in json.load(sys.stdin):
        handler = import_module(f"lambdas.{_MODULES[call['function']]}").handler
        requests.clear()
        items_read.clear()
        began = time.perf_counter()
        result = handler(call["event"], None)
        seconds = time.perf_counter() - began
        ran.append({"seconds": seconds, "s3": dict(requests), "items_read": items_read["items"], "result": result})
    print(json.dumps({"peakBytes": _peak_bytes(), "ran": ran}))


def _operation(event_name: str) -> str:
    return event_name.rsplit(".", 1)[-1]


def _peak_bytes() -> int:
    """Read the peak resident memory; on Linux ru_maxrss alone would count the process that started this one."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    main()
