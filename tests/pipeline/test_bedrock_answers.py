"""Whatever Bedrock may answer if AWS does not document it: the job completes, waits, or fails with the right words."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from idp_finetuning.jobs.job import JobStatus
from idp_local.bedrock.switches import DEFAULTS
from tests.support.docs_pages import table
from tests.support.pipeline.bedrock_answers import ANSWERS, Answer
from tests.support.pipeline.switched import Ended, SwitchedRun

pytestmark = pytest.mark.xdist_group("bedrock_answers")

each_answer = pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer.name)


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Ended]:
    """What became of the jobs, by the names of the answers."""
    return SwitchedRun(tmp_path_factory.mktemp("answers")).run()


@each_answer
def test_a_job_ends_as_the_matrix_says(ended: Mapping[str, Ended], answer: Answer) -> None:
    found = ended[answer.name]
    expected = JobStatus.FAILED if answer.outcome == "fails" else JobStatus.COMPLETED
    assert [(job.status, job.error_message) for job in found.jobs if job.status is not expected] == []
    assert all(answer.words in str(job.error_message) for job in found.jobs)
    assert found.waited == answer.outcome.startswith("waits")


@each_answer
def test_each_job_trains_once_and_nothing_stops_it(ended: Mapping[str, Ended], answer: Answer) -> None:
    found = ended[answer.name]
    assert (found.trainings, found.operations.get("StopModelCustomizationJob", 0)) == (answer.jobs, 0)
    assert found.unlost == ()


@pytest.mark.parametrize("answer", [one for one in ANSWERS if one.deleted], ids=lambda answer: answer.name)
def test_a_deleted_job_leaves_nothing_in_bedrock(ended: Mapping[str, Ended], answer: Answer) -> None:
    assert ended[answer.name].left == 0


def test_the_documentation_has_the_same_matrix() -> None:
    assert table("bedrock-answers", "if Bedrock") == {
        answer.name: [_describe(answer), answer.outcome + (f": {answer.words}" if answer.words else "")]
        for answer in ANSWERS
    }


def test_the_documentation_has_every_switch_with_its_default() -> None:
    defaults = DEFAULTS.model_dump(mode="json", by_alias=True)
    shown = {name: default.replace('"', "") for name, (_, default) in table("bedrock-answers", "switch").items()}
    assert shown == {
        name: value if isinstance(value, str) else json.dumps(value).replace("0.0", "0")
        for name, value in defaults.items()
    }


def _describe(answer: Answer) -> str:
    return json.dumps(answer.switches.changed()) if answer.switches.changed() else ""
