"""docs/cli.md holds every command, and its examples print what stands there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from idp_cli.main import COMMANDS, cli
from tests.idp_cli.conftest import Run
from tests.support.cli import samples
from tests.support.cli.deployment import OUTPUTS, PASSWORD, Deployment
from tests.support.cli.documented import Example, examples, find_commands
from tests.support.docs_pages import ROOT

SPEECHLESS = ("completion", "--help")  # a script and a help text are no data
each_example = pytest.mark.parametrize("example", examples(), ids=str)


def commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command below a group, by the words that call it."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


@pytest.fixture
def folder(config: Path) -> Path:
    """The working directory with every file that the examples name."""
    here = Path.cwd()
    for name in ("my-documents/invoice/march/1.pdf", "my-documents/letter/2.pdf", "scan.pdf", "task-prompt.txt"):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text("%PDF-1.7 content")
    (here / "cdk-outputs.json").write_text(json.dumps({"idp-finetuning": OUTPUTS}))
    (here / "classes.json").write_text(json.dumps([{"name": "invoice", "description": "Asks."}, {"name": "letter"}]))
    return here


@each_example
def test_an_example_prints_what_the_page_shows(
    example: Example, folder: Path, run: Run, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    if example.words[0] == "login":
        monkeypatch.setenv("IDP_PASSWORD", PASSWORD)
    if {"--watch", "--wait"} & set(example.words):
        deployment.fields["getFinetuningJob"] = lambda given: samples.completed_job()
    ran = run(*example.words)
    assert ran.code == 0, ran.err
    if example.output is not None:
        assert ran.out == example.output


@pytest.mark.parametrize("example", [shown for shown in examples() if shown.words[0] not in SPEECHLESS], ids=str)
def test_an_example_answers_json_as_well(
    example: Example, folder: Path, run: Run, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IDP_PASSWORD", PASSWORD)
    deployment.fields["getFinetuningJob"] = lambda given: samples.completed_job()
    ran = run("--json", *example.words)
    assert ran.code == 0, ran.err
    json.loads(ran.out)


def test_every_command_stands_on_the_page_with_an_example() -> None:
    shown = {example.words for example in examples()}
    missing = [path for path, _ in commands(cli) if not any(words[: len(path)] == path for words in shown)]
    assert missing == []


def test_every_command_and_option_has_help() -> None:
    silent = [path for path, command in commands(cli) if not command.help]
    for path, command in commands(cli):
        options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
        silent += [(*path, option.name or "") for option in options if not option.help]
    assert silent == []


def test_lists_of_commands_are_not_cut_off() -> None:
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command
        text = command.get_help(click.Context(command, info_name=name, terminal_width=80))
        assert "..." not in text.partition("Commands:")[2]


def test_the_root_says_of_each_command_what_the_command_says_of_itself() -> None:
    context = click.Context(cli)
    for name, (_, text) in COMMANDS.items():
        command = cli.get_command(context, name)
        assert command
        assert (command.help or "").partition("\n\n")[0].replace("\n", " ") == text


@pytest.mark.parametrize("file", ["README.md", "docs/guide.md", "docs/cli.md", "docs/deploy.md", "docs/operations.md"])
def test_commands_and_options_that_a_page_mentions_exist(file: str) -> None:
    known = dict(commands(cli))
    shared = {"--help", "--json", "--profile"}
    for words in find_commands((ROOT / file).read_text(encoding="utf-8")):
        if words[0].startswith("-"):
            continue
        path = next((words[:length] for length in (2, 1) if words[:length] in known), None)
        assert path, f"{file}: {' '.join(words)}"
        options = {option for parameter in known[path].params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options | shared, f"{file}: {' '.join(words)}"


def test_commands_of_the_readme_are_found() -> None:
    found = find_commands((ROOT / "README.md").read_text(encoding="utf-8"))
    assert ("login", "--username", "author@example.com") in found
