"""The error of a local runtime that cannot start or continue."""

from __future__ import annotations


class LocalRuntimeError(Exception):
    """The local runtime cannot start or continue; the message says why and what to do."""
