"""`idp-local up` as a process: what it leaves while it runs, and that it leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from idp_local.connection import Connection
from idp_local.environment import local_client
from tests.support.graphql_client import GraphQLClient

pytestmark = pytest.mark.xdist_group("local_runtime")

UP = (sys.executable, "-c", "import sys; from idp_local.command import main; sys.exit(main())", "up", "--port")


@pytest.fixture
def up(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A running `idp-local up` whose terminal is ours alone."""
    # What a user's shell may hold and what must not matter here.
    shell = {**os.environ, "AWS_PROFILE": "absent", "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9", "http_proxy": "x:9"}
    process = subprocess.Popen(
        [*UP, "0", "--switches", '{"absentJob": "ValidationException"}'],
        cwd=tmp_path,
        env=shell,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    wait_for(lambda: (tmp_path / ".idp-local/connection.json").exists(), 60)
    yield process
    process.kill()
    process.communicate()


def wait_for(condition: object, seconds: float) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def descendants(pid: int) -> set[int]:
    """Processes that a process started, directly or not."""
    table = subprocess.run(["ps", "-axo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(line.split()[0]): int(line.split()[1]) for line in table.splitlines()}
    found = {pid}
    while grown := {child for child, parent in parents.items() if parent in found} - found:
        found |= grown
    return found - {pid}


def living(pids: set[int]) -> set[int]:
    return {pid for pid in pids if _is_alive(pid)}


def _is_alive(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


def test_a_killed_runtime_leaves_no_process_behind(up: subprocess.Popen[str]) -> None:
    children = descendants(up.pid)
    assert len(children) >= 5  # the account, Bedrock, three workers

    os.kill(up.pid, signal.SIGKILL)

    wait_for(lambda: not living(children), 10)


def test_a_running_runtime_says_where_it_is_and_takes_it_back_at_its_end(
    up: subprocess.Popen[str], tmp_path: Path
) -> None:
    file = tmp_path / ".idp-local/connection.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    connection = Connection.model_validate_json(file.read_text(encoding="utf-8"))
    # The product's own functions, not the small ones.
    models = GraphQLClient(connection, "viewer@example.com").execute("{ listAvailableModels { baseModels { id } } }")
    assert models["listAvailableModels"]["baseModels"]
    bedrock = local_client("bedrock", connection.bedrock_endpoint_url)
    with pytest.raises(ClientError, match="ValidationException"):  # the switch
        bedrock.get_model_customization_job(jobIdentifier="absent")
    children = descendants(up.pid)

    up.send_signal(signal.SIGTERM)
    said, _ = up.communicate(timeout=20)

    assert connection.graphql_url in said
    assert all(user.password in said for user in connection.users)
    assert "{'absentJob': 'ValidationException'}" in said
    assert "Traceback" not in said
    assert not file.exists()
    assert not living(children)


@pytest.mark.parametrize("option", ["--switches", "--answers"])
def test_switches_that_cannot_be_read_are_refused_before_anything_starts(option: str, tmp_path: Path) -> None:
    (tmp_path / "given").write_text("{", encoding="utf-8")
    refused = subprocess.run(
        [*UP, "0", option, "given"], cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False
    )
    assert refused.returncode == 1
    assert "See docs/bedrock-answers.md" in refused.stderr
    assert not (tmp_path / ".idp-local").exists()


def test_a_port_in_use_is_one_clear_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ended = subprocess.run([*UP, port], cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        f"Port {port} cannot be used (Address already in use). Choose another with --port, or --port 0 for a free one."
    ]
