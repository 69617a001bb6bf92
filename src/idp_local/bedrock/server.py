"""The HTTP server: one address for both services, bedrock and bedrock-runtime."""

from __future__ import annotations

import threading
import traceback
import uuid
from collections.abc import Callable, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from json import dumps
from types import TracebackType
from typing import Any, Self

from idp_local.bedrock.account import Account
from idp_local.bedrock.behaviour import WELL_BEHAVED, Behaviour
from idp_local.bedrock.converse import Converse
from idp_local.bedrock.custom_models import CustomModels
from idp_local.bedrock.customization_jobs import CustomizationJobs
from idp_local.bedrock.deployments import Deployments
from idp_local.bedrock.errors import BedrockError, invalid
from idp_local.bedrock.foundation_models import DEFAULT_FINE_TUNABLE, FoundationModels, select_models
from idp_local.bedrock.routing import read_input, route, routes, write_output
from idp_local.bedrock.s3 import local_endpoint, s3_client
from idp_local.bedrock.state import restore, store
from idp_local.bedrock.switches import DEFAULTS, Switches
from idp_local.bedrock.training import Training
from idp_local.local_only import REFUSAL, is_from_this_machine
from idp_local.state_file import StateFile

Operation = Callable[[dict[str, Any]], dict[str, Any]]

# Nova takes 25 MB inline (Nova user guide, "modalities"); base64 makes that a third more.
MAXIMUM_BODY = 36 * 1024 * 1024


class BedrockServer:
    """The local Bedrock, on 127.0.0.1; a context manager that starts and stops it.

    `port` 0 takes a free one. `seconds_per_phase` is the least time a job spends in each of its three phases and a
    deployment in Creating. `fine_tunable` has the ids of the models the account can fine-tune. `s3_endpoint` defaults
    to AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL; ValueError if none is set. The account is moto's. `behaviour` says what
    fails by itself, by default nothing; `switches` how it behaves if AWS does not document it. It begins with what
    `state` has, and stores that at its end; StateUnreadable if another release wrote it.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        seconds_per_phase: float = 1.0,
        fine_tunable: Sequence[str] = DEFAULT_FINE_TUNABLE,
        s3_endpoint: str | None = None,
        region: str = "us-east-1",
        account_id: str = "123456789012",
        behaviour: Behaviour = WELL_BEHAVED,
        switches: Switches = DEFAULTS,
        state: StateFile | None = None,
    ) -> None:
        # One for all threads: clients are thread-safe, making them is not.
        s3 = s3_client(s3_endpoint or local_endpoint(), region)
        models = {name: switches.adapt(model) for name, model in select_models(fine_tunable).items()}
        self.account = account = Account(region, account_id, models, seconds_per_phase, behaviour, switches)
        self._training = Training(account, s3)
        self._state = state
        if state:
            restore(account, self._training, state)
        self._operations = _operations(account, self._training, s3)
        self._behaviour = behaviour
        routes()  # read once here, not by several first callers at a time
        self._http = _HttpServer(("127.0.0.1", port), _Handler)
        self._http.respond = self.respond
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def url(self) -> str:
        """Address for AWS_ENDPOINT_URL_BEDROCK and AWS_ENDPOINT_URL_BEDROCK_RUNTIME."""
        return f"http://127.0.0.1:{self._http.server_port}"

    def start(self) -> None:
        """Start to serve, in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the server, its jobs and their processes."""
        if self._thread.is_alive():
            self._http.shutdown()
            self._thread.join()
        self._http.server_close()
        if self._state:
            store(self.account, self._state)
        self._training.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def respond(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        """Return status and JSON body for a request; raises BedrockError if it is refused."""
        if not headers.get("authorization", "").startswith("AWS4-HMAC-SHA256 "):
            # A page in a browser cannot send this header unasked, so it cannot reach the server either.
            raise BedrockError("MissingAuthenticationTokenException", "Missing Authentication Token")
        raw_path, _, query = target.partition("?")
        operation, labels = route(method, raw_path)
        run = self._operations.get(operation.name)
        if run is None:
            raise BedrockError("UnknownOperationException", f"The local Bedrock does not have {operation.name}.")
        request = read_input(operation, labels, query, headers, body)
        if refusal := self._behaviour.refusal(operation.name, request):
            raise refusal
        return int(operation.http["responseCode"]), write_output(operation, run(request))


def _operations(account: Account, training: Training, s3: Any) -> Mapping[str, Operation]:
    jobs = CustomizationJobs(account, training, s3)
    models = CustomModels(account)
    deployments = Deployments(account)
    return {
        "CreateModelCustomizationJob": jobs.create,
        "GetModelCustomizationJob": jobs.get,
        "ListModelCustomizationJobs": jobs.list,
        "StopModelCustomizationJob": jobs.stop,
        "GetCustomModel": models.get,
        "ListCustomModels": models.list,
        "DeleteCustomModel": models.delete,
        "ListFoundationModels": FoundationModels(account.region, account.fine_tunable).list,
        "ListTagsForResource": models.list_tags,
        "CreateCustomModelDeployment": deployments.create,
        "GetCustomModelDeployment": deployments.get,
        "ListCustomModelDeployments": deployments.list,
        "DeleteCustomModelDeployment": deployments.delete,
        "Converse": Converse(account, s3).converse,
    }


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    respond: Callable[[str, str, Mapping[str, str], bytes], tuple[int, bytes]]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _HttpServer

    def do_GET(self) -> None:
        self._respond()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing: requests carry document content, and the caller sees every refusal."""

    def _respond(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        kind = None
        try:
            if not is_from_this_machine(headers, self.server.server_port):
                self.close_connection = True
                raise BedrockError("AccessDeniedException", REFUSAL)
            status, content = self.server.respond(self.command, self.path, headers, self._body(headers))
        except BedrockError as error:
            status, content, kind = error.status, dumps({"message": error.message}).encode(), error.code
        except Exception:
            # The edge of the server: a defect becomes the error AWS has for it, and its traceback goes to stderr.
            traceback.print_exc()
            status, content, kind = 500, dumps({"message": "Internal error."}).encode(), "InternalServerException"
        self._send(status, content, kind)

    def _body(self, headers: Mapping[str, str]) -> bytes:
        length = headers.get("content-length", "0")
        if "transfer-encoding" in headers or not length.isdecimal() or int(length) > MAXIMUM_BODY:
            self.close_connection = True
            raise invalid(f"A request needs a Content-Length, at most {MAXIMUM_BODY:,} bytes.")
        return self.rfile.read(int(length))

    def _send(self, status: int, content: bytes, kind: str | None) -> None:
        """Write headers and body at once: in two writes, every call would wait 40 ms for an acknowledgement."""
        self.log_request(status)
        lines = {
            "Content-Type": "application/json",
            "Content-Length": str(len(content)),
            "x-amzn-RequestId": str(uuid.uuid4()),
        }
        if kind:
            lines["x-amzn-ErrorType"] = kind
        if self.close_connection:
            lines["Connection"] = "close"
        head = f"{self.protocol_version} {status} \r\n" + "".join(f"{name}: {text}\r\n" for name, text in lines.items())
        self.wfile.write(head.encode("latin-1") + b"\r\n" + content)
