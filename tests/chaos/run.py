"""One run with a seed: jobs under faults, then rest, then the invariants."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from idp_local.aws.names import function_name
from idp_local.bedrock.server import BedrockServer
from idp_local.client import client_for
from idp_local.environment import CHECKOUT
from idp_local.runtime import LocalRuntime
from tests.chaos.bedrock import FailingBedrock
from tests.chaos.disturbance import SeededDisturbance
from tests.chaos.documents import tiny_test_set
from tests.chaos.invariants import violations
from tests.chaos.report import ENDED_EXECUTIONS, KINDS, Report
from tests.chaos.state import State, read_state
from tests.chaos.users import USER, Users
from tests.support.local.faults import FAULT_LOG
from tests.support.local.instrument import INSTRUMENT

_AT_ONCE = 8
_WORKERS = 4
_PHASE_SECONDS = 0.3
_WORKFLOW_SECONDS = 30
# Longer than a request of the API takes with all its tries.
_GRACE: Mapping[str, Any] = {"grace": {"start": 20, "record": 20, "restart": 2}}
_NO_GRACE: Mapping[str, Any] = {"grace": {"start": 0, "record": 0, "restart": 0}}
_RECONCILE_SECONDS = 5
_REST_SECONDS = 120.0
_TIMEOUT = re.compile(r'^(  "TimeoutSeconds": )\d+', re.MULTILINE)


def run(directory: Path, *, jobs: int, seed: int) -> Report:
    """Run this many jobs; `directory` gets logs and the state machines with a short time-out."""
    began = time.monotonic()
    behaviour, disturbed = FailingBedrock(seed), SeededDisturbance(seed)
    disturbed.active = behaviour.active = False
    with LocalRuntime(
        directory,
        workers=_WORKERS,
        map_concurrency=3,
        reconcile_seconds=_RECONCILE_SECONDS,
        reconcile_event=_GRACE,
        definitions=_write_definitions(directory),
        interceptor=disturbed,
        instrument=INSTRUMENT,
        bedrock=lambda s3: BedrockServer(s3_endpoint=s3, seconds_per_phase=_PHASE_SECONDS, behaviour=behaviour),
    ) as runtime:
        users = Users(runtime.connection, seed, _upload_test_set(runtime))
        disturbed.active = behaviour.active = True
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            list(pool.map(users.work, range(jobs)))
        behaviour.active = False
        disturbed.settle()
        state = _rest(runtime, users)
    injected = Counter((directory / "logs" / FAULT_LOG).read_text(encoding="utf-8").splitlines())
    ended = Counter(ENDED_EXECUTIONS.get(execution.status, "") for execution in state.executions)
    counts = injected + behaviour.counts + disturbed.counts + users.counts + ended
    statuses = Counter(job.status.value for job in state.jobs) + Counter({"deleted": len(_deleted(state))})
    return Report(
        seed=seed,
        faults={kind: counts[kind] for kind in KINDS},
        statuses=statuses,
        violations=tuple(violations(state)),
        seconds=time.monotonic() - began,
    )


def _deleted(state: State) -> set[str]:
    return set(state.started) - {job.id for job in state.jobs}


def _write_definitions(directory: Path) -> Path:
    folder = directory / "statemachines"
    folder.mkdir(parents=True, exist_ok=True)
    for path in (CHECKOUT / "statemachines").glob("*.asl.json"):
        text = path.read_text(encoding="utf-8")
        (folder / path.name).write_text(_TIMEOUT.sub(rf"\g<1>{_WORKFLOW_SECONDS}", text), encoding="utf-8")
    return folder


def _upload_test_set(runtime: LocalRuntime) -> str:
    with client_for(runtime.connection, USER) as client:
        return client.test_sets.upload_documents(tiny_test_set(), name="chaos").id


def _rest(runtime: LocalRuntime, users: Users) -> State:
    """Run ReconcileJobs until it finds nothing to do and nothing changes; return the state then."""
    end = time.monotonic() + _REST_SECONDS
    before = None
    while True:
        outcome = runtime.functions.invoke(function_name("ReconcileJobs"), dict(_NO_GRACE))
        done: dict[str, Any] = outcome.payload
        state = read_state(
            runtime.connection,
            started=users.started,
            stops=users.stops,
            deletions=users.deletions,
            gone=users.gone,
            reported=set(done.get("orphans", [])),
        )
        acts = ("ended", "restarted", "failed", "stoppedTraining", "removedData")
        idle = not outcome.failed and not any(done[act] for act in acts)
        waits = any(execution.status == "RUNNING" for execution in state.executions)
        if (idle and not waits and state == before) or time.monotonic() > end:
            return state
        before = state
        time.sleep(1)
