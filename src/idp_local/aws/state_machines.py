"""Creates the state machines from `statemachines/*.asl.json`, with local values in their placeholders."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from idp_local.aws.names import state_machine_name
from idp_local.environment import ACCOUNT_ID
from idp_local.errors import LocalRuntimeError

_SUFFIX = ".asl.json"
_PLACEHOLDER = re.compile(r"\$\{(\w+)\}")


def create_state_machines(stepfunctions: Any, directory: Path, substitutions: Mapping[str, str]) -> None:
    """One state machine a file. Raises LocalRuntimeError where a placeholder has no value."""
    for path in sorted(directory.glob(f"*{_SUFFIX}")):
        workflow = path.name.removesuffix(_SUFFIX)
        stepfunctions.create_state_machine(
            name=state_machine_name(workflow),
            definition=_definition(path, substitutions),
            roleArn=f"arn:aws:iam::{ACCOUNT_ID}:role/{state_machine_name(workflow)}",
        )


def _definition(path: Path, substitutions: Mapping[str, str]) -> str:
    text = path.read_text(encoding="utf-8")
    missing = sorted(set(_PLACEHOLDER.findall(text)) - substitutions.keys())
    if missing:
        raise LocalRuntimeError(f"{path.name} names {', '.join(missing)}, for which there is no local value.")
    return _PLACEHOLDER.sub(lambda match: substitutions[match[1]], text)
