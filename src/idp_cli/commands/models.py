"""`models`: what can be fine-tuned, and what was."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from idp_cli.api_names import OPTION_OF
from idp_cli.noun import Noun
from idp_cli.output import remark, table
from idp_cli.session import Session, shared_options

if TYPE_CHECKING:
    from idp_sdk import AvailableModels, BaseModel


@click.group(cls=Noun)
def models() -> None:
    """Base models and your own custom models."""  # noqa: D401 - help of a noun


@models.command("list")
@click.option("--details", is_flag=True, help="Also show what a job on each base model takes.")
@shared_options
@click.pass_obj
def list_models(session: Session, details: bool) -> None:
    """List base models and custom models."""
    with session.client() as client:
        found = client.models.list_available_models()
    shown = models_lines(found)
    session.show(found, [*shown, "", *detail_lines(found)] if details else shown)
    for model in found.base_models:
        if model.offered is False:
            remark(f"This account is not offered {model.id} for fine-tuning. Choose another base model.")
        elif model.lifecycle_warning:
            remark(model.lifecycle_warning)


def models_lines(found: AvailableModels) -> list[str]:
    """Return the guide's output of `models list`."""
    base = [f"  - {model.id} ({model.name} - {model.label})" for model in found.base_models]
    custom = [f"  - {model.name} ({model.base_model}) - {model.status}" for model in found.custom_models]
    return ["Base Models:", *base, "", "Custom Models:", *(custom or ["  (none)"])]


def detail_lines(found: AvailableModels) -> list[str]:
    """Return a table of what each base model takes, a line for each setting."""
    rows = [row for model in found.base_models for row in _settings(model)]
    return ["What They Take:", *(f"  {line}" for line in table([("MODEL", "SETTING", "RANGE", "DEFAULT"), *rows]))]


def _settings(model: BaseModel) -> Iterator[tuple[str, str, str, str]]:
    yield model.name, "training pages", f"at least {model.minimum_records}", ""
    yield model.name, "records", f"at most {model.maximum_records}", ""
    yield model.name, "validation file", "yes" if model.validation_supported else "no", ""
    for item in model.hyper_parameters:
        default = f"{item.default:g}" if item.sent else "not sent"
        yield model.name, OPTION_OF.get(item.name, item.name), item.range, default
