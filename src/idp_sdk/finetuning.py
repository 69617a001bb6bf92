"""`client.finetuning`: fine-tuning jobs."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator

from idp_finetuning.evaluation.cost import CostBound
from idp_finetuning.evaluation.gate import GateResult
from idp_finetuning.evaluation.report import EvaluatedPage, EvaluationReport
from idp_finetuning.evaluation.two_jobs import JobComparison
from idp_finetuning.jobs.evaluation import EvaluationStatus
from idp_finetuning.jobs.job import JobStatus
from idp_finetuning.nova.hyper_parameters import HyperParameters
from idp_finetuning.nova.prompt import Prompt
from idp_finetuning.training_data.dataset import DatasetReport
from idp_finetuning.training_data.dataset_documents import DatasetDocument
from idp_finetuning.training_data.loss_curve import LossCurve
from idp_sdk import operations
from idp_sdk.api import Api, without_none
from idp_sdk.errors import ConnectionFailed, IDPError, ServerError, Throttled, ValidationRunning, WaitTimeout
from idp_sdk.jobs import Job, JobEvent, JobSummary, Validation
from idp_sdk.waiting import Deadline, require_seconds

VALIDATION_POLL_SECONDS = 2.0
_OUTAGE_POLL_SECONDS = 5.0


class Finetuning:
    """Validates test sets; creates, watches, stops, retries and deletes jobs."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def validate_test_set(
        self,
        test_set_id: str,
        *,
        base_model: str | None = None,
        train_split: float | None = None,
        repeat: int | None = None,
        timeout: float = 900.0,
    ) -> Validation:
        """Check whether a test set can be used for fine-tuning, with `base_model` also for that model.

        The labels of a large test set are read in the background, and with `base_model` the pages of a complete one
        are counted; this waits for them, at most `timeout` seconds.
        Raises TestSetNotFound and WaitTimeout.
        """
        require_seconds(VALIDATION_POLL_SECONDS, timeout)
        deadline = Deadline(timeout)
        variables = {"testSetId": test_set_id, "baseModel": base_model, "trainSplit": train_split, "repeat": repeat}
        while True:
            try:
                return self._api.call(operations.VALIDATE_TEST_SET, variables)
            except ValidationRunning:
                if not deadline.sleep(VALIDATION_POLL_SECONDS):
                    raise WaitTimeout(
                        f"The labels of test set '{test_set_id}' were not read within {timeout:g} seconds. They are "
                        "still being read; validate it again in a while."
                    ) from None

    def create_job(
        self,
        *,
        test_set_id: str,
        base_model: str,
        name: str,
        train_split: float | None = None,
        hyper_parameters: HyperParameters | None = None,
        repeat: int | None = None,
        config_version: str | None = None,
        evaluate: bool | None = None,
        evaluation_test_set_id: str | None = None,
        notify_owner: bool | None = None,
        client_token: str | None = None,
    ) -> Job:
        """Start a job and return it, VALIDATING.

        Calls with the same client token and input return the same job. Without a token each call makes its own, so
        that retries never start a second job. `hyper_parameters` are those the base model has, see
        `models.list_available_models`; what is None has the model's default. Each training page is written `repeat`
        times (1 to 4). `config_version` names the prompt and class descriptions to train with. The model is
        evaluated at the end, unless `evaluate` is False: on the documents that the job holds out, or on those of
        another test set. With `notify_owner` you get an e-mail when both have ended; it is refused if
        e-mail is not set up.
        Raises TestSetNotFound, TestSetInvalid, InvalidInput, ModelUnavailable, Conflict, Unauthorized.
        """
        given = {
            "jobName": name,
            "testSetId": test_set_id,
            "baseModel": base_model,
            "trainSplit": train_split,
            "hyperParameters": hyper_parameters and hyper_parameters.model_dump(by_alias=True, exclude_none=True),
            "repeat": repeat,
            "configVersion": config_version,
            "evaluate": evaluate,
            "evaluationTestSetId": evaluation_test_set_id,
            "notifyOwner": notify_owner,
            "clientToken": client_token or str(uuid.uuid4()),
        }
        wanted = without_none(given)
        return self._api.call(operations.CREATE_JOB, {"input": wanted})

    def get_job(self, job_id: str) -> Job:
        """Return the job as it is now. Raises JobNotFound."""
        return self._api.call(operations.GET_JOB, {"jobId": job_id})

    def list_jobs(
        self,
        *,
        status: JobStatus | None = None,
        base_model: str | None = None,
        test_set_id: str | None = None,
        name_prefix: str | None = None,
        page_size: int = 50,
    ) -> Iterator[JobSummary]:
        """Yield jobs, newest first; pages of up to 100 are fetched as they are needed.

        Default: all of them. `name_prefix` is the beginning of the name, upper or lower case.
        """
        given = {"status": status, "baseModel": base_model, "testSetId": test_set_id, "namePrefix": name_prefix}
        return self._api.items(operations.LIST_JOBS, without_none(given), page_size)

    def stop_job(self, job_id: str) -> Job:
        """Stop a running job: it is STOPPING, then STOPPED. Raises Conflict if it has ended."""
        return self._api.call(operations.STOP_JOB, {"jobId": job_id})

    def retry_job(self, job_id: str) -> Job:
        """Retry a FAILED or STOPPED job from where it ended; training that is paid for is not repeated."""
        return self._api.call(operations.RETRY_JOB, {"jobId": job_id})

    def delete_job(self, job_id: str) -> bool:
        """Start to remove an ended job with its deployment, model and data. Raises Conflict if it is still needed."""
        return self._api.call(operations.DELETE_JOB, {"jobId": job_id})

    def events(self, job_id: str, *, page_size: int = 50) -> Iterator[JobEvent]:
        """Yield a job's events, newest first."""
        return self._api.items(operations.LIST_JOB_EVENTS, {"jobId": job_id}, page_size)

    def report(self, job_id: str) -> DatasetReport:
        """Return what became of the documents, in counts. Raises Conflict until the data set is assembled."""
        return self._api.call(operations.GET_REPORT, {"jobId": job_id})

    def loss_curve(self, job_id: str) -> LossCurve:
        """Return the losses of the training step by step, at most 500 points; empty if Bedrock left none.

        Raises Conflict until the training has ended.
        """
        return self._api.call(operations.GET_LOSS_CURVE, {"jobId": job_id})

    def documents(self, job_id: str, *, page_size: int = 100) -> Iterator[DatasetDocument]:
        """Yield what became of each document, those held out (`side` is "validation") before those to train.

        Raises Conflict until the data set is assembled.
        """
        return self._api.items(operations.LIST_DATASET_DOCUMENTS, {"jobId": job_id}, page_size)

    def evaluate_job(
        self,
        job_id: str,
        *,
        test_set_id: str | None = None,
        out_of_scope_test_set_id: str | None = None,
        built_in_prompt: bool | None = None,
        maximum_pages: int | None = None,
        maximum_cost: float | None = None,
    ) -> Job:
        """Start an evaluation of a COMPLETED job's model, unless one runs; `job.evaluation` says how it ends.

        It is about the documents of the test set, without those that the model was trained with; of the job's own test
        set, about those that it held out. Default: what the job was created with. Answers that an earlier evaluation
        stored are not paid for again. The documents of `out_of_scope_test_set_id` belong to no class of the model: the
        report says how often one is named all the same. With `built_in_prompt` the base model is also asked with the
        built-in prompt. At most `maximum_pages` are asked about (default 1,000), whole documents of each class in turn.
        If it could cost more US dollars than `maximum_cost`, it fails before the first answer. Raises Conflict,
        TestSetNotFound, TestSetInvalid, PriceUnknown.
        """
        given = {
            "jobId": job_id,
            "testSetId": test_set_id,
            "outOfScopeTestSetId": out_of_scope_test_set_id,
            "builtInPrompt": built_in_prompt,
            "maximumPages": maximum_pages,
            "maximumCost": maximum_cost,
        }
        return self._api.call(operations.EVALUATE_JOB, without_none(given))

    def estimate_evaluation(
        self,
        job_id: str,
        *,
        test_set_id: str | None = None,
        out_of_scope_test_set_id: str | None = None,
        built_in_prompt: bool | None = None,
        maximum_pages: int | None = None,
    ) -> CostBound:
        """Return what an evaluation of a COMPLETED job could cost at most, in US dollars; nothing is started.

        `cost` is None if a price is not known. Raises Conflict, TestSetNotFound, TestSetInvalid.
        """
        given = {
            "jobId": job_id,
            "testSetId": test_set_id,
            "outOfScopeTestSetId": out_of_scope_test_set_id,
            "builtInPrompt": built_in_prompt,
            "maximumPages": maximum_pages,
        }
        return self._api.call(operations.ESTIMATE_EVALUATION, without_none(given))

    def evaluation_report(self, job_id: str) -> EvaluationReport:
        """Return what the latest evaluation found. Raises Conflict until it has ended."""
        return self._api.call(operations.GET_EVALUATION_REPORT, {"jobId": job_id})

    def evaluated_pages(self, job_id: str, *, page_size: int = 100) -> Iterator[EvaluatedPage]:
        """Yield what each contestant said of each scored page. Raises Conflict until the evaluation has ended."""
        return self._api.items(operations.LIST_EVALUATED_PAGES, {"jobId": job_id}, page_size)

    def compare_jobs(self, job_id: str, other_job_id: str) -> JobComparison:
        """Compare the other job's model with this one's, on the documents that both were evaluated on.

        Raises Conflict if one was not evaluated, InvalidInput if they have no such document.
        """
        return self._api.call(operations.COMPARE_JOBS, {"jobId": job_id, "otherJobId": other_job_id})

    def gate_job(
        self, job_id: str, *, minimum_gain: float = 0.0, maximum_loss_per_class: float | None = None
    ) -> GateResult:
        """Say whether a model may go live, by its latest evaluation; limits are shares (0.05 is 5 points).

        `minimum_gain` is held against the lower limit of the gain on the base model, `maximum_loss_per_class` against
        the recall of each class with ten held-out pages or more. Raises Conflict without a report.
        """
        limits = {"minimumGain": minimum_gain, "maximumLossPerClass": maximum_loss_per_class}
        return self._api.call(operations.GATE_JOB, {"jobId": job_id, **limits})

    def wait_for_evaluation(self, job_id: str, *, poll_interval: float = 10.0, timeout: float | None = None) -> Job:
        """Wait until no evaluation of a job runs, and return the job; `job.evaluation` is None if there was none.

        Raises WaitTimeout (the evaluation continues) and JobNotFound.
        """
        require_seconds(poll_interval, timeout)
        deadline = Deadline(timeout)
        while True:
            job = self._api.call(operations.GET_JOB, {"jobId": job_id}, deadline=deadline)
            if job.evaluation is None or job.evaluation.status != EvaluationStatus.RUNNING:
                return job
            if not deadline.sleep(poll_interval):
                raise WaitTimeout(
                    f"The evaluation of job '{job_id}' still runs after {timeout:g} seconds. It continues; wait for it "
                    "again."
                )

    def prompt(self, job_id: str) -> Prompt:
        """Return the prompt the job trains with. Raises Conflict until it is written."""
        return self._api.call(operations.GET_JOB_PROMPT, {"jobId": job_id})

    def wait_for_completion(
        self,
        job_id: str,
        *,
        poll_interval: float = 30.0,
        timeout: float | None = None,
        on_progress: Callable[[Job], None] | None = None,
        outage: float = 600.0,
        on_outage: Callable[[IDPError | None], None] | None = None,
    ) -> Job:
        """Wait until a job has ended and return it, COMPLETED, FAILED or STOPPED: look at `status`.

        Polls every `poll_interval` seconds, and a last time when `timeout` seconds have passed; `on_progress` is
        called with the job after each poll. While the service cannot be reached, or fails, polls go on for `outage`
        seconds; `on_outage` is called with the error when that begins, and with None when it is over.
        Raises WaitTimeout (the job continues), JobNotFound (also if it is deleted in the meantime), and ServerError,
        Throttled or ConnectionFailed if that lasts longer.
        """
        require_seconds(poll_interval, timeout)
        require_seconds(outage, None)
        deadline = Deadline(timeout)
        rides_out: Deadline | None = None
        while True:
            try:
                job = self._api.call(operations.GET_JOB, {"jobId": job_id}, deadline=deadline)
            except (ConnectionFailed, ServerError, Throttled) as error:
                if rides_out is None:
                    rides_out = Deadline(outage)
                    if on_outage:
                        on_outage(error)
                left = deadline.remaining
                if left == 0:
                    raise
                pause = max(poll_interval, _OUTAGE_POLL_SECONDS)
                if not rides_out.sleep(pause if left is None else min(pause, left)):
                    raise
                continue
            if rides_out and on_outage:
                on_outage(None)
            rides_out = None
            if on_progress:
                on_progress(job)
            if job.ended:
                return job
            if not deadline.sleep(poll_interval):
                raise WaitTimeout(
                    f"Job '{job_id}' is still {job.status} after {timeout:g} seconds. It continues; wait for it again "
                    "or look at it with get_job."
                )
