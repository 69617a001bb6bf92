"""Who calls, and the groups that operations are open to."""

from __future__ import annotations

from idp_finetuning.wire import WireModel

SIGNED_IN: frozenset[str] = frozenset()  # no group needed
AUTHORS = frozenset({"Admin", "Author"})
ADMINS = frozenset({"Admin"})


class Identity(WireModel):
    """The caller, from the token that Cognito signed."""

    sub: str
    username: str
    groups: tuple[str, ...] = ()

    @property
    def is_admin(self) -> bool:
        """Whether the caller is in the group Admin."""
        return not ADMINS.isdisjoint(self.groups)
