"""Who calls, and the one table of operations and roles."""

from __future__ import annotations

from collections.abc import Mapping

from idp_finetuning.errors import Unauthorized
from idp_finetuning.wire import WireModel

SIGNED_IN: frozenset[str] = frozenset()  # no group needed
AUTHORS = frozenset({"Admin", "Author"})
ADMINS = frozenset({"Admin"})

# AppSync enforces @aws_auth of the schema; this table is checked again behind it, and a test holds them equal.
ALLOWED_GROUPS: Mapping[str, frozenset[str]] = {
    "listFinetuningJobs": SIGNED_IN,
    "getFinetuningJob": SIGNED_IN,
    "getDatasetReport": SIGNED_IN,
    "validateTestSetForFinetuning": SIGNED_IN,
    "listAvailableModels": SIGNED_IN,
    "listTestSets": SIGNED_IN,
    "getTestSet": SIGNED_IN,
    "startFinetuningJob": AUTHORS,
    "createFinetuningJob": AUTHORS,
    "listFinetuningJobEvents": SIGNED_IN,
    "stopFinetuningJob": AUTHORS,
    "retryFinetuningJob": AUTHORS,
    "deleteFinetuningJob": AUTHORS,
    "createTestSet": AUTHORS,
    "createTestSetUploads": AUTHORS,
    "completeTestSet": AUTHORS,
    "deleteTestSet": AUTHORS,
    "getFinetuningJobPrompt": SIGNED_IN,
    "listConfigVersions": SIGNED_IN,
    "getConfigVersion": SIGNED_IN,
    "createConfigVersion": AUTHORS,
    "updateConfigVersion": AUTHORS,
    "activateConfigVersion": AUTHORS,
    "deleteConfigVersion": AUTHORS,
    "createClassificationUpload": AUTHORS,
    "startClassification": AUTHORS,
    "getClassification": SIGNED_IN,
    "getMyProfile": SIGNED_IN,
    "listUsers": ADMINS,
    "updateUser": ADMINS,
}


class Identity(WireModel):
    """The caller as Cognito vouches for it."""

    sub: str
    username: str
    groups: tuple[str, ...] = ()


def authorize(field: str, identity: Identity) -> None:
    """Raises Unauthorized where the caller's groups do not allow the operation, and for unknown operations."""
    allowed = ALLOWED_GROUPS.get(field)
    if allowed is None or (allowed and not allowed & set(identity.groups)):
        needed = f" It needs the group {' or '.join(sorted(allowed))}." if allowed else ""
        raise Unauthorized(f"Not authorized to access {field}.{needed}")
