"""`client.config_versions`: how pages are classified — model, prompts, temperature and classes, under a name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from idp_finetuning.nova.prompt import DocumentClass
from idp_sdk import operations
from idp_sdk.api import Api, without_none
from idp_sdk.documents import Operation
from idp_sdk.results import ConfigVersion


class ConfigVersions:
    """Reads and writes configuration versions, within the user's scope."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def list(self, *, page_size: int = 50) -> Iterator[ConfigVersion]:
        """Yield the versions the user may see, newest first, the built-in `default` last."""
        return self._api.items(operations.LIST_CONFIG_VERSIONS, {}, page_size)

    def get(self, name: str) -> ConfigVersion:
        """Return a version. Raises ConfigVersionNotFound, and Unauthorized if it is not in the user's scope."""
        return self._api.call(operations.GET_CONFIG_VERSION, {"name": name})

    def create(
        self,
        name: str,
        *,
        description: str | None = None,
        from_job: str | None = None,
        model: str | None = None,
        system_prompt: str | None = None,
        task_prompt: str | None = None,
        temperature: float | None = None,
        classes: Sequence[DocumentClass] | None = None,
    ) -> ConfigVersion:
        """Create a version.

        Values that are not given come from `from_job`, a completed job with deployment and prompt, else from the
        version `default`. Raises Conflict if the name is taken, and InvalidInput.
        """
        classification = _classification(model, system_prompt, task_prompt, temperature, classes)
        given = {"name": name, "description": description, "fromJob": from_job, "classification": classification}
        return self._write(operations.CREATE_CONFIG_VERSION, given)

    def update(
        self,
        name: str,
        *,
        revision: int | None = None,
        description: str | None = None,
        model: str | None = None,
        system_prompt: str | None = None,
        task_prompt: str | None = None,
        temperature: float | None = None,
        classes: Sequence[DocumentClass] | None = None,
    ) -> ConfigVersion:
        """Change the given values and leave the rest.

        `revision` is the one the change was made from: Conflict is raised if the version has changed since. Without it
        the current one is read first.
        """
        if revision is None:
            revision = self.get(name).revision
        classification = _classification(model, system_prompt, task_prompt, temperature, classes)
        given = {"name": name, "revision": revision, "description": description, "classification": classification}
        return self._write(operations.UPDATE_CONFIG_VERSION, given)

    def _write(self, operation: Operation[ConfigVersion], given: Mapping[str, Any]) -> ConfigVersion:
        wanted = without_none(given)
        return self._api.call(operation, {"input": wanted})

    def activate(self, name: str, *, only_if_better: bool = False) -> ConfigVersion:
        """Make it the version for classifications that name none.

        `only_if_better` raises Conflict, with the verdict, unless the evaluation of its job proves that it is better
        than the active version.
        """
        return self._api.call(operations.ACTIVATE_CONFIG_VERSION, {"name": name, "onlyIfBetter": only_if_better})

    def rollback(self) -> ConfigVersion:
        """Activate the version that was active before the last activation. Raises Conflict if there is none."""
        return self._api.call(operations.ROLLBACK_CONFIG_VERSION, {})

    def delete(self, name: str) -> bool:
        """Remove a version. Raises Conflict if it is active or built in."""
        return self._api.call(operations.DELETE_CONFIG_VERSION, {"name": name})


def _classification(
    model: str | None,
    system_prompt: str | None,
    task_prompt: str | None,
    temperature: float | None,
    classes: Sequence[DocumentClass] | None,
) -> dict[str, Any] | None:
    given: dict[str, Any] = {
        "model": model,
        "systemPrompt": system_prompt,
        "taskPrompt": task_prompt,
        "temperature": temperature,
        "classes": None if classes is None else [item.to_wire() for item in classes],
    }
    return without_none(given) or None
