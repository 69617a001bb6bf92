"""A configuration version made of a finished job, put to use on a local runtime, and who may see it."""

from __future__ import annotations

import time
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from idp_finetuning.nova.prompt import Prompt
from tests.support.graphql_client import GraphQLClient, GraphQLError
from tests.support.pipeline.driver import Finished, Pipeline

NAME = "packets-described"
SYSTEM_PROMPT = "You sort the post of one office."
DESCRIPTION = "What this class is, told to the model."
PATIENCE_SECONDS = 60

_VERSION = "name active revision warnings classification { model jobId systemPrompt classes { name description } }"


class Versioned(BaseModel):
    """Answers of the API in the order they were given."""

    model_config = ConfigDict(frozen=True)

    made: dict[str, Any]
    changed: dict[str, Any]
    activated: dict[str, Any]
    listed: tuple[str, ...]
    job_version: str
    job_prompt: Prompt
    deletion_of_job: str | None
    scoped: dict[str, Any]
    seen_by_scoped: tuple[str, ...]
    users: tuple[str, ...]


def use_versions(pipeline: Pipeline, packets: Finished) -> Versioned:
    """All of it once; the versions are gone afterwards and everybody sees everything again."""
    author, admin = _Caller(pipeline.client), _Caller(pipeline.as_user("admin@example.com"))
    made = author.mutate("createConfigVersion", {"name": NAME, "fromJob": packets.job.id}, _VERSION)
    classes = [item | {"description": DESCRIPTION} for item in made["classification"]["classes"]]
    changed = author.mutate(
        "updateConfigVersion",
        {
            "name": NAME,
            "revision": made["revision"],
            "classification": {"systemPrompt": SYSTEM_PROMPT, "classes": classes},
        },
        _VERSION,
    )
    activated = author.by_name("activateConfigVersion", NAME)
    job = pipeline.start(
        testSetId=packets.test_set_id, baseModel="us.amazon.nova-lite-v1:0", jobName="described", configVersion=NAME
    )
    refusal = author.refusal("mutation ($id: ID!) { deleteFinetuningJob(jobId: $id) }", id=packets.job.id)

    own = f"{NAME}-2"
    admin.scope("author@example.com", [NAME, own])
    author.mutate("createConfigVersion", {"name": own}, "name")
    scoped = author.query("{ getMyProfile { email groups scope allowedConfigVersions } }")["getMyProfile"]
    seen = author.listed()
    admin.scope("author@example.com", None)
    users = admin.query("{ listUsers(limit: 60) { items { email groups scope } } }")["listUsers"]["items"]

    prompt = author.prompt_of(job.id)
    pipeline.client.execute("mutation ($id: ID!) { stopFinetuningJob(jobId: $id) { status } }", {"id": job.id})
    listed = author.listed()
    author.by_name("activateConfigVersion", "default")
    for name in (NAME, own):
        pipeline.client.execute("mutation ($name: ID!) { deleteConfigVersion(name: $name) }", {"name": name})
    return Versioned(
        made=made,
        changed=changed,
        activated=activated,
        listed=listed,
        job_version=pipeline.client.execute(
            "query ($id: ID!) { getFinetuningJob(jobId: $id) { configVersion } }", {"id": job.id}
        )["getFinetuningJob"]["configVersion"],
        job_prompt=prompt,
        deletion_of_job=refusal,
        scoped=scoped,
        seen_by_scoped=seen,
        users=tuple(user["email"] for user in users),
    )


class _Caller:
    def __init__(self, client: GraphQLClient) -> None:
        self._client = client

    def query(self, text: str) -> dict[str, Any]:
        return self._client.execute(text)

    def mutate(self, field: str, given: dict[str, Any], selection: str) -> dict[str, Any]:
        text = f"mutation ($input: {field[:1].upper()}{field[1:]}Input!) {{ {field}(input: $input) {{ {selection} }} }}"
        answer: dict[str, Any] = self._client.execute(text, {"input": given})[field]
        return answer

    def by_name(self, field: str, name: str) -> dict[str, Any]:
        text = f"mutation ($name: ID!) {{ {field}(name: $name) {{ {_VERSION} }} }}"
        answer: dict[str, Any] = self._client.execute(text, {"name": name})[field]
        return answer

    def scope(self, user: str, names: list[str] | None) -> None:
        self.mutate("updateUser", {"user": user, "allowedConfigVersions": names}, "scope")

    def listed(self) -> tuple[str, ...]:
        items = self.query("{ listConfigVersions { items { name } } }")["listConfigVersions"]["items"]
        return tuple(item["name"] for item in items)

    def refusal(self, text: str, **variables: Any) -> str | None:
        """The message of the refusal, if it is one."""
        errors = self._client.answer(text, variables).get("errors")
        return str(errors[0]["message"]) if errors else None

    def prompt_of(self, job_id: str) -> Prompt:
        """The job's prompt, once it is written."""
        text = (
            "query ($id: ID!) { getFinetuningJobPrompt(jobId: $id) "
            "{ systemPrompt taskPrompt classes { name description } } }"
        )
        for _ in range(PATIENCE_SECONDS * 5):
            try:
                return Prompt.model_validate(self._client.execute(text, {"id": job_id})["getFinetuningJobPrompt"])
            except GraphQLError as error:
                if error.error_type != "Conflict":
                    raise
            time.sleep(0.2)
        pytest.fail("the job has no prompt")
