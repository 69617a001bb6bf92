"""Valid id tokens for all threads of a client."""

from __future__ import annotations

import threading
from collections.abc import Callable

from idp_sdk.errors import NotSignedIn, SessionExpired
from idp_sdk.signin.tokens import Tokens


class Session:
    """Hands out id tokens that are valid for a minute or more; refreshes them under a lock.

    `sign_in` is called if there are no tokens or they cannot be refreshed, `keep` with new ones.
    """

    def __init__(
        self,
        *,
        tokens: Tokens | None = None,
        refresh: Callable[[Tokens], Tokens] | None = None,
        sign_in: Callable[[], Tokens] | None = None,
        keep: Callable[[Tokens], None] | None = None,
    ) -> None:
        self._tokens = tokens
        self._refresh = refresh
        self._sign_in = sign_in
        self._keep = keep
        self._lock = threading.Lock()

    def id_token(self, *, refused: str | None = None) -> str:
        """Return a valid id token, and another one than the server has `refused`.

        Raises NotSignedIn, SessionExpired, SignInFailed.
        """
        with self._lock:
            # If another thread was refused the same token, it has been renewed by now.
            if not self._tokens or self._tokens.expiring or self._tokens.id_token.get_secret_value() == refused:
                self._tokens = self._renew(self._tokens)
                if self._keep:
                    self._keep(self._tokens)
            return self._tokens.id_token.get_secret_value()

    def _renew(self, tokens: Tokens | None) -> Tokens:
        if tokens and self._refresh:
            try:
                return self._refresh(tokens)
            except SessionExpired:
                if not self._sign_in:
                    raise
        if not self._sign_in:
            raise NotSignedIn("Nobody is signed in. Sign in with: idp-cli login; or set IDP_USERNAME and IDP_PASSWORD.")
        return self._sign_in()


class FixedSession(Session):
    """One token that was made elsewhere; it cannot be renewed."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self._token = token

    def id_token(self, *, refused: str | None = None) -> str:
        """Return the token. Raises SessionExpired once the server has refused it."""
        if refused is not None:
            raise SessionExpired("The server does not accept the given token. Give one that is valid, or sign in.")
        return self._token
