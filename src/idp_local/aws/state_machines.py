"""Creates the state machines from `statemachines/*.asl.json`, with local values in their placeholders."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from idp_finetuning.deployment import placeholders, render_definition
from idp_local.aws.names import state_machine_name
from idp_local.environment import ACCOUNT_ID
from idp_local.errors import LocalRuntimeError

_SUFFIX = ".asl.json"


def create_state_machines(
    stepfunctions: Any,
    directory: Path,
    *,
    names: Mapping[str, str],
    retry_interval_seconds: int,
) -> None:
    """Create a state machine for each file. Raises LocalRuntimeError if `names` lacks one of its placeholders."""
    for path in sorted(directory.glob(f"*{_SUFFIX}")):
        definition = render_definition(
            path.read_text(encoding="utf-8"),
            names=names,
            retry_interval_seconds=retry_interval_seconds,
        )
        missing = sorted(placeholders(definition))
        if missing:
            raise LocalRuntimeError(f"{path.name} names {', '.join(missing)}, for which there is no local value.")
        name = state_machine_name(path.name.removesuffix(_SUFFIX))
        stepfunctions.create_state_machine(
            name=name, definition=definition, roleArn=f"arn:aws:iam::{ACCOUNT_ID}:role/{name}"
        )
