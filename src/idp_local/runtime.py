"""The whole local runtime: starts its processes, provisions the account, serves the API, and ends all of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from idp_finetuning.deployment import FINETUNING, FUNCTIONS, JOBS_TABLE
from idp_local.api.schema import executable_schema
from idp_local.api.server import graphql_app
from idp_local.api.tokens import TokenVerifier
from idp_local.aws.identity import UserPool
from idp_local.aws.names import (
    DATA_BUCKET,
    PREFIX,
    TEST_SET_BUCKET,
    function_name,
    state_machine_arn,
    variable_values,
)
from idp_local.aws.provision import provision
from idp_local.child import STOP_SECONDS, first_line, python_child, stop
from idp_local.client import tokens_of
from idp_local.connection import Connection, ConnectionFile, UserFile
from idp_local.environment import CHECKOUT, CONCURRENCY_LIMIT, REGION, aws_environment
from idp_local.errors import LocalRuntimeError
from idp_local.functions.endpoint import FunctionEndpoint
from idp_local.functions.pool import WorkerPool
from idp_local.functions.schedule import ReconcileTimer
from idp_local.functions.service import API_FUNCTION, Functions, Interceptor, Throttled
from idp_local.http import HOST, listening_socket, server_on
from idp_local.private_files import make_private
from idp_local.state_file import UNREADABLE

if TYPE_CHECKING:
    from idp_local.bedrock.server import BedrockServer
    from idp_local.bedrock.switches import Switches


STORE_SECONDS = 120.0  # tens of thousands of objects


class LocalRuntime:
    """Runs while entered as a context manager; raises LocalRuntimeError if it cannot start.

    `directory` gets logs, connection.json and state: users and their sign-ins stay from one start to the next, with
    `keep` also tables, objects and what the Bedrock stand-in has. `port` is the API's, the two after it are those of
    the AWS services and the stand-in; 0 takes free ones. `workers` run the workflow's
    functions, one more runs the API's. `seconds_per_phase` is the least time in each phase of a Bedrock job,
    `poll_seconds` and `retry_interval_seconds` (at least 1, moto) replace the minutes AWS waits. ReconcileJobs runs
    every `reconcile_seconds` with `reconcile_event`. `map_concurrency` documents of a job are converted at once, unless
    `concurrency_limit`, Lambda's limit of functions that run at once, leaves room for fewer. `handler_root` has the
    `lambdas` package, `definitions` the state machines.

    `switches` say how the Bedrock stand-in behaves if AWS does not document it.

    Tests may pass an `interceptor` of invocations, the name of an `instrument` of the workers (see
    `functions.worker`), and `bedrock`, which makes another Bedrock stand-in, given the address of S3.
    """

    def __init__(
        self,
        directory: Path,
        port: int = 0,
        *,
        keep: bool = False,
        workers: int = 2,
        seconds_per_phase: float = 1.0,
        retry_interval_seconds: int = 1,
        poll_seconds: int = 1,
        map_concurrency: int = 4,
        concurrency_limit: int = CONCURRENCY_LIMIT,
        reconcile_seconds: float = 20,
        reconcile_event: Mapping[str, Any] | None = None,
        handler_root: Path = CHECKOUT,
        definitions: Path = CHECKOUT / "statemachines",
        interceptor: Interceptor | None = None,
        instrument: str | None = None,
        bedrock: Callable[[str], BedrockServer] | None = None,
        switches: Switches | None = None,
    ) -> None:
        self._directory = directory
        self._port = port
        self._keep = keep
        self._workers = workers
        self._seconds_per_phase = seconds_per_phase
        self._retry_interval_seconds = retry_interval_seconds
        self._poll_seconds = poll_seconds
        self._map_concurrency = map_concurrency
        self._concurrency_limit = concurrency_limit
        self._reconcile_seconds = reconcile_seconds
        self._reconcile_event = dict(reconcile_event or {})
        self._handler_root = handler_root
        self._definitions = definitions
        self._interceptor = interceptor
        self._instrument = instrument
        self._bedrock = bedrock
        self._switches = switches
        self._logs = directory / "logs"
        self._state = directory / "state"
        self._ending = ExitStack()
        self.connection: Connection
        self.functions: Functions

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._ending.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.close()

    def token(self, username: str) -> str:
        """Sign in a seeded user and return the id token."""
        return tokens_of(self.connection, username).id_token.get_secret_value()

    def _start(self) -> None:
        _check_checkout(self._handler_root)
        for folder in (self._directory, self._logs, self._state):
            make_private(folder)
        # Taken first: a port in use should stop the start before anything else runs.
        api_socket = self._ending.enter_context(listening_socket(self._port))
        endpoint = FunctionEndpoint()
        self._ending.callback(endpoint.close)
        with listening_socket(self._port and self._port + 1) as aws_socket:
            aws_url = f"http://{HOST}:{aws_socket.getsockname()[1]}"
            account = self._child(
                "account",
                [
                    *("-m", "idp_local.aws", "--socket", str(aws_socket.fileno()), "--functions", endpoint.url),
                    *("--state", str(self._state), *(["--keep"] if self._keep else [])),
                    *("--objects", str(self._object_folder())),
                    *("--concurrency-limit", str(self._concurrency_limit)),
                ],
                pass_fds=(aws_socket.fileno(),),
            )
        bedrock = None if self._bedrock else self._bedrock_child(aws_url)
        pool = WorkerPool(
            self._workers,
            handler_root=self._handler_root,
            log=self._logs / "workers.log",
            instrument=self._instrument,
        )
        self._ending.callback(pool.close)
        schema = executable_schema((CHECKOUT / "graphql/schema.graphql").read_text(encoding="utf-8"))
        self._first_line(account, "account")
        known = UserFile(self._state)
        users = provision(
            aws_url,
            functions=FUNCTIONS,
            definitions=self._definitions,
            retry_interval_seconds=self._retry_interval_seconds,
            known_users=known.read(),
        )
        known.write(users.users)
        if bedrock:
            bedrock_url = self._first_line(bedrock, "bedrock")
        elif self._bedrock:
            bedrock_url = self._ending.enter_context(self._bedrock(aws_url)).url
        endpoint.functions = Functions(
            FUNCTIONS,
            prefix=PREFIX,
            pool=pool,
            values=variable_values(
                self._poll_seconds, user_pool_id=users.pool_id, map_concurrency=self._map_concurrency
            ),
            endpoints=aws_environment(aws_url, bedrock_url),
            logs=self._logs,
            retry_interval_seconds=self._retry_interval_seconds,
            concurrency_limit=self._concurrency_limit,
            interceptor=self._interceptor,
        )
        self.functions = endpoint.functions
        graphql_url = f"http://{HOST}:{api_socket.getsockname()[1]}/graphql"
        self.connection = _connection(graphql_url, aws_url, bedrock_url, users)
        app = graphql_app(
            schema,
            verifier=TokenVerifier(
                user_pool_id=users.pool_id, client_id=users.client_id, keys=_keys(aws_url, users.pool_id)
            ),
            invoke=_resolver_invocation(endpoint.functions),
            connection=self.connection,
            sign_in=self.token,
        )
        server = server_on(api_socket.fileno(), app, has_pages=True)
        self._ending.callback(server.server_close)
        self._ending.callback(server.shutdown)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        timer = ReconcileTimer(endpoint.functions, self._reconcile_seconds, self._reconcile_event)
        self._ending.callback(timer.cancel)
        if self._keep:
            # The executions of the last start are gone: unfinished jobs get new ones now, not after five minutes.
            self.functions.invoke_later(function_name("ReconcileJobs"), {"sweep": False, "grace": {"start": 0}})
        file = ConnectionFile(self._directory)
        file.write(self.connection)
        self._ending.callback(file.remove)

    def _bedrock_child(self, aws_url: str) -> subprocess.Popen[bytes]:
        arguments = ["-m", "idp_local.bedrock", "--seconds-per-phase", str(self._seconds_per_phase)]
        arguments += ["--port", str(self._port and self._port + 2)]
        if self._keep:
            arguments += ["--state", str(self._state / "bedrock.pickle")]
        if self._switches:
            arguments += ["--switches", self._switches.model_dump_json()]
        return self._child(
            "bedrock",
            [*arguments, "--exit-with-stdin"],
            environment=aws_environment(aws_url),
        )

    def _object_folder(self) -> Path:
        """Return the folder for the contents of objects: the kept one, or an empty one that is removed at the end."""
        if self._keep:
            return make_private(self._state / "objects")
        folder = self._directory / "objects"
        shutil.rmtree(folder, ignore_errors=True)  # a crash may have left it
        self._ending.callback(shutil.rmtree, folder, ignore_errors=True)
        return make_private(folder)

    def _first_line(self, child: subprocess.Popen[bytes], name: str) -> str:
        line = first_line(child, name=name, log=self._logs / f"{name}.log")
        if line == UNREADABLE:
            raise LocalRuntimeError(
                f"Another release wrote what was kept in {self._state}. Start without --keep, or remove that folder."
            )
        return line

    def _child(
        self,
        name: str,
        arguments: list[str],
        *,
        environment: Mapping[str, str] | None = None,
        pass_fds: tuple[int, ...] = (),
    ) -> subprocess.Popen[bytes]:
        log = self._logs / f"{name}.log"
        child = python_child(arguments, log=log, environment=environment, pass_fds=pass_fds)
        self._ending.callback(stop, [child], STORE_SECONDS if self._keep else STOP_SECONDS)
        return child


def _check_checkout(handler_root: Path) -> None:
    for path in (CHECKOUT / "graphql/schema.graphql", CHECKOUT / "statemachines", handler_root / "lambdas"):
        if not path.exists():
            raise LocalRuntimeError(f"{path} is missing. The local runtime works in a checkout of the repository only.")


def _connection(graphql_url: str, aws_url: str, bedrock_url: str, users: UserPool) -> Connection:
    return Connection(
        graphql_url=graphql_url,
        region=REGION,
        user_pool_id=users.pool_id,
        user_pool_client_id=users.client_id,
        aws_endpoint_url=aws_url,
        bedrock_endpoint_url=bedrock_url,
        test_set_bucket=TEST_SET_BUCKET,
        data_bucket=DATA_BUCKET,
        jobs_table=JOBS_TABLE.table_name(PREFIX),
        state_machine_arn=state_machine_arn(FINETUNING),
        users=users.users,
    )


def _resolver_invocation(functions: Functions) -> Any:
    def invoke(event: dict[str, Any]) -> dict[str, Any]:
        try:
            outcome = functions.invoke(function_name(API_FUNCTION), event)
        except Throttled:
            return {"error": {"errorType": "TooManyRequestsException", "errorMessage": "Rate Exceeded."}}
        return {"error" if outcome.failed else "result": outcome.payload}

    return invoke


def _keys(aws_url: str, pool_id: str) -> dict[str, Any]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{aws_url}/{pool_id}/.well-known/jwks.json", timeout=30) as response:
        keys: dict[str, Any] = json.load(response)
    return keys
