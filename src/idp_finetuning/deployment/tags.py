"""The tag that everything of one deployment has, by which AWS bills can be split."""

from __future__ import annotations

# Its value is the name prefix.
DEPLOYMENT_TAG = "idp-finetuning:deployment"
