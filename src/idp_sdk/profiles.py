"""Profiles on disk: connections in config.json, tokens in credentials.json, which only its owner may read."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from idp_sdk.connection import Connection
from idp_sdk.errors import NotConfigured
from idp_sdk.tokens import Tokens

DEFAULT_PROFILE = "default"
CONFIG_FILE = "config.json"
CREDENTIALS_FILE = "credentials.json"


class _Credentials(BaseModel):
    """Tokens with the deployment they are for, so that they are never sent to another."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    connection: Connection
    tokens: Tokens


class Profiles:
    """The profiles in a directory; by default $IDP_CONFIG_DIR, or ~/.config/idp."""

    def __init__(self, directory: Path | None = None) -> None:
        self.directory = directory or Path(os.environ.get("IDP_CONFIG_DIR") or Path.home() / ".config" / "idp")

    def names(self) -> tuple[str, ...]:
        """Names of the configured profiles."""
        return tuple(sorted(self._read(CONFIG_FILE)))

    def connection(self, name: str) -> Connection | None:
        """The profile's connection; None where it is not configured. Raises NotConfigured for a broken file."""
        values = self._read(CONFIG_FILE).get(name)
        return None if values is None else Connection.of(values, f"Profile '{name}' in '{self.directory}'")

    def save_connection(self, name: str, connection: Connection) -> None:
        """Configures a profile."""
        written = connection.model_dump(by_alias=True, exclude_none=True)
        self._write(CONFIG_FILE, {**self._read(CONFIG_FILE), name: written})

    def tokens(self, name: str, connection: Connection) -> Tokens | None:
        """The tokens of a signed-in profile; None where there are none, or none for this connection."""
        try:
            stored = _Credentials.model_validate(self._read(CREDENTIALS_FILE).get(name))
        except ValidationError:
            return None
        return stored.tokens if stored.connection.same_deployment(connection) else None

    def save_tokens(self, name: str, connection: Connection, tokens: Tokens) -> None:
        """Keeps the tokens of a profile."""
        written = {"connection": connection.model_dump(by_alias=True, exclude_none=True), "tokens": tokens.revealed()}
        self._write(CREDENTIALS_FILE, {**self._read(CREDENTIALS_FILE), name: written})

    def renew_tokens(self, name: str, connection: Connection, tokens: Tokens) -> None:
        """Keeps renewed tokens, unless the profile was signed out meanwhile.

        Where they cannot be written, for example in a read-only container, they serve this process alone.
        """
        with suppress(NotConfigured):
            if self.tokens(name, connection):
                self.save_tokens(name, connection, tokens)

    def forget_tokens(self, name: str) -> None:
        """Removes the tokens of a profile."""
        profiles = dict(self._read(CREDENTIALS_FILE))
        if profiles.pop(name, None) is not None:
            self._write(CREDENTIALS_FILE, profiles)

    def _read(self, file: str) -> Mapping[str, Any]:
        path = self.directory / file
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            profiles = content["profiles"]
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise NotConfigured(f"'{path}' cannot be read: {error.strerror}. Correct its permissions.") from None
        except (ValueError, TypeError, KeyError):
            profiles = None
        if not isinstance(profiles, dict):
            raise NotConfigured(f"'{path}' is damaged. Remove it and run idp-cli configure and idp-cli login again.")
        return profiles

    def _write(self, file: str, profiles: Mapping[str, Any]) -> None:
        """Replaces the file at once, so that nobody ever reads half of it or more than its owner may."""
        path = self.directory / file
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, draft = tempfile.mkstemp(prefix=f".{file}.", dir=self.directory)  # 0600 from the beginning
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as stream:
                    stream.write(json.dumps({"profiles": profiles}, indent=2) + "\n")
                Path(draft).replace(path)
            except BaseException:
                Path(draft).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise NotConfigured(
                f"'{path}' cannot be written: {error.strerror}. Correct the directory's permissions, or set "
                "IDP_CONFIG_DIR to another."
            ) from None
