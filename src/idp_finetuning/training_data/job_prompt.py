"""The prompt a job trains with: that of its configuration version, with the classes of its test set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from idp_finetuning.jobs.job import JobConfiguration
from idp_finetuning.nova.prompt import DocumentClass, Prompt
from idp_finetuning.text import find_alike, join_first
from idp_finetuning.wire import WireModel


class JobPrompt(WireModel):
    """The prompt, and warnings about it."""

    prompt: Prompt
    warnings: tuple[str, ...] = ()


def make_job_prompt(configuration: JobConfiguration | None, labelled: Iterable[str]) -> JobPrompt:
    """Combine the labelled classes, sorted by name, with the version's prompts and descriptions.

    A class has the description of the version's class that looks the same, see `text.normal_form`. Without a version
    the built-in prompts are used, and classes have no description.
    """
    names = sorted(labelled)
    if not configuration:
        return JobPrompt(prompt=Prompt(classes=tuple(DocumentClass(name=name) for name in names)))
    known = [item.name for item in configuration.classes]
    described = {item.name: item for item in configuration.classes}
    alike = {name: described[found] for name in names if (found := find_alike(name, known))}
    return JobPrompt(
        prompt=Prompt(
            system_prompt=configuration.system_prompt,
            task_prompt=configuration.task_prompt,
            classes=tuple(
                DocumentClass(name=name, description=alike[name].description if name in alike else "") for name in names
            ),
        ),
        warnings=tuple(_warn_of_classes(configuration, names, alike)),
    )


def _warn_of_classes(
    configuration: JobConfiguration, labelled: Sequence[str], alike: Mapping[str, DocumentClass]
) -> Iterator[str]:
    known = {item.name for item in configuration.classes}
    version = f"Configuration version '{configuration.config_version}'"
    # Every user can read the warnings of a job, but not every version: only names from the test set appear here.
    if unlabelled := known - {item.name for item in alike.values()}:
        yield (
            f"{version} has classes without a labelled document, which the model does not learn: {len(unlabelled)} of "
            f"{len(known)}. getConfigVersion lists its classes."
        )
    if known and (undescribed := [name for name in labelled if name not in alike]):
        listed = join_first(undescribed)
        yield f"{version} does not know these labelled classes; they train without a description: {listed}"
