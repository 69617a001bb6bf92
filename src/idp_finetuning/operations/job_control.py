"""Operations that start, stop, retry and delete fine-tuning jobs; each only starts the work."""

from __future__ import annotations

import hashlib
import json
from uuid import uuid4

from pydantic import Field, field_validator

from idp_finetuning.adapters.aws_calls import aws_calls
from idp_finetuning.adapters.services import Services
from idp_finetuning.adapters.workflows import ExecutionStatus
from idp_finetuning.classification.config_versions import VersionName
from idp_finetuning.errors import Conflict, FinetuningError, InternalError, InvalidInput, JobStopping, StaleState
from idp_finetuning.jobs.failures import stage_failure
from idp_finetuning.jobs.job import ENDED, STAGES, FinetuningJob, JobConfiguration, JobStatus
from idp_finetuning.jobs.life import RESUMABLE
from idp_finetuning.nova.base_models import find_base_model
from idp_finetuning.nova.hyper_parameters import HyperParameters
from idp_finetuning.operations.arguments import BaseModelId, Id, Input, JobArguments
from idp_finetuning.operations.identity import Identity, shown_name
from idp_finetuning.operations.scope import find_scope, require_in_scope
from idp_finetuning.stages.offered_models import require_offered
from idp_finetuning.stages.retry import choose_resumption
from idp_finetuning.stages.train import stop_training
from idp_finetuning.test_sets.split import DEFAULT_TRAIN_SPLIT, Repeat, TrainSplit
from idp_finetuning.text import is_one_line
from idp_finetuning.wire import WireModel, timestamp

_RUNNING = ExecutionStatus.RUNNING


class StartFinetuningJobInput(WireModel):
    """Settings of a new job."""

    job_name: str = Field(min_length=1, max_length=256)
    test_set_id: Id
    base_model: BaseModelId
    train_split: TrainSplit | None = None
    hyper_parameters: HyperParameters | None = None
    repeat: Repeat | None = None
    config_version: VersionName | None = None
    evaluate: bool | None = None
    evaluation_test_set_id: Id | None = None
    notify_owner: bool | None = None
    client_token: str | None = Field(default=None, min_length=1, max_length=128)

    @field_validator("job_name")
    @classmethod
    def _require_visible(cls, value: str) -> str:
        value = value.strip()
        if not value or not is_one_line(value):
            raise ValueError("a job name has at least one visible character and no control characters")
        return value

    @property
    def digest(self) -> str:
        """SHA-256 of the request without its token."""
        content = self.model_dump(mode="json", exclude={"client_token"}, exclude_none=True)
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def start_finetuning_job(
    arguments: Input[StartFinetuningJobInput], identity: Identity, services: Services
) -> FinetuningJob:
    """Create a job and start its workflow; the same client token and input return the same job.

    That also works if the test set or the version has been deleted since.
    """
    request = arguments.input
    token = f"token#{identity.sub}#{request.client_token}" if request.client_token else None
    known = services.jobs.find_by_token(token, request.digest) if token else None
    new_id = str(uuid4())
    job = known or _create_job(new_id, request, token, identity, services)
    if job.status is JobStatus.VALIDATING:
        _start_workflow(job, services, is_new=job.id == new_id)
    return job


def _create_job(
    job_id: str, request: StartFinetuningJobInput, token: str | None, identity: Identity, services: Services
) -> FinetuningJob:
    """Create the job, or return the one that a faster request with this token created.

    Raises InvalidInput for hyperparameters that the model does not have and for an evaluation that cannot be,
    ModelUnavailable if the account may not fine-tune it.
    """
    configuration = _snapshot_configuration(request.config_version, identity, services)
    model = find_base_model(request.base_model)
    hyper_parameters = model.choose_hyper_parameters(request.hyper_parameters)
    test_set = services.test_sets.get(request.test_set_id)
    test_set.require_ready()
    _require_evaluation(request, services)
    warnings = require_offered(model, services.bedrock)
    now = timestamp()
    return services.jobs.create(
        FinetuningJob(
            id=job_id,
            job_name=request.job_name,
            test_set_id=test_set.id,
            test_set_name=test_set.name,
            base_model=request.base_model,
            base_model_name=model.short_name,
            status=JobStatus.VALIDATING,
            train_split=DEFAULT_TRAIN_SPLIT if request.train_split is None else request.train_split,
            hyper_parameters=hyper_parameters,
            repeat=request.repeat or 1,
            config_version=request.config_version,
            evaluate=request.evaluate is not False,
            evaluation_test_set_id=request.evaluation_test_set_id,
            notify_address=_find_address(identity, services) if request.notify_owner else None,
            created_by=shown_name(identity, services),
            created_by_sub=identity.sub,
            client_token=token,
            warnings=warnings,
            created_at=now,
            updated_at=now,
        ),
        token,
        request.digest,
        configuration,
    )


def _require_evaluation(request: StartFinetuningJobInput, services: Services) -> None:
    """Raise InvalidInput if the test set to evaluate on is the one to train with, or no evaluation is wanted.

    Raises TestSetNotFound, or TestSetInvalid if it is not complete.
    """
    if request.evaluation_test_set_id is None:
        return
    if request.evaluate is False:
        raise InvalidInput("evaluationTestSetId contradicts evaluate: false. Leave one of them out.")
    if request.evaluation_test_set_id == request.test_set_id:
        raise InvalidInput(
            "evaluationTestSetId is the test set to train with. Choose another one, or leave it out: then the model is "
            "evaluated on the documents that the job holds out."
        )
    services.test_sets.get(request.evaluation_test_set_id).require_ready()


def _find_address(identity: Identity, services: Services) -> str:
    """Return the caller's e-mail address. Raises InvalidInput if there is none, or this deployment sends no e-mail."""
    if services.mailer is None:
        raise InvalidInput(
            "This deployment sends no e-mail: its operator sets notificationSender for that. Leave notifyOwner out."
        )
    address = identity.email
    if not address:
        with aws_calls():
            address = services.user_directory.find(identity.username).email
    if not address:
        raise InvalidInput("The user pool has no e-mail address of yours. Leave notifyOwner out.")
    return address


def _snapshot_configuration(name: str | None, identity: Identity, services: Services) -> JobConfiguration | None:
    """Return the snapshot a new job takes of a version in the caller's scope."""
    if not name:
        return None
    require_in_scope(identity, name, services)
    version = services.config_versions.get(name)
    prompt = version.classification.prompt.require_trainable()
    return JobConfiguration(config_version=version.name, revision=version.revision, **dict(prompt))


def _start_workflow(job: FinetuningJob, services: Services, *, is_new: bool) -> None:
    """Start the workflow of the job's run, unless an earlier request did; a new job without one becomes FAILED."""
    try:
        with aws_calls():
            services.finetuning.start(job.current_run, job.execution_name, stage=job.status)
    except Exception as error:
        if not is_new:
            raise  # the first request may have started it
        # No job may stay in a stage without a workflow, whatever the error was.
        code = error.code if isinstance(error, FinetuningError) else InternalError.__name__
        message = (
            f"the workflow could not be started ({code}). Retry the job; if that fails again, ask the operator to look "
            "at the resolver's log."
        )
        services.jobs.fail(job.current_run, job.status, stage_failure(job.status, code, message))
        raise


def stop_finetuning_job(arguments: JobArguments, identity: Identity, services: Services) -> FinetuningJob:
    """Stop a running job; idempotent. Before training it is STOPPED at once, later its workflow ends it."""
    job = services.jobs.get(arguments.job_id)
    if job.status in (JobStatus.STOPPING, JobStatus.STOPPED):
        return job
    if job.status not in STAGES:
        raise Conflict(f"Job '{job.id}' is {job.status}; only a running job can be stopped.")
    try:
        stopping = services.jobs.stop(job.current_run, f"{shown_name(identity, services)} asked to stop the job.")
    except (StaleState, JobStopping) as ended:
        raise Conflict(f"Job '{job.id}' ended just before it could be stopped.") from ended
    if stopping.status is JobStatus.STOPPING:
        stop_training(stopping, services.bedrock)
    return stopping


def retry_finetuning_job(arguments: JobArguments, identity: Identity, services: Services) -> FinetuningJob:
    """Resume a failed or stopped job at the stage that did not finish; finished training is used again."""
    job = services.jobs.get(arguments.job_id)
    if job.status not in RESUMABLE:
        raise Conflict(f"Job '{job.id}' is {job.status}; only a FAILED or STOPPED job can be retried.")
    try:
        resumption = choose_resumption(job, services.bedrock)
        resumed = services.jobs.resume(
            job.current_run, resumption, f"{shown_name(identity, services)} retried the job."
        )
    except (StaleState, JobStopping) as moved:
        raise Conflict(f"Job '{job.id}' was retried or deleted by another request just now.") from moved
    _start_workflow(resumed, services, is_new=True)
    return resumed


def delete_finetuning_job(arguments: JobArguments, identity: Identity, services: Services) -> bool:
    """Start the deletion of an ended job and its resources; a deletion that did not finish starts again."""
    job = services.jobs.get(arguments.job_id)
    if job.status not in ENDED and job.status is not JobStatus.DELETING:
        raise Conflict(f"Job '{job.id}' is {job.status}. Stop it first, or delete it when it has ended.")
    _refuse_while_used(job, identity, services)
    if job.status is JobStatus.DELETING and services.deletion.status(job.deletion_name) in (None, _RUNNING):
        services.deletion.start(job.current_run, job.deletion_name)  # a request at the same time may be about to
        return True
    try:
        deleting = services.jobs.move(
            job.current_run,
            JobStatus.DELETING,
            f"{shown_name(identity, services)} asked to delete the job.",
            deletion_attempt=job.deletion_attempt + 1,
        )
    except StaleState as moved:
        raise Conflict(f"Job '{job.id}' was retried by another request just now. Stop it first.") from moved
    services.deletion.start(deleting.current_run, deleting.deletion_name)
    return True


def _refuse_while_used(job: FinetuningJob, identity: Identity, services: Services) -> None:
    """Raise Conflict if configuration versions use the job's model; names only those in the caller's scope."""
    if not job.used_by:
        return
    scope = find_scope(identity, services)
    seen = [f"'{name}'" for name in job.used_by if scope.allows(name)]
    hidden = len(job.used_by) - len(seen)
    others = [f"{hidden} beyond your scope, which an Admin can see"] if hidden else []
    raise Conflict(
        f"The model of job '{job.id}' is used by configuration version {', '.join([*seen, *others])}. Give it another "
        "model, or delete it, first."
    )
