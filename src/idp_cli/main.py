"""The root of the command line: which commands there are, and how a command ends.

Exit codes: 0 done, 1 failed, 2 wrong usage or a wrong value, 3 not signed in or not allowed, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

import click

from idp_cli.output import escape_unencodable, remark
from idp_cli.session import INTERRUPTED, Session, shared_options

# Module and help of each command: `--help` imports none of them.
COMMANDS = {
    "configure": ("login", "Write a profile from a stack's outputs or a local connection.json."),
    "login": ("login", "Sign in and keep the tokens in the profile."),
    "logout": ("login", "Sign out and remove the tokens of the profile."),
    "whoami": ("login", "Show who is signed in, at which deployment, and with which rights."),
    "testset": ("testset", "Test sets: upload labelled documents, add to them, list, evaluate models on them, delete."),
    "finetuning": ("finetuning", "Fine-tuning jobs: validate, create, watch, stop, retry, delete."),
    "models": ("models", "Base models and your own custom models."),
    "config-version": ("config_version", "Configuration versions: which model classifies, and with which prompt."),
    "classify": ("classify", "Classify the pages of documents, or of a folder."),
    "users": ("users", "Users and the configuration versions they may use."),
    "completion": ("completion", "Print the completion script of a shell."),
}


class LazyGroup(click.Group):
    """The root group; a command's module is imported when the command runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click calls it
        """Return the commands in the order in which one needs them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Return the command: `commands/<module>.py` has it under its name, with `_` for `-`."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"idp_cli.commands.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name.replace("-", "_"))
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; if the reader of its output, such as `head`, has seen enough, end without a failure."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # What is still buffered goes nowhere, instead of failing once more when Python ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="idp-finetuning", prog_name="idp-cli", message="%(prog)s %(version)s")
@shared_options
def cli() -> None:
    """Fine-tune Amazon Nova for document classification.

    New here? `configure`, `login`, `testset upload`, `finetuning validate`, `finetuning create --wait`.
    """


def main(arguments: Sequence[str] | None = None, session: Session | None = None) -> int:
    """Run one command and return its exit code."""
    escape_unencodable()
    words = None if arguments is None else list(arguments)
    started = session or Session()
    return _exit_code(lambda: cli.main(args=words, standalone_mode=False, obj=started), started)


def _exit_code(run: Callable[[], object], session: Session) -> int:
    try:
        code = run()
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except click.UsageError as error:
        remark(f"Error: {error.format_message()}")
        if error.ctx:
            remark(f"See: {error.ctx.command_path} --help")
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    except Exception as error:
        from idp_cli.failure import show_error

        return show_error(error, session.profile)
    return code if isinstance(code, int) else 0
