"""`client.users`: who uses the deployment, and which configuration versions they may see and use."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from idp_finetuning.classification.scopes import User
from idp_sdk import operations
from idp_sdk.api import Api


class Users:
    """Reads users and sets their scope; all but `me` is for Admins."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def me(self) -> User:
        """Return the signed-in user."""
        return self._api.call(operations.GET_MY_PROFILE)

    def list(self, *, page_size: int = 50) -> Iterator[User]:
        """Yield all users."""
        return self._api.items(operations.LIST_USERS, {}, page_size)

    def scope(self, user: str, allowed_config_versions: Sequence[str] | None) -> User:
        """Set which configuration versions a user (id, user name or e-mail address) may see and use.

        An empty sequence allows all of them; None restores the deployment's default.
        Raises UserNotFound, and InvalidInput for a version that does not exist.
        """
        allowed = None if allowed_config_versions is None else [*allowed_config_versions]
        given = {"user": user, "allowedConfigVersions": allowed}
        return self._api.call(operations.UPDATE_USER, {"input": given})
