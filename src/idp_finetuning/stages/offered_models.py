"""Whether this account may fine-tune a base model, asked before anything is paid for."""

from __future__ import annotations

from datetime import UTC, datetime

from idp_finetuning.adapters.aws_calls import aws_calls
from idp_finetuning.adapters.bedrock import Bedrock
from idp_finetuning.errors import FinetuningError, ModelUnavailable
from idp_finetuning.nova.base_models import BaseModelSpec


def require_offered(model: BaseModelSpec, bedrock: Bedrock) -> tuple[str, ...]:
    """Return warnings about the model: near its end of life, or not checked because the call failed.

    A failed call refuses nothing: the job itself will show. Raises ModelUnavailable, naming the models there are.
    """
    try:
        with aws_calls():
            offered = bedrock.fine_tunable_models()
    except FinetuningError as error:
        return (f"Whether this account offers the base model could not be checked: {error.message}",)
    listed = sorted(model.ids & offered.keys())
    if not listed:
        raise ModelUnavailable(
            f"This account does not offer {model.name} ({model.fine_tuning_id}) for fine-tuning. It offers: "
            f"{', '.join(sorted(offered)) or 'no model'}."
        )
    warnings = (offered[model_id].warn(model.name, datetime.now(UTC)) for model_id in listed)
    return tuple(dict.fromkeys(warning for warning in warnings if warning))
