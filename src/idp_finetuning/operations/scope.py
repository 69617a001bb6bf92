"""Which configuration versions a caller may see and use; none if the scope cannot be read."""

from __future__ import annotations

from idp_finetuning.adapters.services import Services
from idp_finetuning.classification.scopes import Scope, UserScope
from idp_finetuning.errors import Unauthorized
from idp_finetuning.operations.identity import Identity


def find_scope(identity: Identity, services: Services) -> Scope:
    """Return the caller's scope; an Admin's is ALL without a look-up. Raises Unauthorized if the look-up fails."""
    if identity.is_admin:
        return Scope(kind=UserScope.ALL)
    try:
        record = services.users.find(identity.sub)
        return record.scope if record else Scope(kind=services.default_scope)
    except Exception as error:  # without the scope any result but a refusal would be a guess
        raise Unauthorized(
            "Which configuration versions you may use could not be looked up, so none is shown or changed. Try again; "
            "if it fails again, ask an Admin."
        ) from error


def require_in_scope(identity: Identity, version_name: str, services: Services) -> None:
    """Raise Unauthorized if the version, existing or not, is beyond the caller's scope."""
    if not find_scope(identity, services).allows(version_name):
        raise Unauthorized(
            f"Configuration version '{version_name}' is not in your scope. An Admin can add it with updateUser."
        )
