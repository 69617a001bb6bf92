"""Which runs of functions are disturbed, and how: drawn for each run from the seed."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping

from idp_local.aws.names import function_name
from idp_local.functions.messages import Outcome, Task
from idp_local.functions.service import API_FUNCTION
from tests.chaos.schedule import InTurn, OnceEvery
from tests.support.local.faults import Fault, FaultKind, with_faults

DUPLICATE = "run twice at once"
LATE = "run again seconds later"
START_REFUSED = "start of an execution failed"

# Shares of runs.
_RATES: Mapping[FaultKind, float] = {
    FaultKind.THROTTLED: 0.05,
    FaultKind.SERVER_ERROR: 0.05,
    FaultKind.UNREACHABLE: 0.03,
    FaultKind.RESPONSE_LOST: 0.05,
    FaultKind.DELAYED: 0.04,
    FaultKind.REFUSED: 0.02,
    FaultKind.KILLED_BEFORE: 0.02,
    FaultKind.KILLED_AFTER: 0.02,
}
_DUPLICATE_RATE = 0.08
_LATE_RATE = 0.08
_STARTS_A_REFUSAL = 8
# Beside those that are drawn, so that every kind happens within a few hundred runs of functions, whatever the seed.
_RUNS_A_FAULT = 18
_RUNS_A_REPETITION = 40
# Documents are many, so each gets less; users would give up on an API that fails as often as this.
_SHARES = {function_name("GenerateExample"): 0.2, function_name(API_FUNCTION): 0.3}
_LATEST_SECONDS = 12.0
_STARTING = ("startFinetuningJob", "retryFinetuningJob")


class SeededDisturbance:
    """Draws by seed, job (in the order in which they are first seen), function and number of the run."""

    def __init__(self, seed: int) -> None:
        self.active = True
        self.counts: Counter[str] = Counter()
        self._seed = seed
        self._runs: Counter[tuple[str, str]] = Counter()
        self._jobs: dict[str, int] = {}
        self._start_is_refused = OnceEvery(_STARTS_A_REFUSAL, f"{seed}/start")
        self._sure_fault = InTurn(tuple(FaultKind), _RUNS_A_FAULT, f"{seed}/fault")
        self._sure_repetition = InTurn((DUPLICATE, LATE), _RUNS_A_REPETITION, f"{seed}/repetition")
        self._settling = threading.Event()
        self._late: list[threading.Thread] = []
        self._lock = threading.Lock()

    def run(self, task: Task, run: Callable[[Task], Outcome]) -> Outcome:
        """Run the task with its faults, and some tasks a second time, without faults and without a caller."""
        if not self.active or not self._is_disturbed(task):
            return run(task)
        chance = self._chance(task)
        share = _SHARES.get(task.function_name, 1.0)
        if "field" not in task.event:  # users do not call the API twice at once
            with self._lock:
                sure = self._sure_repetition.next()
            if sure == DUPLICATE or chance.random() < _DUPLICATE_RATE * share:
                self._run_again(DUPLICATE, task, run, 0)
            elif sure == LATE or chance.random() < _LATE_RATE * share:
                self._run_again(LATE, task, run, chance.uniform(1, _LATEST_SECONDS))
        return run(with_faults(task, self._draw_faults(task, chance, share)))

    def settle(self) -> None:
        """Stop injecting faults, run now what was to run later, and wait until it has ended."""
        self.active = False
        self._settling.set()
        while self._late:
            self._late.pop().join()

    @staticmethod
    def _is_disturbed(task: Task) -> bool:
        field = task.event.get("field")
        return field is None or "Job" in field

    def _chance(self, task: Task) -> random.Random:
        job_id = str(task.event.get("jobId", ""))
        with self._lock:
            job = self._jobs.setdefault(job_id, len(self._jobs))
            key = (job_id, task.function_name)
            self._runs[key] += 1
            return random.Random(f"{self._seed}/{job}/{task.function_name}/{self._runs[key]}")

    def _draw_faults(self, task: Task, chance: random.Random, share: float) -> tuple[Fault, ...]:
        if task.event.get("field") in _STARTING and self._refuse_start():
            return (Fault(kind=FaultKind.SERVER_ERROR, times=9, operation="StartExecution"),)
        with self._lock:
            sure = self._sure_fault.next()
        drawn = tuple(
            # botocore retries a single one, the state machine three in a row.
            Fault(kind=kind, first=chance.randrange(4), times=chance.choice((1, 3)), seconds=chance.uniform(0.5, 4))
            for kind, rate in _RATES.items()
            if chance.random() < rate * share
        )
        # Of several faults of a call the first is injected.
        return (Fault(kind=sure), *drawn) if sure else drawn

    def _refuse_start(self) -> bool:
        with self._lock:
            refused = self._start_is_refused.happens()
            self.counts[START_REFUSED] += refused
        return refused

    def _run_again(self, kind: str, task: Task, run: Callable[[Task], Outcome], seconds: float) -> None:
        def later() -> None:
            self._settling.wait(seconds)
            run(task)

        thread = threading.Thread(target=later, daemon=True)
        with self._lock:
            self.counts[kind] += 1
            self._late.append(thread)
        thread.start()
