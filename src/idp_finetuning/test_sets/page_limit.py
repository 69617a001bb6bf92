"""How long a document may be."""

from __future__ import annotations

MAXIMUM_PAGES = 500
