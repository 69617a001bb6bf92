"""Names in Bedrock made from what a user typed: legal everywhere and unique by job."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal
from uuid import UUID

# JobName, CustomModelName and ModelDeploymentName allow at most 63 characters; a name is legal for all three
# where it matches ^[0-9a-zA-Z](-?[0-9a-zA-Z])*$ [botocore bedrock JobName, CustomModelName, ModelDeploymentName].
MAXIMUM_LENGTH = 63

_OURS = re.compile(r"(?:^|-)([0-9a-f]{32})-[td]\d+$")

Stage = Literal["training", "deployment"]


def bedrock_name(job_name: str, job_id: str, stage: Stage, attempt: int) -> str:
    """`<slug of the job name>-<job id without hyphens>-<t|d><attempt>`, at most 63 characters.

    The whole job id stands in it, so two jobs of one name never meet, and the attempt, because Bedrock
    keeps a job name for ever.
    """
    suffix = f"{job_id.replace('-', '')}-{stage[0]}{attempt}"
    ascii_name = unicodedata.normalize("NFKD", job_name).encode("ascii", "ignore").decode()
    slug = "-".join(re.findall(r"[0-9a-zA-Z]+", ascii_name)).lower()
    slug = slug[: MAXIMUM_LENGTH - len(suffix) - 1].strip("-")
    return f"{slug}-{suffix}" if slug else suffix


def job_id_in(name: str) -> str | None:
    """The id of the job a name was made for, or None where `bedrock_name` did not make it."""
    match = _OURS.search(name)
    return str(UUID(hex=match[1])) if match else None


def is_job_id(text: str) -> bool:
    """Whether it is an id as jobs get them, a UUID in its usual form."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
