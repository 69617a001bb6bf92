"""`models`: what can be fine-tuned, and what was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from idp_cli.noun import Noun
from idp_cli.output import remark
from idp_cli.session import Session, shared_options

if TYPE_CHECKING:
    from idp_sdk import AvailableModels


@click.group(cls=Noun)
def models() -> None:
    """Base models and your own custom models."""  # noqa: D401 - help of a noun


@models.command("list")
@shared_options
@click.pass_obj
def list_models(session: Session) -> None:
    """List base models and custom models."""
    with session.client() as client:
        found = client.models.list_available_models()
    session.show(found, models_lines(found))
    for model in found.base_models:
        if model.offered is False:
            remark(f"This account is not offered {model.id} for fine-tuning. Choose another base model.")


def models_lines(found: AvailableModels) -> list[str]:
    """Return the guide's output of `models list`."""
    base = [f"  - {model.id} ({model.name} - {model.label})" for model in found.base_models]
    custom = [f"  - {model.name} ({model.base_model}) - {model.status}" for model in found.custom_models]
    return ["Base Models:", *base, "", "Custom Models:", *(custom or ["  (none)"])]
