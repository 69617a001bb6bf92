"""Addresses and names of a running local runtime: the content of `.idp-local/connection.json`."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

FILE_NAME = "connection.json"


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)


class LocalUser(_Wire):
    """A seeded user; `group` is None if the user is in none."""

    username: str
    password: str
    group: str | None


class Connection(_Wire):
    """Every address and name a client needs."""

    graphql_url: str
    region: str
    user_pool_id: str
    user_pool_client_id: str
    aws_endpoint_url: str
    bedrock_endpoint_url: str
    test_set_bucket: str
    data_bucket: str
    jobs_table: str
    state_machine_arn: str
    users: tuple[LocalUser, ...]

    def user(self, username: str) -> LocalUser:
        """Return the seeded user of this name. Raises KeyError."""
        for user in self.users:
            if user.username == username:
                return user
        raise KeyError(username)


class ConnectionFile:
    """`connection.json` in a directory, readable by its owner only: it has passwords."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / FILE_NAME
        self._written: str | None = None

    def write(self, connection: Connection) -> None:
        """Write the file atomically: a reader never sees half of it."""
        text = connection.model_dump_json(by_alias=True, indent=2) + "\n"
        draft = self.path.with_suffix(f".{os.getpid()}")
        draft.unlink(missing_ok=True)
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        draft.replace(self.path)
        self._written = text

    def remove(self) -> None:
        """Remove the file, unless another runtime has replaced it."""
        if self._written and self.path.exists() and self.path.read_text(encoding="utf-8") == self._written:
            self.path.unlink()
