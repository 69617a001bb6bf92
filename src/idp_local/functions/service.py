"""The Lambda functions of the local account: their names, environments and time limits."""

from __future__ import annotations

import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from idp_finetuning.deployment import POWERTOOLS_VARIABLES, FunctionSpec, Variable
from idp_local.aws.names import function_arn
from idp_local.environment import CONCURRENCY_LIMIT, process_environment
from idp_local.errors import LocalRuntimeError
from idp_local.functions.messages import Outcome, Task
from idp_local.functions.pool import WorkerPool

API_FUNCTION = "Resolver"


class Interceptor(Protocol):
    """Comes between an invocation and its run, for tests: may change the task, or run it more than once."""

    def run(self, task: Task, run: Callable[[Task], Outcome]) -> Outcome:
        """Return the outcome of the invocation."""


class UnknownFunction(Exception):
    """No function has this name or ARN."""


class Throttled(Exception):
    """As many functions run as the account allows; the invocation did not start."""


class Functions:
    """Invokes functions by name or ARN.

    `values` has a value for each variable of deployment.Variable, of which a function gets exactly its own; `endpoints`
    are what boto3 reads. Logs are in `logs/<function name>.log`. No more than `concurrency_limit` run at once, those
    that wait for a worker included; `throttles` counts the invocations refused for it, by Lambda's name.
    """

    def __init__(
        self,
        specs: Sequence[FunctionSpec],
        *,
        prefix: str,
        pool: WorkerPool,
        values: Mapping[Variable, str],
        endpoints: Mapping[str, str],
        logs: Path,
        retry_interval_seconds: float = 1,
        concurrency_limit: int = CONCURRENCY_LIMIT,
        interceptor: Interceptor | None = None,
    ) -> None:
        missing = {variable for spec in specs for variable in spec.variables} - values.keys()
        if missing:
            raise LocalRuntimeError(f"There is no local value of {', '.join(sorted(missing))}.")
        self._specs = {spec.function_name(prefix): spec for spec in specs}
        self._names = {spec.name: spec.function_name(prefix) for spec in specs}
        self._pool = pool
        self._values = values
        self._fixed = {
            **process_environment(),
            **endpoints,
            **POWERTOOLS_VARIABLES,
        }
        self._logs = logs
        self._retry_interval_seconds = retry_interval_seconds
        self._interceptor = interceptor
        self._running = threading.BoundedSemaphore(concurrency_limit)
        self.throttles: Counter[str] = Counter()

    def invoke(self, name_or_arn: str, event: Any) -> Outcome:
        """Run the function and wait for its outcome. Raises UnknownFunction or Throttled."""
        name, spec = self._find(name_or_arn)
        task = Task(
            request_id=str(uuid.uuid4()),
            function_name=name,
            function_arn=function_arn(name),
            handler=spec.handler,
            environment=self.environment(spec),
            timeout_seconds=spec.timeout_seconds,
            memory_mb=spec.memory_mb,
            log_file=str((self._logs / f"{name}.log").resolve()),
            event=event,
        )
        run = partial(self._pool.run, for_api=spec.name == API_FUNCTION)
        with self._one_of_the_running(name):
            return self._interceptor.run(task, run) if self._interceptor else run(task)

    def invoke_when_possible(self, name_or_arn: str, event: Any) -> Outcome:
        """Run the function as soon as it is not throttled, as Lambda does with queued events."""
        while True:
            try:
                return self.invoke(name_or_arn, event)
            except Throttled:
                time.sleep(self._retry_interval_seconds)

    @contextmanager
    def _one_of_the_running(self, name: str) -> Iterator[None]:
        if not self._running.acquire(blocking=False):
            self.throttles[name] += 1
            raise Throttled(name)
        try:
            yield
        finally:
            self._running.release()

    def invoke_later(self, name_or_arn: str, event: Any) -> None:
        """Run the function without waiting; retry a failing run as its spec says. Raises UnknownFunction."""
        _, spec = self._find(name_or_arn)
        arguments = (name_or_arn, event, 1 + spec.event_retries)
        threading.Thread(target=self._invoke_with_retries, args=arguments, daemon=True).start()

    def _invoke_with_retries(self, name: str, event: Any, attempts: int) -> None:
        # Lambda waits one minute, then two.
        for attempt in range(attempts):
            time.sleep(attempt * self._retry_interval_seconds)
            outcome = self.invoke_when_possible(name, event)
            if not outcome.failed:
                return
        _, spec = self._find(name)
        if spec.on_failure:
            self.invoke_when_possible(
                self._names[spec.on_failure],
                {
                    "version": "1.0",
                    "requestContext": {"functionArn": name, "condition": "RetriesExhausted"},
                    "requestPayload": event,
                    "responsePayload": outcome.payload,
                },
            )

    def _find(self, name_or_arn: str) -> tuple[str, FunctionSpec]:
        name = name_or_arn.rpartition(":")[2]
        spec = self._specs.get(name)
        if spec is None or name_or_arn not in (name, function_arn(name)):
            raise UnknownFunction(name_or_arn)
        return name, spec

    def environment(self, spec: FunctionSpec) -> dict[str, str]:
        """Return the function's whole environment."""
        return {**self._fixed, **{str(variable): self._values[variable] for variable in spec.variables}}
