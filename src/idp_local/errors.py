"""What keeps the local runtime from starting, in one sentence for the person who started it."""

from __future__ import annotations


class LocalRuntimeError(Exception):
    """The local runtime cannot start or go on; the message says why and what to do."""
