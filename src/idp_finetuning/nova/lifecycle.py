"""Where a base model is in its life, as Bedrock says."""

from __future__ import annotations

from datetime import datetime, timedelta

from idp_finetuning.wire import UtcTime, WireModel

# A model trained now is to be used for a while.
NEAR = timedelta(days=365)


class ModelLifecycle(WireModel):
    """Status and announced end of life (botocore: bedrock FoundationModelLifecycle).

    The status is ACTIVE or LEGACY, or one that AWS adds later.
    """

    status: str
    end_of_life: UtcTime | None = None

    def warn(self, name: str, now: datetime) -> str | None:
        """Return a warning about the base model of this name if it is LEGACY or ends within a year."""
        if self.end_of_life and self.end_of_life - now < NEAR:
            state = f"reaches its end of life on {self.end_of_life:%Y-%m-%d}"
        elif self.status == "LEGACY":
            state = "is LEGACY in Bedrock"
        else:
            return None
        return (
            f"{name} {state}. Before you rely on a model trained on it, read AWS's page on the model lifecycle, or "
            "choose another base model."
        )
