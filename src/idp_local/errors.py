"""The error of a local runtime that cannot start or go on."""

from __future__ import annotations


class LocalRuntimeError(Exception):
    """The local runtime cannot start or go on; the message says why and what to do."""
