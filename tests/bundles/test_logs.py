"""What the bundled functions write to their logs: JSON with the job id, and nothing that documents or callers said."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from idp_finetuning.deployment import FUNCTIONS
from tests.support.bundles.account import DOCUMENT_TEXT, INFERENCE_RESULT, MARKS
from tests.support.bundles.story import Run, Story

# With a colon in the offset, without which Lambda takes the line for INFO.
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}(Z|[+-]\d\d:\d\d)")

BY_NAME = pytest.mark.parametrize("name", [spec.name for spec in FUNCTIONS])


def _lines(story: Story, name: str) -> list[dict[str, Any]]:
    """Lines of a function's log; raises ValueError for one that is no JSON."""
    return [json.loads(line) for line in story.logs[name].splitlines()]


def _job_id(run: Run) -> str | None:
    """The job that an event names, wherever it does."""
    found = run.event.get("jobId") or run.event.get("arguments", {}).get("jobId")
    return str(found) if found else None


def _with_request_id(story: Story, name: str) -> Iterator[tuple[Run, list[dict[str, Any]]]]:
    """Each run with the lines that a function itself has logged in it."""
    lines = _lines(story, name)
    for run in story.runs[name]:
        yield run, [line for line in lines if line.get("request_id") == run.outcome.request_id]


@BY_NAME
def test_every_run_logs_how_it_ended_in_json_with_the_job_it_was_for(story: Story, name: str) -> None:
    for run, lines in _with_request_id(story, name):
        assert len(lines) == 1
        assert lines[0]["service"] == "idp-finetuning"
        assert RFC_3339.fullmatch(lines[0]["timestamp"])
        assert lines[0].get("job_id") == _job_id(run)
        if name != "Resolver":
            assert lines[0]["message"].startswith("failed") == (run.outcome.error_type is not None)


def test_a_pass_of_the_reconciliation_logs_the_numbers_that_alarms_watch(story: Story) -> None:
    _, (run, (line,)), _ = _with_request_id(story, "ReconcileJobs")
    assert line["jobs_ended"] == len(run.outcome.payload["ended"]) > 0
    assert (line["jobs_failed"], line["trainings_stopped"], line["orphans_found"]) == (0, 0, 0)
    assert line["orphans"] == []


@BY_NAME
def test_no_other_line_is_logged_but_the_runtimes_own_of_a_failure(story: Story, name: str) -> None:
    """Lambda's client logs what a handler raises; the line has the id of the request, by which ours is found."""
    others = [line for line in _lines(story, name) if "request_id" not in line]
    failed = [run.outcome for run in story.runs[name] if run.outcome.error_type]
    assert [(line["requestId"], line["errorType"]) for line in others] == [
        (outcome.request_id, outcome.error_type) for outcome in failed
    ]


@BY_NAME
def test_no_document_label_identity_header_or_token_is_logged(story: Story, name: str) -> None:
    assert [mark for mark in MARKS if mark in story.logs[name]] == []


@pytest.mark.parametrize("mark", [mark for mark in MARKS if mark not in (DOCUMENT_TEXT, INFERENCE_RESULT)])
def test_the_functions_were_given_what_they_must_not_log(story: Story, mark: str) -> None:
    assert any(mark in json.dumps(run.event) for runs in story.runs.values() for run in runs)


@BY_NAME
def test_what_a_failure_tells_the_workflow_quotes_no_document_label_or_token(story: Story, name: str) -> None:
    payloads = json.dumps([run.outcome.payload for run in story.runs[name] if run.outcome.error_type])
    assert [mark for mark in MARKS if mark in payloads] == []
