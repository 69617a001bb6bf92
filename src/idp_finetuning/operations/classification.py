"""Operations that use a model: send a document, start its classification, read the result."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, NamedTuple
from uuid import uuid4

from pydantic import AfterValidator, Field, model_validator

from idp_finetuning.adapters.services import Services
from idp_finetuning.classification.classification import (
    Classification,
    ClassificationProgress,
    ClassificationRequest,
    ClassificationResult,
    ClassificationStarted,
    ClassificationUpload,
    TestSetDocument,
    show_classification,
)
from idp_finetuning.classification.config_versions import ClassificationConfig, ConfigVersion, PromptDigests
from idp_finetuning.classification.layout import ClassificationLayout, uploads_prefix
from idp_finetuning.deployment import CLASSIFICATION_DAYS
from idp_finetuning.errors import ClassificationNotFound, InvalidInput, Unauthorized
from idp_finetuning.nova.prompt import TEXT_PLACEHOLDER, Prompt
from idp_finetuning.operations.arguments import Id, Input, ModelId
from idp_finetuning.operations.classification_limit import take_slot
from idp_finetuning.operations.identity import Identity, shown_name
from idp_finetuning.operations.model_choice import ChosenModel, find_model
from idp_finetuning.operations.scope import find_scope, require_in_scope
from idp_finetuning.test_sets.document_types import MAXIMUM_DOCUMENT_BYTES
from idp_finetuning.test_sets.keys import input_prefix, page_texts_prefix
from idp_finetuning.test_sets.page_limit import MAXIMUM_PAGES
from idp_finetuning.test_sets.test_set import Md5, TestSetRecord
from idp_finetuning.text import is_one_line
from idp_finetuning.wire import WireModel

MAXIMUM_NAME_BYTES = 400
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _require_file_name(name: str) -> str:
    if not is_one_line(name) or len(_to_key(name).encode()) > MAXIMUM_NAME_BYTES:
        raise ValueError(f"a file name is one line of at most {MAXIMUM_NAME_BYTES} bytes")
    if "/" in name or name in (".", "..") or "${filename}" in name:
        raise ValueError("a file name is not a path, and does not contain ${filename}, which S3 replaces")
    return name


def _to_key(name: str) -> str:
    """Escape what S3 does not accept in the policy of a form: boto3 cannot write `$` as S3 wants it there."""
    return name.replace("%", "%25").replace("$", "%24")


def _from_key(name: str) -> str:
    return name.replace("%24", "$").replace("%25", "%")


class ClassificationUploadInput(WireModel):
    """A document to send: its name, size in bytes and MD5 in lower-case hexadecimal."""

    file_name: Annotated[str, Field(min_length=1), AfterValidator(_require_file_name)]
    size: int = Field(ge=1, le=MAXIMUM_DOCUMENT_BYTES)
    md5: Md5


class StartClassificationInput(WireModel):
    """The document to classify, and the configuration version or model to use."""

    upload_key: str | None = Field(default=None, min_length=1, max_length=1024)
    test_set_id: Id | None = None
    document_path: str | None = Field(default=None, min_length=1, max_length=1024)
    page_texts: tuple[str, ...] | None = Field(default=None, max_length=MAXIMUM_PAGES)
    config_version: str | None = Field(default=None, min_length=1, max_length=50)
    model: ModelId | None = None

    @model_validator(mode="after")
    def _one_document(self) -> StartClassificationInput:
        of_test_set = (self.test_set_id is not None, self.document_path is not None)
        if of_test_set != ((True, True) if self.upload_key is None else (False, False)):
            raise ValueError("give either uploadKey, or both testSetId and documentPath")
        return self


class _Document(NamedTuple):
    """The name of the document to classify, and where it is if it belongs to a test set."""

    name: str
    of_test_set: TestSetDocument | None


class ClassificationArguments(WireModel):
    """Arguments that name a classification."""

    classification_id: Id


def create_classification_upload(
    arguments: Input[ClassificationUploadInput], identity: Identity, services: Services
) -> ClassificationUpload:
    """Return where to send a document; only the caller can have it classified."""
    file = arguments.input
    key = f"{uploads_prefix(identity.sub)}{uuid4()}/{_to_key(file.file_name)}"
    url, fields = services.data.upload_form(key, size=file.size, md5=file.md5)
    return ClassificationUpload(key=key, url=url, fields=fields)


def start_classification(
    arguments: Input[StartClassificationInput], identity: Identity, services: Services
) -> Classification:
    """Store the request with a snapshot of its settings, and start the function that asks the model.

    Raises TooManyRunning if as many of the caller's classifications run as may run at once.
    """
    given = arguments.input
    config, version_name, warnings = _choose_configuration(given, identity, services)
    prompt = config.prompt
    if not prompt.classes:
        raise InvalidInput(
            f"Configuration version '{version_name or 'that is active'}' lists no classes to choose from. Name another "
            "version, or add classes to one of yours."
        )
    document = _find_document(given, identity, services)
    _require_texts(given, prompt, services)
    if given.page_texts is not None and not prompt.needs_text:
        warnings.append(f"pageTexts are not used: the prompt has no {TEXT_PLACEHOLDER}.")
    name = str(uuid4())
    slot = take_slot(name, identity, services)
    request = ClassificationRequest(
        id=name,
        document=document.name,
        upload_key=given.upload_key,
        test_set_document=document.of_test_set,
        page_texts=given.page_texts if prompt.needs_text else None,
        config_version=version_name,
        model=config.model,
        model_name=config.model_name,
        prompt=prompt,
        temperature=config.temperature,
        created_by=shown_name(identity, services),
        created_by_sub=identity.sub,
        created_at=datetime.now(UTC),
        warnings=tuple(warnings),
    )
    try:
        services.data.write_model(ClassificationLayout(classification_id=request.id).request, request)
        services.classifier.start(ClassificationStarted(classification_id=request.id))
    except Exception:
        services.data.delete(slot)
        raise
    return show_classification(request, None)


def get_classification(arguments: ClassificationArguments, identity: Identity, services: Services) -> Classification:
    """Return a classification to the user who started it or to an Admin. Raises ClassificationNotFound."""
    name = arguments.classification_id
    layout = ClassificationLayout(classification_id=name)
    request = services.data.read_model(layout.request, ClassificationRequest) if _ID.fullmatch(name) else None
    if request is None or not (request.created_by_sub == identity.sub or identity.is_admin):
        raise ClassificationNotFound(
            f"You have no classification '{name}'. A classification is kept for {CLASSIFICATION_DAYS} days, "
            "for the user who started it and for Admins."
        )
    result = services.data.read_model(layout.result, ClassificationResult)
    return show_classification(request, result, services.data.read_model(layout.progress, ClassificationProgress))


def _choose_configuration(
    given: StartClassificationInput, identity: Identity, services: Services
) -> tuple[ClassificationConfig, str | None, list[str]]:
    """Return the model, prompts and classes to use, the name of their version, and warnings.

    A custom model alone is used with the prompt it was trained with, a base model alone with the active version's.
    """
    model = find_model(given.model, identity, services) if given.model else None
    if model and model.trained_prompt and not given.config_version:
        return _combine(model, model.trained_prompt, 0), None, []
    version = _find_version(given, identity, services)
    if not model:
        return version.classification, version.name, list(version.warnings)
    config = _combine(model, version.classification.prompt, version.classification.temperature)
    trained_with = PromptDigests.of(model.trained_prompt) if model.trained_prompt else None
    combined = version.model_copy(update={"classification": config, "trained_with": trained_with})
    return config, version.name if given.config_version else None, list(combined.warnings)


def _combine(model: ChosenModel, prompt: Prompt, temperature: float) -> ClassificationConfig:
    return ClassificationConfig(
        model=model.id,
        model_name=model.name,
        job_id=model.job_id,
        system_prompt=prompt.system_prompt,
        task_prompt=prompt.task_prompt,
        temperature=temperature,
        classes=prompt.classes,
    )


def _find_version(given: StartClassificationInput, identity: Identity, services: Services) -> ConfigVersion:
    """Return the version in the request, else the active one. Raises Unauthorized if it is not in scope."""
    if given.config_version:
        require_in_scope(identity, given.config_version, services)
        return services.config_versions.get(given.config_version)
    version = services.config_versions.active()
    if not find_scope(identity, services).allows(version.name):
        raise Unauthorized("The active configuration version is not in your scope. Name a configVersion that is.")
    return version


def _test_set_document(given: StartClassificationInput) -> TestSetDocument | None:
    if given.test_set_id is None or given.document_path is None:
        return None
    return TestSetDocument(test_set_id=given.test_set_id, path=given.document_path)


def _find_document(given: StartClassificationInput, identity: Identity, services: Services) -> _Document:
    """Find the document. Raises InvalidInput if it is not there, or another user sent it."""
    document = _test_set_document(given)
    if document:
        test_set = services.test_sets.get(document.test_set_id)
        etag = _find_etag(test_set, input_prefix(test_set.id) + document.path, services)
        if etag is None:
            raise InvalidInput(
                f"Test set '{test_set.id}' has no document with this documentPath. It is the path below input/."
            )
        return _Document(document.path, document.model_copy(update={"etag": etag}))
    key = given.upload_key or ""
    own = uploads_prefix(identity.sub)
    if not key.startswith(own) or next((file.key for file in services.data.list(key)), None) != key:
        raise InvalidInput(
            "You have sent no document with this uploadKey. Call createClassificationUpload, and send the document "
            "to the URL it returns."
        )
    return _Document(_from_key(key.removeprefix(own).partition("/")[2]), None)


def _find_etag(test_set: TestSetRecord, key: str, services: Services) -> str | None:
    """Return the ETag of a document, of a complete test set the one it was completed with; None if there is none."""
    bucket = services.test_set_bucket
    if not test_set.sealed_as:
        return bucket.find_etag(key)
    files = bucket.sealed(test_set.id, test_set.sealed_as).files
    return next((file.etag for file in files if file.key == key), None)


def _require_texts(given: StartClassificationInput, prompt: Prompt, services: Services) -> None:
    """Raise InvalidInput if the prompt needs texts and there are none; how many are needed only the document shows."""
    if not prompt.needs_text or given.page_texts is not None:
        return
    document = _test_set_document(given)
    if not document:
        raise InvalidInput(
            f"The prompt has {TEXT_PLACEHOLDER}: give the text of each page with pageTexts, or choose a version whose "
            "prompt needs none."
        )
    texts = services.test_set_bucket.list(page_texts_prefix(document.test_set_id, document.path))
    if next(texts, None) is None:
        raise InvalidInput(
            f"The prompt has {TEXT_PLACEHOLDER}, and the baseline of the document has no texts. Give the text of each "
            "page with pageTexts, or choose a version whose prompt needs none."
        )
