"""Who calls, the name that what they write shows, and the groups that operations are open to."""

from __future__ import annotations

from idp_finetuning.adapters.aws_calls import aws_calls
from idp_finetuning.adapters.services import Services
from idp_finetuning.errors import FinetuningError
from idp_finetuning.wire import WireModel

SIGNED_IN: frozenset[str] = frozenset()  # no group needed
AUTHORS = frozenset({"Admin", "Author"})
ADMINS = frozenset({"Admin"})


class Identity(WireModel):
    """The caller, from the token that Cognito signed."""

    sub: str
    username: str
    email: str | None = None  # ID tokens have it, access tokens do not
    groups: tuple[str, ...] = ()

    @property
    def is_admin(self) -> bool:
        """Whether the caller is in the group Admin."""
        return not ADMINS.isdisjoint(self.groups)


def shown_name(identity: Identity, services: Services) -> str:
    """Return the name that `createdBy` and the history show: the e-mail address, else the user name.

    It is for people only: the owner of a thing is known by `sub`, because an e-mail address can change. If the token
    has no address, the user pool is asked; it need not answer.
    """
    if identity.email:
        return identity.email
    try:
        with aws_calls():
            return services.user_directory.find(identity.username).email or identity.username
    except FinetuningError:
        return identity.username
