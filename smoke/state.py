"""What a run has done and made, in a file, so that the next run goes on and everything is removed at the end."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict


class State(BaseModel):
    """One run: ARNs and names of what it made, steps that are done, and steps the user has refused to pay for."""

    model_config = ConfigDict(frozen=True)

    date: str
    suffix: str
    bucket: str | None = None
    role_arn: str | None = None
    made_place: bool = False
    done: tuple[str, ...] = ()
    agreed: tuple[str, ...] = ()
    jobs: tuple[str, ...] = ()
    paid_job: str | None = None
    model: str | None = None
    deployment: str | None = None

    @property
    def prefix(self) -> str:
        """Prefix of all objects; the role of a deployed stack may read below it and write to `<prefix>output/`."""
        return f"jobs/smoke-{self.suffix}/"

    def name(self, what: str) -> str:
        """Return a name for Bedrock, legal for jobs, models and deployments."""
        return f"smoke-{self.suffix}-{what}"


class StateFile:
    """The state of the run that is not finished."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.state = (
            State.model_validate_json(path.read_text(encoding="utf-8"))
            if path.exists()
            else State(date=datetime.now(UTC).strftime("%Y-%m-%d"), suffix=secrets.token_hex(4))
        )

    def change(self, **changes: Any) -> State:
        """Write these members."""
        self.state = self.state.model_copy(update=changes)
        draft = self._path.with_suffix(".draft")
        draft.write_text(self.state.model_dump_json(indent=1) + "\n", encoding="utf-8")
        draft.replace(self._path)
        return self.state

    def add_job(self, arn: str | None) -> None:
        """Keep the ARN of a customization job, to stop it and to name it at the end."""
        if arn and arn not in self.state.jobs:
            self.change(jobs=(*self.state.jobs, arn))

    def finish(self) -> None:
        """Remove the file."""
        self._path.unlink(missing_ok=True)
