"""The prompt a job trains with: that of its configuration version with the classes of its test set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from idp_finetuning.jobs.job import JobConfiguration
from idp_finetuning.nova.prompt import DocumentClass, Prompt
from idp_finetuning.text import named
from idp_finetuning.wire import WireModel


class JobPrompt(WireModel):
    """The prompt, and what is odd about it."""

    prompt: Prompt
    warnings: tuple[str, ...] = ()


def job_prompt(configuration: JobConfiguration | None, labelled: Iterable[str]) -> JobPrompt:
    """The labelled classes by name, each with the version's description of that name; built-in texts without one."""
    names = sorted(labelled)
    if not configuration:
        return JobPrompt(prompt=Prompt(classes=tuple(DocumentClass(name=name) for name in names)))
    described = {item.name: item for item in configuration.classes}
    return JobPrompt(
        prompt=Prompt(
            system_prompt=configuration.system_prompt,
            task_prompt=configuration.task_prompt,
            classes=tuple(described.get(name, DocumentClass(name=name)) for name in names),
        ),
        warnings=tuple(_warnings(configuration, names)),
    )


def _warnings(configuration: JobConfiguration, labelled: list[str]) -> Iterator[str]:
    known = {item.name for item in configuration.classes}
    version = f"Configuration version '{configuration.config_version}'"
    # Everybody reads the warnings of a job, and the version may be beyond their scope: only names of the test set here.
    if unlabelled := known - set(labelled):
        yield (
            f"{version} has classes without a labelled document, which the model does not learn: {len(unlabelled)} of "
            f"{len(known)}. getConfigVersion lists its classes."
        )
    if known and (undescribed := [name for name in labelled if name not in known]):
        yield f"{version} does not know these labelled classes; they train without a description: {named(undescribed)}"
