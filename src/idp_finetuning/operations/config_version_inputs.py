"""What the operations on configuration versions take."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from idp_finetuning.classification.config_versions import (
    MAXIMUM_CLASS_DESCRIPTION,
    MAXIMUM_CLASS_NAME,
    MAXIMUM_CLASSES,
    MAXIMUM_DESCRIPTION,
    MAXIMUM_SYSTEM_PROMPT,
    MAXIMUM_TASK_PROMPT,
    ClassificationConfig,
    VersionName,
)
from idp_finetuning.nova.prompt import DocumentClass
from idp_finetuning.operations.arguments import Id, ModelId
from idp_finetuning.text import is_one_line
from idp_finetuning.wire import WireModel


def _one_line(value: str) -> str:
    if not is_one_line(value):
        raise ValueError("one line without control characters is needed")
    return value


OneLine = AfterValidator(_one_line)


class VersionArguments(WireModel):
    """Arguments that name a version."""

    name: VersionName


class DocumentClassInput(WireModel):
    """A class with its description."""

    name: Annotated[str, Field(min_length=1, max_length=MAXIMUM_CLASS_NAME, pattern=r"\S"), OneLine]
    description: Annotated[str, Field(max_length=MAXIMUM_CLASS_DESCRIPTION), OneLine] | None = None


class ClassificationConfigInput(WireModel):
    """What a version says of classification; what is left out, or null, is taken from elsewhere."""

    model: ModelId | None = None
    # Converse refuses a blank text [botocore bedrock-runtime SystemContentBlock].
    system_prompt: str | None = Field(default=None, pattern=r"\S", max_length=MAXIMUM_SYSTEM_PROMPT)
    task_prompt: str | None = Field(default=None, min_length=1, max_length=MAXIMUM_TASK_PROMPT)
    temperature: float | None = Field(default=None, ge=0, le=1)
    classes: tuple[DocumentClassInput, ...] | None = Field(default=None, max_length=MAXIMUM_CLASSES)

    def over(self, config: ClassificationConfig) -> ClassificationConfig:
        """The configuration with the members given here, except for the model."""
        given: dict[str, Any] = self.model_dump(exclude={"model", "classes"}, exclude_none=True)
        if self.classes is not None:
            given["classes"] = tuple(
                DocumentClass(name=item.name, description=item.description or "") for item in self.classes
            )
        return config.model_copy(update=given)


class CreateConfigVersionInput(WireModel):
    """A new version: from a job, from members given here, or both."""

    name: VersionName
    description: Annotated[str, Field(max_length=MAXIMUM_DESCRIPTION), OneLine] | None = None
    from_job: Id | None = None
    classification: ClassificationConfigInput | None = None


class UpdateConfigVersionInput(WireModel):
    """Changes of a version, and the revision they were made from."""

    name: VersionName
    revision: int
    description: Annotated[str, Field(max_length=MAXIMUM_DESCRIPTION), OneLine] | None = None
    classification: ClassificationConfigInput | None = None
