"""The tokens that Cognito issues, kept so that no text shows them."""

from __future__ import annotations

import time
from typing import Any

from pydantic import BaseModel, ConfigDict, SecretStr

REFRESH_BEFORE_SECONDS = 60


class Tokens(BaseModel):
    """The tokens of one user; `expires_at` is the id token's end in seconds since 1970."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    username: str
    id_token: SecretStr
    access_token: SecretStr
    refresh_token: SecretStr | None = None
    expires_at: float

    @property
    def expiring(self) -> bool:
        """Whether the id token ends within a minute or has ended."""
        return time.time() >= self.expires_at - REFRESH_BEFORE_SECONDS

    def reveal(self) -> dict[str, Any]:
        """Return all members in the clear, for the credentials file only."""
        return {
            "username": self.username,
            "id_token": self.id_token.get_secret_value(),
            "access_token": self.access_token.get_secret_value(),
            "refresh_token": self.refresh_token.get_secret_value() if self.refresh_token else None,
            "expires_at": self.expires_at,
        }
