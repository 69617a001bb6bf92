"""Fine-tune Amazon Nova for document classification from Python: `IDPClient` and what it returns.

Every public name can be imported from here; it is loaded on first use, so that `idp_sdk.errors` loads nothing else.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from idp_sdk.public import *  # noqa: F403


def __getattr__(name: str) -> Any:
    if find_spec(f"idp_sdk.{name}"):  # a module of the package: `from idp_sdk import operations` asks here first
        return import_module(f"idp_sdk.{name}")
    public = import_module("idp_sdk.public")
    if name != "__all__" and name not in public.__all__:
        raise AttributeError(f"module 'idp_sdk' has no attribute {name!r}")
    return getattr(public, name)


def __dir__() -> list[str]:
    return [*import_module("idp_sdk.public").__all__]
