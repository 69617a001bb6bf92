"""Addresses and names of a running local runtime: the content of `.idp-local/connection.json`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from idp_local.private_files import write_private

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
        """Write the file."""
        text = connection.model_dump_json(by_alias=True, indent=2) + "\n"
        write_private(self.path, text.encode())
        self._written = text

    def remove(self) -> None:
        """Remove the file, unless another runtime has replaced it."""
        if self._written and self.path.exists() and self.path.read_text(encoding="utf-8") == self._written:
            self.path.unlink()


class UserFile:
    """The users of the last start with their passwords, which the next one uses again."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "users.json"

    def read(self) -> Mapping[str, LocalUser]:
        """Return the users by name; none if there is no file that can be read."""
        try:
            return {user.username: user for user in _USERS.validate_json(self._path.read_bytes())}
        except (OSError, ValidationError):
            return {}

    def write(self, users: Iterable[LocalUser]) -> None:
        """Replace the file."""
        write_private(self._path, _USERS.dump_json(tuple(users), by_alias=True, indent=2))


_USERS = TypeAdapter(tuple[LocalUser, ...])
