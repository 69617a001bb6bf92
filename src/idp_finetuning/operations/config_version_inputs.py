"""Arguments of the operations on configuration versions."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from idp_finetuning.classification.config_versions import (
    MAXIMUM_CLASS_DESCRIPTION,
    MAXIMUM_CLASSES,
    MAXIMUM_SYSTEM_PROMPT,
    MAXIMUM_TASK_PROMPT,
    ClassificationConfig,
    VersionName,
)
from idp_finetuning.nova.prompt import MAXIMUM_CLASS_NAME, DocumentClass
from idp_finetuning.operations.arguments import Id, ModelId
from idp_finetuning.text import MAXIMUM_DESCRIPTION, OneLine
from idp_finetuning.wire import WireModel


class VersionArguments(WireModel):
    """Arguments that name a version."""

    name: VersionName


class ActivationArguments(VersionArguments):
    """Arguments of activateConfigVersion."""

    only_if_better: bool | None = None


class DocumentClassInput(WireModel):
    """A document class with its description."""

    name: Annotated[OneLine, Field(min_length=1, max_length=MAXIMUM_CLASS_NAME, pattern=r"\S")]
    description: Annotated[OneLine, Field(max_length=MAXIMUM_CLASS_DESCRIPTION)] | None = None


class ClassificationConfigInput(WireModel):
    """Settings of classification; for a member that is left out or null another source is used."""

    model: ModelId | None = None
    # Converse refuses a blank text (botocore: bedrock-runtime SystemContentBlock).
    system_prompt: str | None = Field(default=None, pattern=r"\S", max_length=MAXIMUM_SYSTEM_PROMPT)
    task_prompt: str | None = Field(default=None, min_length=1, max_length=MAXIMUM_TASK_PROMPT)
    temperature: float | None = Field(default=None, ge=0, le=1)
    classes: tuple[DocumentClassInput, ...] | None = Field(default=None, max_length=MAXIMUM_CLASSES)

    def apply_to(self, config: ClassificationConfig) -> ClassificationConfig:
        """Return the configuration with the members set here, except for the model."""
        given: dict[str, Any] = self.model_dump(exclude={"model", "classes"}, exclude_none=True)
        if self.classes is not None:
            given["classes"] = tuple(
                DocumentClass(name=item.name, description=item.description or "") for item in self.classes
            )
        return config.model_copy(update=given)


class CreateConfigVersionInput(WireModel):
    """A new version: from a job, from the settings here, or both."""

    name: VersionName
    description: Annotated[OneLine, Field(max_length=MAXIMUM_DESCRIPTION)] | None = None
    from_job: Id | None = None
    classification: ClassificationConfigInput | None = None


class UpdateConfigVersionInput(WireModel):
    """Changes of a version, and the revision they are based on."""

    name: VersionName
    revision: int
    description: Annotated[OneLine, Field(max_length=MAXIMUM_DESCRIPTION)] | None = None
    classification: ClassificationConfigInput | None = None
