"""Configuration versions: named settings of classification, and warnings before one is used."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, computed_field

from idp_finetuning.errors import InvalidInput
from idp_finetuning.nova.base_models import base_models
from idp_finetuning.nova.prompt import SYSTEM_PROMPT, TASK_PROMPT, DocumentClass, Prompt
from idp_finetuning.text import join_first, look_alikes, spell_out
from idp_finetuning.wire import WireModel

DEFAULT_NAME = "default"
DEFAULT_MODEL = "us.amazon.nova-2-lite-v1:0"
NAME_PATTERN = r"^[A-Za-z0-9_-]{1,50}$"
MAXIMUM_CLASSES = 500
MAXIMUM_CLASS_DESCRIPTION = 2_000
MAXIMUM_SYSTEM_PROMPT = 20_000
MAXIMUM_TASK_PROMPT = 60_000
# Of prompts and classes together; the rest of the record is small, and DynamoDB takes 400 KB an item:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
MAXIMUM_BYTES = 300_000

VersionName = Annotated[str, Field(pattern=NAME_PATTERN)]


class PromptDigests(WireModel):
    """SHA-256 of the parts of a prompt: enough to see which part of another one differs."""

    system_prompt: str
    task_prompt: str
    classes: str

    @classmethod
    def of(cls, prompt: Prompt) -> PromptDigests:
        """Return the digests of a prompt's parts."""
        classes = json.dumps([item.to_wire() for item in prompt.classes], sort_keys=True)
        return cls(
            system_prompt=_digest(prompt.system_prompt),
            task_prompt=_digest(prompt.task_prompt),
            classes=_digest(classes),
        )


class ClassificationConfig(WireModel):
    """Model, prompts, temperature (0 to 1) and classes; `job_id` is set for the model of a job."""

    model: str
    model_name: str
    job_id: str | None = None
    system_prompt: str
    task_prompt: str
    temperature: float
    classes: tuple[DocumentClass, ...]

    @property
    def prompt(self) -> Prompt:
        """The prompt that pages are classified with."""
        return Prompt(system_prompt=self.system_prompt, task_prompt=self.task_prompt, classes=self.classes)


class ConfigVersion(WireModel):
    """A configuration version; `trained_with` has the digests of the prompt its custom model was trained with.

    `active` is not part of the version's own record and may change without a new revision.
    """

    name: str
    description: str
    active: bool = False
    built_in: bool = False
    classification: ClassificationConfig
    trained_with: PromptDigests | None = None
    revision: int
    created_at: str | None = None
    created_by: str | None = None
    updated_at: str | None = None
    updated_by: str | None = None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def warnings(self) -> tuple[str, ...]:
        """Differences from the prompt the model was trained with, and classes that look alike."""
        return (*self._warn_of_differences(), *self._warn_of_look_alikes())

    def _warn_of_look_alikes(self) -> Iterator[str]:
        for names in look_alikes(item.name for item in self.classification.classes):
            quoted = " and ".join(spell_out(name) for name in names)
            yield f"Class names look alike; an answer counts only in its exact spelling: {quoted}"

    def _warn_of_differences(self) -> Iterator[str]:
        if not self.trained_with:
            return
        own = PromptDigests.of(self.classification.prompt)
        parts = [name for part, name in _PARTS.items() if getattr(own, part) != getattr(self.trained_with, part)]
        if parts:
            listed = " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
            verb = "are" if len(parts) > 1 or parts == [_PARTS["classes"]] else "is"
            yield (
                f"The {listed} {verb} not what the model of job '{self.classification.job_id}' was trained with. The "
                "model learned to answer exactly that prompt; with another one, accuracy can drop and answers "
                "can lose their form. getFinetuningJobPrompt shows the prompt of the job; to change it, train a job "
                "with this version."
            )


_PARTS = {"system_prompt": "system prompt", "task_prompt": "task prompt", "classes": "classes or their descriptions"}


def default_version(*, active: bool) -> ConfigVersion:
    """Return the built-in version: Nova 2 Lite, the built-in prompt, temperature 0, no classes."""
    name = next(model.name for model in base_models() if model.id == DEFAULT_MODEL)
    return ConfigVersion(
        name=DEFAULT_NAME,
        description="Built in: Nova 2 Lite with the built-in prompt.",
        active=active,
        built_in=True,
        classification=ClassificationConfig(
            model=DEFAULT_MODEL,
            model_name=name,
            system_prompt=SYSTEM_PROMPT,
            task_prompt=TASK_PROMPT,
            temperature=0,
            classes=(),
        ),
        revision=0,
    )


def require_usable(version: ConfigVersion) -> None:
    """Raise InvalidInput for prompts Nova refuses, class names that look alike, and too many bytes.

    The classes its model was trained with stay allowed: validation of a test set only warns of such names.
    """
    config = version.classification
    config.prompt.require_trainable()
    learned = version.trained_with and version.trained_with.classes == PromptDigests.of(config.prompt).classes
    alike = look_alikes(item.name for item in config.classes)
    twice = [name for name, count in Counter(item.name for item in config.classes).items() if count > 1]
    if (alike or twice) and not learned:
        only_case = all(len({name.casefold() for name in names}) == 1 for names in alike)
        more = "case" if only_case else "case, spaces, accents' encoding and invisible characters"
        listed = {name if only_case else spell_out(name) for names in alike for name in names}
        raise InvalidInput(
            f"Class names have to differ by more than {more}: {join_first(sorted({*listed, *twice}))}. "
            "Rename or remove some."
        )
    size = len(config.model_dump_json(by_alias=True).encode())
    if size > MAXIMUM_BYTES:
        raise InvalidInput(
            f"Prompts and classes together take {size:,} bytes; {MAXIMUM_BYTES:,} are allowed. Shorten the "
            "descriptions."
        )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
