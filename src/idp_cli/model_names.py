"""A model as `models list` shows it: its id or ARN, or its name if no other model has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from idp_sdk import IDPClient


def model_id(client: IDPClient, given: str | None) -> str | None:
    """Return the id of the model that is given by its id, its deployment's ARN or its name.

    Ids and ARNs have a colon, which no name has, and are not looked up. Raises click.BadParameter if there is no model
    of this name, or several.
    """
    if given is None or ":" in given:
        return given
    found = client.models.list_available_models()
    models = [(model.name, model.id) for model in found.custom_models]
    models += [(model.name, model.id) for model in found.base_models]
    ids = [model for name, model in models if name == given or model == given]
    if len(ids) == 1:
        return ids[0]
    if ids:
        several = ", ".join(ids)
        raise click.BadParameter(f"{len(ids)} models have the name '{given}'. Give the id of one: {several}.")
    raise click.BadParameter(f"there is no model '{given}'. `idp-cli models list` shows those there are.")
