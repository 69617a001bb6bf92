"""What a start of the local runtime finds of the one before it."""

from __future__ import annotations

import stat
import time
from pathlib import Path

import pytest

from idp_local.client import client_for, tokens_of
from idp_local.connection import Connection
from idp_local.documents.generator import demo_test_set
from idp_local.environment import local_client
from idp_local.errors import LocalRuntimeError
from idp_local.runtime import LocalRuntime
from idp_local.state_file import StateFile
from idp_sdk import JobStatus, Tokens

AUTHOR = "author@example.com"
MODEL = "us.amazon.nova-lite-v1:0"


def renew(tokens: Tokens, connection: Connection) -> Tokens:
    cognito = local_client("cognito-idp", connection.aws_endpoint_url)
    assert tokens.refresh_token
    answer = cognito.initiate_auth(
        AuthFlow="REFRESH_TOKEN_AUTH",
        AuthParameters={"REFRESH_TOKEN": tokens.refresh_token.get_secret_value()},
        ClientId=connection.user_pool_client_id,
    )
    return tokens.model_copy(update={"id_token": answer["AuthenticationResult"]["IdToken"]})


def test_a_start_that_keeps_goes_on_where_the_last_one_ended(tmp_path: Path) -> None:
    documents = demo_test_set()[:24]
    with LocalRuntime(tmp_path, keep=True) as runtime, client_for(runtime.connection, AUTHOR) as client:
        first, tokens = runtime.connection, tokens_of(runtime.connection, AUTHOR)
        client.test_sets.upload_documents(documents, name="kept")
        job = client.finetuning.create_job(test_set_id="kept", base_model=MODEL, name="kept")
        while client.finetuning.get_job(job.id).status is not JobStatus.TRAINING:
            time.sleep(0.1)
    with LocalRuntime(tmp_path, keep=True) as runtime, client_for(runtime.connection, AUTHOR) as client:
        second = runtime.connection
        assert (second.user_pool_id, second.user_pool_client_id) == (first.user_pool_id, first.user_pool_client_id)
        assert second.users == first.users
        assert renew(tokens, second).id_token
        ended = client.finetuning.wait_for_completion(job.id, timeout=120)
        assert ended.status is JobStatus.COMPLETED
        (model,) = client.models.list_available_models().custom_models
        document = documents[0].path
        found = client.classify(test_set_id="kept", document_path=document, model=model.id)
        assert (model.job_id, bool(found.pages)) == (job.id, True)


def test_other_starts_keep_users_and_sign_ins_only(tmp_path: Path) -> None:
    with LocalRuntime(tmp_path) as runtime, client_for(runtime.connection, AUTHOR) as client:
        first, tokens = runtime.connection, tokens_of(runtime.connection, AUTHOR)
        client.test_sets.upload_documents(demo_test_set()[:2], name="gone")
    with LocalRuntime(tmp_path) as runtime, client_for(runtime.connection, AUTHOR) as client:
        assert renew(tokens, runtime.connection).id_token
        assert runtime.connection.users == first.users
        assert list(client.test_sets.list()) == []
    assert not (tmp_path / "objects").exists()


def test_what_another_release_kept_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    file = tmp_path / "state/account.pickle"
    StateFile(file, form="another").write({})
    before = file.read_bytes()
    with pytest.raises(LocalRuntimeError, match="Another release wrote what was kept"):
        LocalRuntime(tmp_path, keep=True).__enter__()
    assert file.read_bytes() == before


def test_nobody_else_can_read_the_folder(tmp_path: Path) -> None:
    directory = tmp_path / "local"
    directory.mkdir(mode=0o755)
    with LocalRuntime(directory, keep=True) as runtime, client_for(runtime.connection, AUTHOR) as client:
        client.test_sets.upload_documents(demo_test_set()[:2], name="private")
        modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (directory, *directory.rglob("*"))}
    assert {path: oct(mode) for path, mode in modes.items() if mode & 0o077} == {}
    assert any(path.parent.name == "objects" for path in modes)
