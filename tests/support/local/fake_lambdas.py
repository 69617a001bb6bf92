"""Small handlers in place of the product's: the event says what they do, and they log each event."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from idp_finetuning.errors import DocumentRejected, TestSetInvalid, TransientError

Handler = Callable[[dict[str, Any], Any], Any]


def handler_of(name: str) -> Handler:
    """Return the handler of a function of deployment.FUNCTIONS; one without a behaviour returns `{}`."""

    def handler(event: dict[str, Any], context: Any) -> Any:
        sys.stdout.write(json.dumps({"event": event}) + "\n")  # at once: workers share the file
        sys.stdout.flush()
        behaviour = _BEHAVIOURS.get(name)
        return behaviour(event) if behaviour else {}

    return handler


def _validate_test_set(event: dict[str, Any]) -> dict[str, Any]:
    if event["jobId"].startswith("invalid"):
        raise TestSetInvalid("Insufficient documents: 3 found, 10 needed.")
    return {
        "key": f"jobs/{event['jobId']}/manifest.json",
        "concurrency": 8 if event["jobId"].startswith("greedy") else 4,
    }


def _generate_example(event: dict[str, Any]) -> dict[str, Any]:
    document = event["document"]
    match document["behaviour"]:
        case "reject":
            raise DocumentRejected("encrypted", "The file is protected by a password.")
        case "sleep":
            time.sleep(document["seconds"])
        case "wait":
            while not Path(document["until"]).exists():
                time.sleep(0.02)
        case "die":
            os._exit(3)
        case "fail once":
            mark = Path(document["mark"])
            if not mark.exists():
                mark.touch()
                raise TransientError("Throttled.")
    return {"grows": "x" * 1000}


def _end_job(event: dict[str, Any]) -> dict[str, Any]:
    cause = json.loads(event["error"]["Cause"])
    return {"code": event["error"]["Error"], "message": f"Validation failed: {cause['errorMessage']}"}


def _resolver(event: dict[str, Any]) -> Any:
    """Return the first argument, parsed as JSON; raise for the word "raise"."""
    argument = next(iter(event["arguments"].values()), '{"data": null}')
    if argument == "raise":
        raise RuntimeError("secret detail")
    return json.loads(argument) if isinstance(argument, str) else {"data": argument}


_BEHAVIOURS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "ValidateTestSet": _validate_test_set,
    "GenerateExample": _generate_example,
    "GetCustomizationJob": lambda _: {"status": "Completed"},
    "GetModelDeployment": lambda _: {"status": "Active"},
    "EndJob": _end_job,
    "Resolver": _resolver,
}
