"""What the local account keeps from one start to the next: users and their sign-ins, and on request everything else.

moto has no persistence. What it has in memory is pickled, for the same release of moto and the same tables.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import moto
from moto.backends import get_backend
from moto.cognitoidp.models import CognitoIdpUserPool

from idp_finetuning.deployment import TABLES
from idp_local.aws.objects import ObjectFolder
from idp_local.environment import ACCOUNT_ID, REGION
from idp_local.state_file import StateFile, StateUnreadable

_FORM = f"account 1, moto {moto.__version__}, {hashlib.sha256(repr(TABLES).encode()).hexdigest()}"
_STORES = ("s3", "dynamodb")
_KEY = "json_web_key"  # of a user pool: the same in all, and an object that cannot be pickled


class AccountState:
    """The state of moto in a folder; `keep` says whether tables and objects belong to it."""

    def __init__(self, folder: Path, objects: ObjectFolder, *, keep: bool) -> None:
        self._identity = StateFile(folder / "identity.pickle", form=_FORM)
        self._account = StateFile(folder / "account.pickle", form=_FORM)
        self._objects = objects
        self._keep = keep

    def restore(self) -> None:
        """Take over what an earlier process stored. Raises StateUnreadable if that was to be kept."""
        try:
            pools = self._identity.read() or {}
        except StateUnreadable:
            pools = {}  # people sign in anew
        _backend("cognito-idp").user_pools.update({name: _make_pool(values) for name, values in pools.items()})
        if self._keep:
            for service, values in (self._account.read() or {}).items():
                vars(_backend(service)).update(values)
            self._objects.remove_all_but(_contents())

    def store(self) -> None:
        """Store users and their sign-ins, and what else is to be kept."""
        pools = _backend("cognito-idp").user_pools
        self._identity.write(
            {name: {key: value for key, value in vars(pool).items() if key != _KEY} for name, pool in pools.items()}
        )
        if self._keep:
            self._account.write({service: vars(_backend(service)) for service in _STORES})
            self._objects.remove_all_but(_contents())

    def store_and_exit(self) -> None:
        """Store, and leave the process at once."""
        try:
            self.store()
        finally:
            os._exit(0)


def _backend(service: str) -> Any:
    backends: Any = get_backend
    return backends(service)[ACCOUNT_ID]["aws" if service == "s3" else REGION]


def _make_pool(values: Mapping[str, Any]) -> CognitoIdpUserPool:
    pool = CognitoIdpUserPool(ACCOUNT_ID, REGION, values["name"], {})
    vars(pool).update(values)
    return pool


def _contents() -> set[str]:
    """Return the names of the files that hold contents of objects."""
    return {
        version._value_buffer.name
        for bucket in _backend("s3").buckets.values()
        for _, versions in bucket.keys.iterlists()
        for version in versions
        if hasattr(version, "_value_buffer")
    }
