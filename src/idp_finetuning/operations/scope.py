"""Which configuration versions a caller may see and use; what cannot be looked up is denied."""

from __future__ import annotations

from idp_finetuning.adapters.services import Services
from idp_finetuning.classification.scopes import Scope, UserScope
from idp_finetuning.errors import Unauthorized
from idp_finetuning.operations.identity import Identity


def scope_of(identity: Identity, services: Services) -> Scope:
    """The caller's scope; an Admin's is everything, without a look-up. Raises Unauthorized where one fails."""
    if identity.is_admin:
        return Scope(kind=UserScope.ALL)
    try:
        record = services.users.find(identity.sub)
        return record.scope if record else Scope(kind=services.default_scope)
    except Exception as error:  # whatever it was: who may see what is not known
        raise Unauthorized(
            "Which configuration versions you may use could not be looked up, so none is shown or changed. Try again; "
            "if it stays, ask an Admin."
        ) from error


def require_in_scope(identity: Identity, version_name: str, services: Services) -> None:
    """Raises Unauthorized where the caller's scope does not hold the version, whether it exists or not."""
    if not scope_of(identity, services).allows(version_name):
        raise out_of_scope(version_name)


def out_of_scope(version_name: str) -> Unauthorized:
    """The one answer to whoever names a version beyond their scope."""
    return Unauthorized(
        f"Configuration version '{version_name}' is not in your scope. An Admin can add it with updateUser."
    )
