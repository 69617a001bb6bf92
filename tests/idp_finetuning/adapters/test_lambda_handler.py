"""Log lines of the Lambda functions stay short, whatever a request holds."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from idp_finetuning.adapters.lambda_handler import LONGEST_TEXT, logger, resolver_handler
from idp_finetuning.errors import TransientError

pytestmark = pytest.mark.usefixtures("environment")


@pytest.mark.parametrize("fails", [False, True])
def test_a_request_of_a_megabyte_does_not_make_a_log_line_of_a_megabyte(
    monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    written = io.StringIO()
    monkeypatch.setattr(logger.registered_handler, "stream", written)
    long = "x" * 1_000_000

    def respond(event: dict[str, Any], _: object) -> object:
        if fails:
            raise TransientError(f"{event['arguments']['jobId']} is busy.")
        return True

    handler = resolver_handler(respond, lambda error: {"error": error.code})
    handler({"field": long, "arguments": {"jobId": long, "input": {"testSetId": long}}}, None)
    (line,) = written.getvalue().splitlines()
    assert len(line) < 10 * LONGEST_TEXT
    assert json.loads(line)["job_id"] == f"{'x' * LONGEST_TEXT}…"
