"""Users: who they are in the user pool, and which configuration versions each may see and use."""

from __future__ import annotations

from enum import StrEnum

from idp_finetuning.wire import WireModel

MAXIMUM_ALLOWED_VERSIONS = 200


class UserScope(StrEnum):
    """Which configuration versions a user may see and use: all, those listed, or none."""

    ALL = "ALL"
    LISTED = "LISTED"
    NONE = "NONE"


class Scope(WireModel):
    """Configuration versions a user may see and use; `names` only if they are listed."""

    kind: UserScope
    names: frozenset[str] = frozenset()

    def allows(self, version_name: str) -> bool:
        """Return whether the version is in the scope; it need not exist."""
        return self.kind is UserScope.ALL or (self.kind is UserScope.LISTED and version_name in self.names)


class UserRecord(WireModel):
    """What an Admin decided about a user; the id is the user's `sub`."""

    id: str
    allowed_config_versions: tuple[str, ...]
    updated_at: str
    updated_by: str

    @property
    def scope(self) -> Scope:
        """The user's scope; an empty list means all versions, as in AWS's IDP accelerator."""
        names = frozenset(self.allowed_config_versions)
        return Scope(kind=UserScope.LISTED, names=names) if names else Scope(kind=UserScope.ALL)


class DirectoryUser(WireModel):
    """A user in the user pool; the id is the `sub`."""

    id: str
    username: str
    email: str | None = None


class User(DirectoryUser):
    """A user as the API shows them, with groups and scope."""

    groups: tuple[str, ...]
    scope: UserScope
    allowed_config_versions: tuple[str, ...]
