"""The one way the demo ends badly."""

from __future__ import annotations


class DemoFailed(Exception):
    """The demo did not show what it should; the message is one sentence that says why."""
