"""Where AWS's documentation does not say how Bedrock behaves: a switch for each guess, with a value for each answer."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from idp_local.bedrock.errors import Absence, Refusal
from idp_local.bedrock.foundation_models import FineTunableModel, Nova2HyperParameter
from idp_local.bedrock.s3 import SlashEcho


class Switches(BaseModel):
    """How the local Bedrock behaves if nobody has seen the real one do so; the defaults are our best guesses.

    Times are in seconds. What each switch is about, and what a job does under it, is in docs/bedrock-answers.md.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)

    absent_job: Absence = "ResourceNotFoundException"
    absent_model: Absence = "ResourceNotFoundException"
    absent_deployment: Absence = "ResourceNotFoundException"
    # Until then neither Get nor List shows what a Create made.
    visible_after: float = Field(default=0, ge=0)
    # From the creation of a job or deployment on.
    get_throttled_for: float = Field(default=0, ge=0)
    # From the end of a job on, until Get and List show the model's ARN.
    model_arn_after: float = Field(default=0, ge=0)
    s3_uri_echo: SlashEcho = "as given"
    # What a second request with the same clientRequestToken gets; None: the ARN of the first.
    token_replay: Refusal | None = None
    # Statuses that botocore does not list, each shown for a phase's least time: of a job before InProgress, of a
    # deployment after Creating, and of a deployment that is being deleted; None: it is gone at once.
    first_job_statuses: tuple[str, ...] = ()
    last_deployment_statuses: tuple[str, ...] = ()
    deletion_status: str | None = None
    # How a deletion is refused that comes too early, and how often each deployment and model refuses one beyond that.
    mutating: Refusal = "ValidationException"
    deletions_refused: int = Field(default=0, ge=0)
    nova_2_refuses: tuple[Nova2HyperParameter, ...] = ()
    nova_2_validation_set: bool = False
    nova_2_minimum_records: int = Field(default=200, ge=1)
    # None: without limit.
    jobs_in_progress: int | None = Field(default=None, ge=1)
    deployments_in_progress: int | None = Field(default=None, ge=1)

    def adapt(self, model: FineTunableModel) -> FineTunableModel:
        """Return the model with what the switches say of Nova 2."""
        if not model.is_nova_2:
            return model
        return model.model_copy(
            update={
                "validation_set": self.nova_2_validation_set,
                "minimum_records": self.nova_2_minimum_records,
                "hyperparameters": tuple(name for name in model.hyperparameters if name not in self.nova_2_refuses),
            }
        )

    def changed(self) -> dict[str, object]:
        """Return the switches that do not have their default, by their names in JSON."""
        return self.model_dump(mode="json", by_alias=True, exclude_defaults=True)


DEFAULTS = Switches()
