"""Hyperparameters of fine-tuning: their values in a job, and which of them a base model has."""

from __future__ import annotations

from typing import Literal

from idp_finetuning.wire import InputModel, WireModel


class HyperParameters(InputModel):
    """Values by Bedrock's names; None: not given by the caller, or not sent to Bedrock."""

    epoch_count: int | None = None
    batch_size: int | None = None
    learning_rate: float | None = None
    learning_rate_warmup_steps: int | None = None

    @property
    def given(self) -> dict[str, int | float]:
        """The values there are, by Bedrock's names."""
        return self.model_dump(by_alias=True, exclude_none=True)

    def for_bedrock(self) -> dict[str, str]:
        """Return the map of strings that CreateModelCustomizationJob takes; numbers without an exponent."""
        return {
            name: str(value) if isinstance(value, int) else f"{value:.10f}".rstrip("0")
            for name, value in self.given.items()
        }


class HyperParameterSpec(WireModel):
    """A hyperparameter of one base model, and what it may be.

    `sent` says whether `default` is sent if the caller gives no value. An `optional` one is left out, and the job
    created without it, if Bedrock refuses its name.
    """

    name: Literal["epochCount", "batchSize", "learningRate", "learningRateWarmupSteps"]
    kind: Literal["integer", "number"]
    default: float
    minimum: float
    maximum: float
    sent: bool
    optional: bool = False

    @property
    def range(self) -> str:
        """For example `1 to 5`."""
        return f"{self.minimum:g} to {self.maximum:g}" if self.minimum < self.maximum else f"{self.minimum:g} only"

    def allows(self, value: float) -> bool:
        """Return whether the value is in range; NaN never is."""
        return self.minimum <= value <= self.maximum
