"""`completion`: scripts with which a shell completes commands and options."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

NAMES = ("idp-cli", "idp")


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    It is for both names of this program. bash: add `eval "$(idp-cli completion bash)"` to ~/.bashrc; zsh: the same
    with zsh in ~/.zshrc; fish: `idp-cli completion fish > ~/.config/fish/completions/idp-cli.fish`.
    """
    kind = get_completion_class(shell)
    root = ctx.find_root().command
    if kind is None:
        raise click.ClickException(f"There is no completion for {shell}.")
    for name in NAMES:
        variable = f"_{name}_COMPLETE".replace("-", "_").upper()
        click.echo(kind(root, {}, name, variable).source())
