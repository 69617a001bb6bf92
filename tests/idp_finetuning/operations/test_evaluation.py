"""evaluateFinetuningJob, getEvaluationReport and gateFinetuningJob through the schema."""

from __future__ import annotations

from typing import Any

import pytest

from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.adapters.tables.test_sets import TestSetTable
from idp_finetuning.evaluation.layout import EvaluationLayout
from idp_finetuning.jobs import life
from idp_finetuning.jobs.evaluation import EvaluationRun
from idp_finetuning.jobs.job import JobStatus
from idp_finetuning.jobs.layout import JobLayout
from idp_finetuning.nova.prompt import ANSWER_TOKENS
from idp_finetuning.stages.evaluation_records import fail_job_evaluation
from idp_finetuning.test_sets.page_counts import CountedDocument, PageCounts
from idp_finetuning.test_sets.split import Split
from idp_finetuning.training_data.dataset_documents import DatasetDocument
from idp_finetuning.training_data.examples import bound_tokens
from tests.idp_finetuning.conftest import client
from tests.support.domain.api import ApiError, call
from tests.support.domain.evaluated import CUSTOM, PROMPT, evaluation_report, pages_of_report
from tests.support.domain.samples import job, ready_test_set

pytestmark = pytest.mark.usefixtures("environment")
ID = job().id


def test_an_evaluation_is_started_once_at_a_time(environment: dict[str, str], jobs: JobTable) -> None:
    jobs.create(job(status=JobStatus.COMPLETED), None, "")
    first = call("evaluateFinetuningJob", jobId=ID)["evaluation"]
    assert (first["number"], first["status"]) == (1, "RUNNING")
    arn = environment["EVALUATION_STATE_MACHINE_ARN"]
    started = client("stepfunctions").list_executions(stateMachineArn=arn)["executions"]
    assert [item["name"] for item in started] == [f"{ID}-evaluation-1"]


def test_one_that_was_begun_and_not_started_yet_is_started_and_no_other(
    environment: dict[str, str], jobs: JobTable
) -> None:
    jobs.create(job(status=JobStatus.COMPLETED), None, "")
    jobs.update(ID, lambda found: life.begin_evaluation(found, 1, "By a request at the same time."))
    assert call("evaluateFinetuningJob", jobId=ID)["evaluation"]["number"] == 1
    arn = environment["EVALUATION_STATE_MACHINE_ARN"]
    started = client("stepfunctions").list_executions(stateMachineArn=arn)["executions"]
    assert [item["name"] for item in started] == [f"{ID}-evaluation-1"]


@pytest.mark.parametrize("runs", [True, False])
def test_while_one_runs_no_other_is_started_and_one_that_was_lost_is_replaced(
    jobs: JobTable, monkeypatch: pytest.MonkeyPatch, runs: bool
) -> None:
    jobs.create(job(status=JobStatus.COMPLETED), None, "")
    call("evaluateFinetuningJob", jobId=ID)
    describe = client("stepfunctions").describe_execution
    status = {"status": "RUNNING" if runs else "ABORTED"}
    monkeypatch.setattr(client("stepfunctions"), "describe_execution", lambda **given: describe(**given) | status)
    again = call("evaluateFinetuningJob", jobId=ID)["evaluation"]
    assert (again["number"], again["status"]) == (1 if runs else 2, "RUNNING")


def begin(jobs: JobTable, test_sets: TestSetTable, **changes: Any) -> None:
    """A completed job, and test set `extra` beside its own."""
    jobs.create(job(status=JobStatus.COMPLETED, **changes), None, "")
    test_sets.create(ready_test_set())
    test_sets.create(ready_test_set("extra"))


@pytest.mark.parametrize(
    ("of_the_job", "asked_for", "chosen"),
    [
        (None, None, None),
        (None, "docsplit", None),
        (None, "extra", "extra"),
        ("extra", None, "extra"),
        ("extra", "docsplit", None),
    ],
)
def test_the_documents_are_those_asked_for_or_those_of_the_job(
    jobs: JobTable, test_sets: TestSetTable, of_the_job: str | None, asked_for: str | None, chosen: str | None
) -> None:
    begin(jobs, test_sets, evaluation_test_set_id=of_the_job)
    given = {"testSetId": asked_for} if asked_for else {}
    assert call("evaluateFinetuningJob", jobId=ID, **given)["evaluation"]["testSetId"] == chosen


def test_while_one_runs_on_other_documents_the_request_is_refused(jobs: JobTable, test_sets: TestSetTable) -> None:
    begin(jobs, test_sets)
    call("evaluateFinetuningJob", jobId=ID)
    with pytest.raises(ApiError, match=r"Evaluation 1 of job .* runs on other documents, or asks others\. Wait"):
        call("evaluateFinetuningJob", jobId=ID, testSetId="extra")
    assert call("evaluateFinetuningJob", jobId=ID)["evaluation"]["number"] == 1


def test_a_limit_of_the_cost_is_kept_or_refused_if_the_base_model_has_no_price(
    jobs: JobTable, test_sets: TestSetTable
) -> None:
    begin(jobs, test_sets)
    assert call("evaluateFinetuningJob", jobId=ID, maximumCost=2.5)["evaluation"]["maximumCost"] == 2.5
    other = "6f1c2b1e-0000-4000-8000-000000000003"
    jobs.create(job(id=other, status=JobStatus.COMPLETED, base_model="us.amazon.nova-2-pro-v1:0"), None, "")
    with pytest.raises(ApiError, match=r"PriceUnknown: No price of the model 'us\.amazon\.nova-2-pro-v1:0' is known"):
        call("evaluateFinetuningJob", jobId=other, maximumCost=2.5)
    with pytest.raises(ApiError, match="InvalidInput"):
        call("evaluateFinetuningJob", jobId=ID, maximumCost=0)
    assert jobs.get(other).evaluation is None


@pytest.mark.parametrize(
    ("running", "asked_for", "refused"), [(None, 1.0, True), (2.0, 1.0, True), (1.0, 1.0, False), (1.0, None, False)]
)
def test_a_limit_that_the_running_evaluation_does_not_keep_is_not_lost(
    jobs: JobTable, test_sets: TestSetTable, running: float | None, asked_for: float | None, refused: bool
) -> None:
    begin(jobs, test_sets)
    call("evaluateFinetuningJob", jobId=ID, maximumCost=running)
    if refused:
        with pytest.raises(ApiError, match=r"Conflict: Evaluation 1 .* does not keep this maximumCost"):
            call("evaluateFinetuningJob", jobId=ID, maximumCost=asked_for)
    else:
        assert call("evaluateFinetuningJob", jobId=ID, maximumCost=asked_for)["evaluation"]["number"] == 1


def test_a_test_set_that_is_gone_or_being_deleted_is_refused_before_anything_begins(
    jobs: JobTable, test_sets: TestSetTable
) -> None:
    begin(jobs, test_sets)
    test_sets.close("extra")
    with pytest.raises(ApiError, match=r"TestSetInvalid: .* is being deleted"):
        call("evaluateFinetuningJob", jobId=ID, testSetId="extra")
    with pytest.raises(ApiError, match="TestSetNotFound"):
        call("evaluateFinetuningJob", jobId=ID, testSetId="gone")
    assert jobs.get(ID).evaluation is None


@pytest.mark.parametrize("status", [JobStatus.TRAINING, JobStatus.FAILED, JobStatus.DELETING])
def test_only_a_completed_job_is_evaluated(jobs: JobTable, status: JobStatus) -> None:
    jobs.create(job(status=status), None, "")
    with pytest.raises(ApiError, match=f"Conflict: .* is {status}; only the model of a COMPLETED job"):
        call("evaluateFinetuningJob", jobId=ID)


def test_the_report_says_why_it_is_not_there(jobs: JobTable) -> None:
    jobs.create(job(status=JobStatus.COMPLETED), None, "")
    with pytest.raises(ApiError, match=r"Conflict: .* no evaluation report: it was not evaluated\. evaluateFine"):
        call("getEvaluationReport", jobId=ID)
    call("evaluateFinetuningJob", jobId=ID)
    with pytest.raises(ApiError, match="its evaluation 1 is RUNNING"):
        call("gateFinetuningJob", jobId=ID)
    fail_job_evaluation(EvaluationRun(job_id=ID, number=1), "The model is gone.", jobs=jobs)
    with pytest.raises(ApiError, match=r"its evaluation 1 is FAILED: The model is gone\. "):
        call("getEvaluationReport", jobId=ID)
    assert call("evaluateFinetuningJob", jobId=ID)["evaluation"]["number"] == 2


@pytest.fixture
def reported(jobs: JobTable, data: DataBucket) -> Any:
    """The report of a job, as it is stored."""
    jobs.create(job(status=JobStatus.COMPLETED), None, "")
    call("evaluateFinetuningJob", jobId=ID)
    report = evaluation_report()
    data.write_model(EvaluationLayout(job_id=ID, number=1).report, report)
    return report.to_wire()


def test_the_whole_report_comes_through_the_schema(reported: Any) -> None:
    assert call("getEvaluationReport", jobId=ID) == reported


def test_every_page_is_listed_with_what_each_model_said(reported: Any, data: DataBucket) -> None:
    pages = pages_of_report()
    lines = [page.model_dump_json(by_alias=True) + "\n" for page in pages]
    data.write(EvaluationLayout(job_id=ID, number=1).pages, "".join(lines).encode())
    found, token = [], None
    while True:
        shown = call("listEvaluatedPages", jobId=ID, limit=5, nextToken=token)
        found += shown["items"]
        if not (token := shown["nextToken"]):
            break
    assert found == [page.to_wire() for page in pages]
    assert [answer["kind"] for answer in found[0]["answers"]] == ["CUSTOM_MODEL", "BASE_MODEL", "MAJORITY_CLASS"]
    with pytest.raises(ApiError, match="InvalidInput"):
        call("listEvaluatedPages", jobId=ID, nextToken="x")


def test_a_version_is_activated_only_if_its_evaluation_proves_it_better(
    reported: Any, jobs: JobTable, data: DataBucket
) -> None:
    data.write_model(JobLayout(job_id=ID).prompt, PROMPT)
    jobs.update(ID, lambda found: life.Outcome(found.model_copy(update={"custom_model_deployment_arn": CUSTOM.model})))
    for name, settings in (("same", {}), ("other", {"temperature": 0.5})):
        call("createConfigVersion", input={"name": name, "fromJob": ID, "classification": settings})
    with pytest.raises(ApiError, match=r"Conflict: .* 'other' was not activated\. It is not what was evaluated"):
        call("activateConfigVersion", name="other", onlyIfBetter=True)
    assert call("activateConfigVersion", name="same", onlyIfBetter=True)["active"]
    call("createConfigVersion", input={"name": "base", "classification": {"classes": [{"name": "letter"}]}})
    with pytest.raises(ApiError, match=r"Conflict: .* has a base model, which no job has evaluated"):
        call("activateConfigVersion", name="base", onlyIfBetter=True)
    assert call("activateConfigVersion", name="base", onlyIfBetter=False)["active"]


def test_while_the_next_evaluation_runs_the_last_report_is_shown(reported: Any, jobs: JobTable) -> None:
    jobs.update(ID, lambda found: life.begin_evaluation(found, 2, "Again."))
    assert call("getEvaluationReport", jobId=ID) == reported
    fail_job_evaluation(EvaluationRun(job_id=ID, number=2), "The model is gone.", jobs=jobs)
    assert call("gateFinetuningJob", jobId=ID)["passed"]


def test_the_gate_answers_by_the_limits_it_is_given(reported: Any) -> None:
    assert call("gateFinetuningJob", jobId=ID)["passed"]
    assert not call("gateFinetuningJob", jobId=ID, minimumGain=0.5)["passed"]
    with pytest.raises(ApiError, match="InvalidInput"):
        call("gateFinetuningJob", jobId=ID, minimumGain=5)


def test_two_jobs_are_compared_if_they_held_the_same_documents_out(
    reported: Any, jobs: JobTable, data: DataBucket
) -> None:
    other = "6f1c2b1e-0000-4000-8000-000000000002"
    lines = "".join(page.model_dump_json(by_alias=True) + "\n" for page in pages_of_report()).encode()
    data.write(EvaluationLayout(job_id=ID, number=1).pages, lines)
    jobs.create(job(other, status=JobStatus.COMPLETED), None, "")
    with pytest.raises(ApiError, match=r"Conflict: .* has no evaluation report"):
        call("compareFinetuningJobs", jobId=ID, otherJobId=other)
    call("evaluateFinetuningJob", jobId=other)
    layout = EvaluationLayout(job_id=other, number=1)
    data.write_model(layout.report, evaluation_report())
    data.write(layout.pages, lines)
    found = call("compareFinetuningJobs", jobId=ID, otherJobId=other)
    assert (found["documents"], found["comparison"]["difference"]["value"]) == (12, 0)
    data.write(layout.pages, lines.replace(b".pdf", b".tiff"))
    with pytest.raises(ApiError, match="InvalidInput: The jobs' latest evaluations have no document in common"):
        call("compareFinetuningJobs", jobId=ID, otherJobId=other)


def test_what_an_evaluation_is_asked_for_stands_on_the_job_and_another_wish_waits(
    jobs: JobTable, test_sets: TestSetTable
) -> None:
    test_sets.create(ready_test_set("foreign"))
    jobs.create(job(status=JobStatus.COMPLETED), None, "")
    wish: dict[str, Any] = {"outOfScopeTestSetId": "foreign", "builtInPrompt": True, "maximumPages": 50}
    begun = call("evaluateFinetuningJob", jobId=ID, **wish)["evaluation"]
    assert {name: begun[name] for name in wish} == wish
    for other in ({"builtInPrompt": False}, {"maximumPages": 51}, {"outOfScopeTestSetId": None}):
        with pytest.raises(ApiError, match=f"Conflict: Evaluation 1 of job '{ID}' runs on other documents, or asks"):
            call("evaluateFinetuningJob", jobId=ID, **(wish | other))
    with pytest.raises(ApiError, match=f"Conflict: Job '{ID}' is being evaluated on test set 'foreign'"):
        call("deleteTestSet", testSetId="foreign")
    with pytest.raises(ApiError, match="TestSetNotFound"):
        call("evaluateFinetuningJob", jobId=ID, outOfScopeTestSetId="gone")
    with pytest.raises(ApiError, match="InvalidInput"):
        call("evaluateFinetuningJob", jobId=ID, maximumPages=0)


def held_out(data: DataBucket, *pages: int) -> None:
    """What the job's workflow leaves: so many held-out documents, and one to train with."""
    layout = JobLayout(job_id=ID)
    data.write_model(layout.prompt, PROMPT)
    sides = [*((Split.VALIDATION, count) for count in pages), (Split.TRAIN, 99)]
    lines = [DatasetDocument(path="x", side=side, classes=("invoice",), pages=count) for side, count in sides]
    data.write(layout.documents, b"\n".join(line.model_dump_json(by_alias=True).encode() for line in lines))


def test_what_an_evaluation_could_cost_is_said_beforehand_and_nothing_is_started(
    environment: dict[str, str], jobs: JobTable, data: DataBucket, test_sets: TestSetTable
) -> None:
    begin(jobs, test_sets)
    held_out(data, 2, 3)
    bound = call("estimateEvaluation", jobId=ID)
    tokens = bound_tokens(PROMPT)
    asked = 2 * 5 + 5  # by both models, and all twice by the custom one
    assert (bound["pages"], bound["answers"], bound["withoutPrice"]) == (5, asked, [])
    assert bound["cost"] == pytest.approx(asked * (tokens * 0.06 + ANSWER_TOKENS * 0.24) / 1_000_000)
    assert bound["pricesAsOf"]
    assert call("estimateEvaluation", jobId=ID, maximumPages=2)["answers"] == 6
    assert call("estimateEvaluation", jobId=ID, testSetId="extra")["pages"] == 1_000  # nobody counted its pages
    assert call("estimateEvaluation", jobId=ID, testSetId="extra", outOfScopeTestSetId="extra")["pages"] == 1_200
    arn = environment["EVALUATION_STATE_MACHINE_ARN"]
    assert client("stepfunctions").list_executions(stateMachineArn=arn)["executions"] == []
    assert call("getFinetuningJob", jobId=ID)["evaluation"] is None


def test_without_a_price_the_cost_is_not_known_and_a_job_that_runs_has_no_estimate(
    jobs: JobTable, data: DataBucket
) -> None:
    held_out(data, 1)
    base = "us.amazon.nova-2-lite-v1:0"
    jobs.create(job(status=JobStatus.COMPLETED, base_model=base), None, "")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("idp_finetuning.evaluation.cost.cost_of", lambda *_: None)
        bound = call("estimateEvaluation", jobId=ID)
    assert (bound["cost"], bound["withoutPrice"]) == (None, [base, base])
    other = jobs.create(job("other", status=JobStatus.TRAINING), None, "").id
    with pytest.raises(ApiError, match="Conflict"):
        call("estimateEvaluation", jobId=other)


@pytest.mark.parametrize(
    ("counted", "maximum", "pages"),
    [
        ([CountedDocument(path="a", pages=3), CountedDocument(path="b", rejection="encrypted")], None, 3),
        ([CountedDocument(path="a", pages=3), CountedDocument(path="b")], None, 1_000),
        (None, None, 1_000),
        (None, 5_000, 5_000),  # a bound, whatever is not known
        ([CountedDocument(path="a", pages=3_000)], 5_000, 3_000),
        ([CountedDocument(path="a", pages=3_000)], None, 1_000),
    ],
)
def test_an_estimate_is_never_below_what_may_be_asked_about(
    jobs: JobTable,
    data: DataBucket,
    test_sets: TestSetTable,
    monkeypatch: pytest.MonkeyPatch,
    counted: list[CountedDocument] | None,
    maximum: int | None,
    pages: int,
) -> None:
    begin(jobs, test_sets)
    held_out(data, 2)
    known = None if counted is None else PageCounts(documents=tuple(counted))
    monkeypatch.setattr("idp_finetuning.operations.evaluation.read_page_counts", lambda *_: known)
    assert call("estimateEvaluation", jobId=ID, testSetId="extra", maximumPages=maximum)["pages"] == pages
