"""Names in Bedrock made from what a user typed, legal everywhere and unique by job; and the tags beside them."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal
from uuid import UUID

# JobName, CustomModelName and ModelDeploymentName allow at most 63 characters; a name is legal for all three
# if it matches ^[0-9a-zA-Z](-?[0-9a-zA-Z])*$ [botocore bedrock JobName, CustomModelName, ModelDeploymentName].
MAXIMUM_LENGTH = 63

_GENERATED = re.compile(r"(?:^|-)([0-9a-f]{32})-[td]\d+$")

# Tags of everything this service creates in Bedrock: the deployment of this service, the job, and the user's sub.
DEPLOYMENT_TAG = "idp-finetuning:deployment"
JOB_TAG = "idp-finetuning:job-id"
OWNER_TAG = "idp-finetuning:owner"
# Of the value of a tag [botocore bedrock TagValue].
_TAG_CHARACTERS = 256
_NOT_IN_TAGS = re.compile(r"[^a-zA-Z0-9\s._:/=+@-]")

Stage = Literal["training", "deployment"]


def bedrock_name(job_name: str, job_id: str, stage: Stage, attempt: int) -> str:
    """Return `<slug of the job name>-<job id without hyphens>-<t|d><attempt>`, at most 63 characters.

    It has the whole job id, so that two jobs of one name never meet, and the attempt, because a job name can never be
    used again in Bedrock.
    """
    suffix = f"{name_fragment(job_id)}-{stage[0]}{attempt}"
    ascii_name = unicodedata.normalize("NFKD", job_name).encode("ascii", "ignore").decode()
    slug = "-".join(re.findall(r"[0-9a-zA-Z]+", ascii_name)).lower()
    slug = slug[: MAXIMUM_LENGTH - len(suffix) - 1].strip("-")
    return f"{slug}-{suffix}" if slug else suffix


def job_id_in(name: str) -> str | None:
    """Return the id of the job a name was made for, or None if `bedrock_name` did not make it."""
    match = _GENERATED.search(name)
    return str(UUID(hex=match[1])) if match else None


def name_fragment(job_id: str) -> str:
    """Return what the names of all attempts of a job have in common, to ask Bedrock's lists for."""
    return job_id.replace("-", "")


def bedrock_tags(deployment: str, job_id: str, owner: str | None) -> dict[str, str]:
    """Return the tags of a resource; characters that Bedrock does not allow in a value become hyphens."""
    tags = {DEPLOYMENT_TAG: deployment, JOB_TAG: job_id, OWNER_TAG: owner or ""}
    return {key: _NOT_IN_TAGS.sub("-", value)[:_TAG_CHARACTERS] for key, value in tags.items() if value}


def is_job_id(text: str) -> bool:
    """Check whether the text is a UUID in its usual form, as job ids are."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
