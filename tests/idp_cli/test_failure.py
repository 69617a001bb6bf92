"""What fails says so in one sentence, with what to do, and with the exit code of its kind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from graphql import build_schema
from idp_cli.api_names import COMMAND_OF, OPTION_OF, OPTION_OF_WORD
from idp_cli.main import cli
from tests.idp_cli.conftest import Run, configure
from tests.idp_cli.test_documentation import commands
from tests.support.cli.deployment import PASSWORD, TOKEN, Deployment, Refused
from tests.support.docs_pages import ROOT

JOB = ("finetuning", "status", "--job-id", "nope")
CREATE = ("finetuning", "create", "--test-set", "s", "--base-model", "m", "--name", "n")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retries follow at once."""
    monkeypatch.setattr("random.uniform", lambda lowest, highest: 0.0)


def refuse(error_type: str, message: str) -> object:
    raise Refused(error_type, message)


def test_without_a_profile_it_says_how_to_make_one(anyone: Run) -> None:
    ran = anyone(*JOB)
    assert (ran.code, ran.out) == (3, "")
    assert ran.err.startswith("Error: No connection is configured for profile 'default'.")
    assert "idp-cli configure" in ran.err
    assert ran.err.count("\n") == 1


def test_who_is_not_signed_in_is_told_how_to(anyone: Run, config: Path) -> None:
    configure(config)
    (config / "credentials.json").unlink()
    ran = anyone(*JOB)
    assert ran.code == 3
    assert ran.err.startswith("Error: Nobody is signed in.")
    assert "idp-cli login" in ran.err


def test_an_expired_token_that_cannot_be_renewed_says_to_sign_in_again(anyone: Run, config: Path) -> None:
    configure(config, expires_at=time.time() - 1)
    ran = anyone(*JOB)
    assert ran.code == 3
    assert ran.err == "Error: Your sign-in has ended. Sign in again with: idp-cli login\n"


def test_a_wrong_password_is_not_allowed_and_not_shown(
    anyone: Run, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(config)
    monkeypatch.setenv("IDP_PASSWORD", "wrong-password")
    ran = anyone("login", "--username", "author@example.com")
    assert ran.code == 3
    assert ran.err.startswith("Error: 'author@example.com' could not be signed in: Incorrect username or password.")
    assert "wrong-password" not in ran.out + ran.err


def test_a_server_that_is_down_is_named(run: Run, deployment: Deployment) -> None:
    deployment.down = True
    ran = run(*JOB)
    assert ran.code == 1
    assert ran.err.startswith("Error: https://api.example.com could not be reached")
    assert ran.err.count("\n") == 1


def test_an_unknown_job_is_named_and_the_way_to_find_it_is_a_command(run: Run, deployment: Deployment) -> None:
    message = "There is no fine-tuning job 'nope'. listFinetuningJobs shows those there are."
    deployment.fields["getFinetuningJob"] = lambda given: refuse("JobNotFound", message)
    ran = run(*JOB)
    assert ran.code == 1
    assert ran.err == "Error: There is no fine-tuning job 'nope'. `idp-cli finetuning list` shows those there are.\n"


def test_a_value_out_of_range_is_told_with_its_option(run: Run, deployment: Deployment) -> None:
    message = "input.hyperParameters.epochCount: input should be less than or equal to 5."
    deployment.fields["createFinetuningJob"] = lambda given: refuse("InvalidInput", message)
    assert run(*CREATE, "--epochs", "9").err == "Error: --epochs: input should be less than or equal to 5.\n"


def test_options_that_stand_for_inputs_exist() -> None:
    known = {option for _, command in commands(cli) for parameter in command.params for option in parameter.opts}
    assert {*OPTION_OF.values(), *OPTION_OF_WORD.values()} <= known


def test_a_viewer_may_not_create_a_job(run: Run, deployment: Deployment) -> None:
    message = "Not Authorized to access createFinetuningJob on type Mutation"
    deployment.fields["createFinetuningJob"] = lambda given: refuse("Unauthorized", message)
    ran = run(*CREATE)
    assert ran.code == 3
    assert "groups" in ran.err
    assert "Admin" in ran.err
    assert ran.err.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ("nothing",),
        ("finetuning", "nothing"),
        ("finetuning", "status"),
        ("finetuning", "list", "--limit", "0"),
        ("finetuning", "create", "--epochs", "many"),
        ("classify",),
        ("classify", "a.pdf", "--test-set", "s", "--document", "b.pdf"),
        ("users", "scope", "someone"),
        ("users", "scope", "someone", "--all", "--default"),
        ("config-version", "update", "invoices"),
        ("completion", "tcsh"),
        ("login", "--password", "secret"),
        ("configure",),
    ],
)
def test_wrong_usage_is_exit_code_2(run: Run, words: tuple[str, ...], deployment: Deployment) -> None:
    ran = run(*words)
    assert (ran.code, ran.out) == (2, "")
    first, second = ran.err.splitlines()
    assert first.startswith("Error: ")
    assert second.startswith("See: ")
    assert second.endswith(" --help")
    assert deployment.calls == []


def test_a_group_without_a_command_shows_its_help(run: Run) -> None:
    ran = run("finetuning")
    assert ran.code == 2
    assert "validate" in ran.err


def test_advice_is_for_the_profile_that_was_named(anyone: Run, config: Path) -> None:
    assert "Run idp-cli configure FILE --profile work with" in anyone("--profile", "work", *JOB).err
    configure(config)
    (config / "credentials.json").unlink()
    assert "Sign in with: idp-cli login --profile default;" in anyone("--profile", "default", *JOB).err


@pytest.mark.parametrize("place", ["nowhere", "a file", "empty"])
def test_a_folder_that_cannot_be_uploaded_is_named(run: Run, place: str) -> None:
    Path("a file").write_text("content")
    Path("empty").mkdir()
    ran = run("testset", "upload", place, "--name", "docsplit")
    assert ran.code == 2
    assert ran.err.splitlines()[-1].startswith(f"Error: '{place}'")


def test_a_directory_of_profiles_that_cannot_be_used_is_named(anyone: Run, config: Path) -> None:
    config.write_text("a file in its place")
    Path("outputs.json").write_text(json.dumps({"GraphqlUrl": "https://api.example.com/graphql"}))
    ran = anyone("configure", "outputs.json")
    assert ran.code == 3
    assert "config.json' cannot be" in ran.err


def test_a_full_disk_is_one_sentence(run: Run, deployment: Deployment) -> None:
    def full(given: object) -> object:
        raise OSError(28, "No space left on device", "/tmp/somewhere")

    deployment.fields["getFinetuningJob"] = full
    ran = run(*JOB)
    assert (ran.code, ran.err) == (1, "Error: '/tmp/somewhere': No space left on device.\n")


def test_what_nobody_expects_shows_neither_traceback_nor_text(run: Run, deployment: Deployment) -> None:
    deployment.fields["getFinetuningJob"] = lambda given: {}["secret"]  # type: ignore[index]
    ran = run(*JOB)
    assert ran.code == 1
    assert ran.err.startswith("Error: KeyError was not expected.")
    assert "secret" not in ran.err


def test_the_token_is_in_no_output(run: Run, deployment: Deployment) -> None:
    for words in (("whoami",), ("--json", "whoami"), ("finetuning", "list"), ("logout",)):
        ran = run(*words)
        assert TOKEN not in ran.out + ran.err
        assert PASSWORD not in ran.out + ran.err


def test_ctrl_c_is_exit_code_130(run: Run, deployment: Deployment) -> None:
    def interrupted(given: object) -> object:
        raise KeyboardInterrupt

    deployment.fields["getFinetuningJob"] = interrupted
    ran = run(*JOB)
    assert ran.code == 130
    assert ran.err.strip() == "Interrupted."


def test_ctrl_c_while_waiting_says_that_the_job_goes_on_and_how_to_return(run: Run, deployment: Deployment) -> None:
    def interrupted(given: object) -> object:
        raise KeyboardInterrupt

    deployment.fields["getFinetuningJob"] = interrupted
    ran = run("--profile", "default", *CREATE, "--wait")
    job_id = deployment.fields["createFinetuningJob"]({"input": {"jobName": "n"}})["id"]
    assert ran.code == 130
    assert ran.err == (
        "The job continues. Return to it with:\n"
        f"  idp-cli finetuning status --job-id {job_id} --watch --profile default\n"
    )
    assert [name for name, _ in deployment.calls if name == "stopFinetuningJob"] == []


def test_a_connection_that_stays_away_while_waiting_says_so_too(
    run: Run, deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("idp_cli.following.OUTAGE_SECONDS", 0)
    answer = deployment.fields["createFinetuningJob"]

    def last_answer(given: dict[str, Any]) -> object:
        deployment.down = True
        return answer(given)

    deployment.fields["createFinetuningJob"] = last_answer
    ran = run(*CREATE, "--wait")
    assert ran.code == 1
    assert "could not be reached" in ran.err.splitlines()[0]
    assert "Trying again for ten minutes; the job continues." in ran.err.splitlines()[0]
    assert "The job continues. Return to it with:\n" in ran.err
    assert "Error: https://api.example.com could not be reached" in ran.err


def test_operations_that_messages_name_are_the_apis_and_their_commands_exist() -> None:
    schema = (ROOT / "graphql" / "schema.graphql").read_text(encoding="utf-8")
    scalars = "scalar AWSDateTime scalar AWSJSON directive @aws_auth(cognito_groups: [String!]!) on FIELD_DEFINITION\n"
    built = build_schema(scalars + schema)
    assert built.query_type
    assert built.mutation_type
    assert COMMAND_OF.keys() <= built.query_type.fields.keys() | built.mutation_type.fields.keys()
    assert {tuple(words.split()) for words in COMMAND_OF.values()} <= {path for path, _ in commands(cli)}


def test_a_pipe_that_nobody_reads_any_more_is_no_failure() -> None:
    read, write = os.pipe()
    os.close(read)
    program = [sys.executable, "-m", "idp_cli", "completion", "bash"]
    ran = subprocess.run(program, stdout=write, stderr=subprocess.PIPE, check=False)
    os.close(write)
    assert (ran.returncode, ran.stderr) == (0, b"")
