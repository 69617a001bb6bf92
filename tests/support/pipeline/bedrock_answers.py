"""The matrix of Bedrock's possible answers: what a job does under each."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from idp_local.bedrock.errors import Absence, Refusal
from idp_local.bedrock.switches import Switches

NOVA_1 = "us.amazon.nova-lite-v1:0"
# The catalogue as an operator has edited it after an answer of Bedrock: both take 8 records, the second a validation
# file too.
NOVA_2 = "us.amazon.nova-2-lite-v1:0"
NOVA_2_WITH_VALIDATION = "us.amazon.nova-2-pro-v1:0"
FEW_RECORDS = 8
CATALOGUE = f"""
import idp_finetuning.nova.base_models as catalogue

models = tuple(
    model.model_copy(update={{
        "minimum_records": {FEW_RECORDS},
        "validation_supported": model.validation_supported or model.id == "{NOVA_2_WITH_VALIDATION}",
    }})
    for model in catalogue.base_models()
)
catalogue.base_models = lambda: models
"""

Outcome = Literal["completes", "waits, then completes", "fails"]


class Answer(BaseModel):
    """What Bedrock does, by switches, and what becomes of a job; `name` names it in docs/bedrock-answers.md.

    `lost`: the responses to all tries of one Create call are lost, of the job's and of the deployment's, so that the
    next has to find what exists. `jobs` run side by side. A job that is `deleted` is so after its end, with all that
    it has in Bedrock. `words` are in the message of a job that fails.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    switches: Switches = Switches()
    lost: bool = False
    base_model: str = NOVA_1
    hyperparameters: dict[str, Any] = {}
    jobs: int = 1
    phase_seconds: float = 0.2
    deleted: bool = False
    outcome: Outcome = "completes"
    words: str = ""

    @property
    def job_names(self) -> tuple[str, ...]:
        """Names of the jobs, legal in Bedrock."""
        return tuple(f"answer-{ANSWERS.index(self)}-{number}" for number in range(self.jobs))


def _absent(code: Absence) -> Switches:
    return Switches(absent_job=code, absent_model=code, absent_deployment=code)


def _clinging(code: Refusal) -> Switches:
    return Switches(mutating=code, deletions_refused=2)


# The first of each base model comes without anything else that is special: the others repeat its training.
ANSWERS: tuple[Answer, ...] = (
    Answer(name="nothing unusual", deleted=True),
    Answer(
        name="Nova 2 takes fewer than 200 records",
        switches=Switches(nova_2_minimum_records=FEW_RECORDS),
        base_model=NOVA_2,
    ),
    Answer(
        name="Nova 2 takes a validation file",
        switches=Switches(nova_2_validation_set=True, nova_2_minimum_records=FEW_RECORDS),
        base_model=NOVA_2_WITH_VALIDATION,
    ),
    Answer(
        name="Nova 2 refuses fewer than 200 records",
        base_model=NOVA_2,
        outcome="fails",
        words="Nova 2 Lite needs at least 200",
    ),
    Answer(
        name="Nova 2 refuses a validation file",
        switches=Switches(nova_2_minimum_records=FEW_RECORDS),
        base_model=NOVA_2_WITH_VALIDATION,
        outcome="fails",
        words="Nova 2.0 doesn't support validation set",
    ),
    Answer(
        name="Nova 2 refuses the learningRateWarmupSteps a user gives",
        switches=Switches(nova_2_refuses=("learningRateWarmupSteps",), nova_2_minimum_records=FEW_RECORDS),
        base_model=NOVA_2,
        hyperparameters={"learningRateWarmupSteps": 10},
    ),
    Answer(
        name="Nova 2 refuses batchSize",
        switches=Switches(nova_2_refuses=("batchSize",), nova_2_minimum_records=FEW_RECORDS),
        base_model=NOVA_2,
    ),
    Answer(name="absent name: ResourceNotFound", lost=True, deleted=True),
    Answer(name="absent name: Validation", switches=_absent("ValidationException"), lost=True, deleted=True),
    Answer(name="absent name: AccessDenied", switches=_absent("AccessDeniedException"), lost=True, deleted=True),
    Answer(name="Get and List lag Create", switches=Switches(visible_after=3)),
    Answer(name="Get and List lag a Create whose response was lost", switches=Switches(visible_after=3), lost=True),
    Answer(name="output prefix shown with slash", switches=Switches(s3_uri_echo="with slash"), lost=True),
    Answer(name="output prefix shown without slash", switches=Switches(s3_uri_echo="without slash"), lost=True),
    Answer(name="token replay: Conflict", switches=Switches(token_replay="ConflictException"), lost=True),
    Answer(name="token replay: Validation", switches=Switches(token_replay="ValidationException"), lost=True),
    Answer(
        name="token replay: Conflict while lists lag",
        switches=Switches(token_replay="ConflictException", visible_after=3),
        lost=True,
    ),
    Answer(
        name="Queued and Scheduled before InProgress", switches=Switches(first_job_statuses=("Queued", "Scheduled"))
    ),
    Answer(
        name="Updating and Deleting of deployments",
        switches=Switches(last_deployment_statuses=("Updating",), deletion_status="Deleting"),
        phase_seconds=1,
        deleted=True,
    ),
    Answer(name="deletion refused twice: Validation", switches=_clinging("ValidationException"), deleted=True),
    Answer(name="deletion refused twice: Conflict", switches=_clinging("ConflictException"), deleted=True),
    Answer(name="a Completed job shows no model yet", switches=Switches(model_arn_after=4)),
    Answer(name="Get throttled for long", switches=Switches(get_throttled_for=40)),
    Answer(
        name="quota of customization jobs in progress: 1",
        switches=Switches(jobs_in_progress=1),
        jobs=3,
        phase_seconds=4,
        outcome="waits, then completes",
    ),
    Answer(
        name="quota of deployments in progress: 1",
        switches=Switches(deployments_in_progress=1),
        jobs=3,
        phase_seconds=8,
        outcome="waits, then completes",
    ),
)
