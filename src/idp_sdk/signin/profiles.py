"""Profiles on disk: connections in config.json, tokens in credentials.json; only their owner may read them."""

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
from idp_sdk.signin.tokens import Tokens
from idp_sdk.text_files import decode_text

DEFAULT_PROFILE = "default"
CONFIG_FILE = "config.json"
CREDENTIALS_FILE = "credentials.json"


class _Credentials(BaseModel):
    """Tokens with their deployment, so that they are never sent to another."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    connection: Connection
    tokens: Tokens


class Profiles:
    """The profiles in a directory; by default $IDP_CONFIG_DIR, or ~/.config/idp."""

    def __init__(self, directory: Path | None = None) -> None:
        self.directory = directory or Path(os.environ.get("IDP_CONFIG_DIR") or Path.home() / ".config" / "idp")

    def names(self) -> tuple[str, ...]:
        """Return the names of the configured profiles."""
        return tuple(sorted(self._read(CONFIG_FILE)))

    def connection(self, name: str) -> Connection | None:
        """Return the profile's connection, or None if there is none. Raises NotConfigured if the file is damaged."""
        values = self._read(CONFIG_FILE).get(name)
        return None if values is None else Connection.of(values, f"Profile '{name}' in '{self.directory}'")

    def save_connection(self, name: str, connection: Connection) -> None:
        """Write a profile's connection; replaces an earlier one."""
        written = connection.model_dump(by_alias=True, exclude_none=True)
        self._write(CONFIG_FILE, {**self._read(CONFIG_FILE), name: written})

    def tokens(self, name: str, connection: Connection) -> Tokens | None:
        """Return the profile's tokens, or None if there are none for this connection."""
        try:
            stored = _Credentials.model_validate(self._read(CREDENTIALS_FILE).get(name))
        except ValidationError:
            return None
        return stored.tokens if stored.connection.same_deployment(connection) else None

    def save_tokens(self, name: str, connection: Connection, tokens: Tokens) -> None:
        """Write a profile's tokens with their connection."""
        written = {"connection": connection.model_dump(by_alias=True, exclude_none=True), "tokens": tokens.reveal()}
        self._write(CREDENTIALS_FILE, {**self._read(CREDENTIALS_FILE), name: written})

    def renew_tokens(self, name: str, connection: Connection, tokens: Tokens) -> None:
        """Write renewed tokens, unless the profile was signed out in the meantime.

        If they cannot be written, for example in a read-only container, only this process uses them.
        """
        with suppress(NotConfigured):
            if self.tokens(name, connection):
                self.save_tokens(name, connection, tokens)

    def forget_tokens(self, name: str) -> None:
        """Remove a profile's tokens."""
        profiles = dict(self._read(CREDENTIALS_FILE))
        if profiles.pop(name, None) is not None:
            self._write(CREDENTIALS_FILE, profiles)

    def _read(self, file: str) -> Mapping[str, Any]:
        path = self.directory / file
        try:
            content = json.loads(decode_text(path.read_bytes()))
            profiles = content["profiles"]
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise NotConfigured(f"'{path}' cannot be read: {error.strerror}. Correct its permissions.") from None
        except (ValueError, TypeError, KeyError, RecursionError):
            profiles = None
        if not isinstance(profiles, dict):
            raise NotConfigured(f"'{path}' is damaged. Remove it and run idp-cli configure and idp-cli login again.")
        return profiles

    def _write(self, file: str, profiles: Mapping[str, Any]) -> None:
        """Replace the file atomically; from the beginning only its owner may read it."""
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
