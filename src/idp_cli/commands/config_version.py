"""`config-version`: under a name, the model that classifies, with its prompt."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from idp_cli.api_names import in_cli_words
from idp_cli.completing import complete_jobs, complete_models, complete_versions
from idp_cli.files import read_text
from idp_cli.model_names import model_id
from idp_cli.noun import Noun
from idp_cli.output import next_step, remark, table
from idp_cli.prompt_text import prompt_lines
from idp_cli.session import Session, shared_options
from idp_cli.times import moment

if TYPE_CHECKING:
    from idp_sdk import ConfigVersion, DocumentClass, IDPClient

_Command = TypeVar("_Command", bound="Callable[..., Any] | click.Command")


def _content_options(command: _Command) -> _Command:
    file = click.Path(path_type=Path)
    options = (
        click.option("--description", metavar="TEXT", help="What the version is for."),
        click.option(
            "--model",
            metavar="ID",
            shell_complete=complete_models,
            help="Model: id, ARN or name, as `models list` shows it.",
        ),
        click.option("--system-prompt", type=file, metavar="FILE", help="File with the system prompt."),
        click.option("--task-prompt", type=file, metavar="FILE", help="File with the task prompt."),
        click.option("--temperature", type=float, metavar="NUMBER", help="0 to 1."),
        click.option(
            "--classes", type=file, metavar="FILE", help='JSON file: [{"name": "invoice", "description": "…"}, …].'
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


@click.group("config-version", cls=Noun)
def config_version() -> None:
    """Configuration versions: which model classifies, and with which prompt."""  # noqa: D401 - help of a noun


@config_version.command("list")
@shared_options
@click.pass_obj
def list_versions(session: Session) -> None:
    """List the versions you may use."""
    with session.client() as client:
        found = list(client.config_versions.list())
    session.show(found, version_rows(found))


@config_version.command()
@click.argument("name", shell_complete=complete_versions)
@shared_options
@click.pass_obj
def show(session: Session, name: str) -> None:
    """Show a version with its prompts and classes."""
    with session.client() as client:
        found = client.config_versions.get(name)
    session.show(found, version_lines(found))


@config_version.command()
@click.argument("name", shell_complete=complete_versions)
@click.option(
    "--from-job",
    metavar="ID",
    shell_complete=complete_jobs,
    help="Completed job whose model and prompt the version carries.",
)
@_content_options
@shared_options
@click.pass_obj
def create(session: Session, /, name: str, from_job: str | None, **given: Any) -> None:
    """Create a version.

    Values that are not given come from the job, else from the version `default`.
    """
    content = _content(given)
    with session.client() as client:
        _find_model(client, content)
        made = client.config_versions.create(name, from_job=from_job, **content)
    _show_change(session, made, "is created")
    next_step(f"idp-cli config-version activate {shlex.quote(name)}")


@config_version.command()
@click.argument("name", shell_complete=complete_versions)
@click.option(
    "--revision",
    type=int,
    metavar="N",
    help="The revision your change was made from; fails if the version has changed since.",
)
@_content_options
@shared_options
@click.pass_obj
def update(session: Session, /, name: str, revision: int | None, **given: Any) -> None:
    """Change a version.

    Values that are not given stay as they are.
    """
    content = _content(given)
    if not content:
        raise click.UsageError("Give what to change, for example --task-prompt FILE.")
    with session.client() as client:
        _find_model(client, content)
        changed = client.config_versions.update(name, revision=revision, **content)
    _show_change(session, changed, f"is changed, now revision {changed.revision}")


@config_version.command()
@click.argument("name", shell_complete=complete_versions)
@click.option(
    "--only-if-better", is_flag=True, help="Refuse it unless its evaluation proves it better than the active version."
)
@shared_options
@click.pass_obj
def activate(session: Session, name: str, only_if_better: bool) -> None:
    """Make a version the active one.

    Classifications that name no version use it.
    """
    with session.client() as client:
        active = client.config_versions.activate(name, only_if_better=only_if_better)
    _show_change(session, active, "is active")
    next_step("idp-cli classify FILE")


@config_version.command()
@shared_options
@click.pass_obj
def rollback(session: Session) -> None:
    """Activate the version that was active before."""
    with session.client() as client:
        active = client.config_versions.rollback()
    _show_change(session, active, "is active again")


@config_version.command()
@click.argument("name", shell_complete=complete_versions)
@shared_options
@click.pass_obj
def delete(session: Session, name: str) -> None:
    """Delete a version that is not active."""
    with session.client() as client:
        deleted = client.config_versions.delete(name)
    session.show(deleted, [f"Configuration version '{name}' is deleted."])


def _content(given: dict[str, Any]) -> dict[str, Any]:
    """Return the SDK's arguments: files read, values that were not given left out."""
    content = {name: value for name, value in given.items() if value is not None}
    for prompt in ("system_prompt", "task_prompt"):
        if prompt in content:
            content[prompt] = read_text(content[prompt])
    if "classes" in content:
        content["classes"] = read_classes(content["classes"])
    return content


def _find_model(client: IDPClient, content: dict[str, Any]) -> None:
    if "model" in content:
        content["model"] = model_id(client, content["model"])


def read_classes(file: Path) -> tuple[DocumentClass, ...]:
    """Read names and descriptions from a JSON file. Raises ClickException if it has something else."""
    from pydantic import TypeAdapter, ValidationError

    from idp_sdk import DocumentClass

    try:
        return TypeAdapter(tuple[DocumentClass, ...]).validate_python(json.loads(read_text(file)))
    except ValidationError as error:
        for problem in error.errors():
            if problem["type"] == "unknown_member":
                place, sentence = int(problem["loc"][0]) + 1, problem["msg"].replace("DocumentClass", "a class", 1)
                raise click.ClickException(f"In entry {place} of '{file}', {sentence}") from None
    except (ValueError, RecursionError):  # no JSON, numbers of thousands of digits, thousands of nested brackets
        pass
    raise click.ClickException(
        f"'{file}' is not a JSON list of classes. It has to look like "
        '[{"name": "invoice", "description": "Asks for a payment."}, {"name": "letter"}].'
    )


def version_rows(found: Iterable[ConfigVersion]) -> list[str]:
    """Return a table of versions, or a sentence if there are none."""
    rows = [
        (
            version.name,
            "active" if version.active else "",
            version.classification.model_name,
            str(len(version.classification.classes)),
            moment(version.updated_at),
            version.description,
        )
        for version in found
    ]
    if not rows:
        return ["No configuration version is in your scope."]
    return table([("NAME", "", "MODEL", "CLASSES", "UPDATED", "DESCRIPTION"), *rows], right=(3,))


def version_lines(version: ConfigVersion) -> list[str]:
    """Return a version in full."""
    settings = version.classification
    made = [(name, moment(at), by) for name, at, by in _changes(version) if at]
    return [
        f"Configuration Version: {version.name}{' (active)' if version.active else ''}",
        *([f"  Description: {version.description}"] if version.description else []),
        f"  Revision: {version.revision}",
        f"  Model: {settings.model_name} ({settings.model})",
        *([f"  Job ID: {settings.job_id}"] if settings.job_id else []),
        f"  Temperature: {settings.temperature:g}",
        *(f"  {name}: {at} by {by}" for name, at, by in made),
        "",
        *prompt_lines(settings.system_prompt, settings.task_prompt, settings.classes),
        *(["", "Warnings:", *(f"  - {in_cli_words(text)}" for text in version.warnings)] if version.warnings else []),
    ]


def _changes(version: ConfigVersion) -> tuple[tuple[str, Any, str | None], ...]:
    return (
        ("Created", version.created_at, version.created_by),
        ("Updated", version.updated_at, version.updated_by),
    )


def _show_change(session: Session, version: ConfigVersion, what: str) -> None:
    session.show(version, [f"Configuration version '{version.name}' {what}."])
    for warning in version.warnings:
        remark(f"Warning: {in_cli_words(warning)}")
