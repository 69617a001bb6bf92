"""How long the data bucket keeps what can be made again, in days."""

from __future__ import annotations

# The labels that validation has read.
LABEL_CACHE_DAYS = 30
# Uploads to be classified, and the results.
CLASSIFICATION_DAYS = 30
