"""Runs customization jobs: a thread a job moves it through its phases while a process of its own does the work."""

from __future__ import annotations

import contextlib
import os
import pickle
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Literal, cast

from idp_local.bedrock.account import PHASES, Account, CustomizationJob, CustomModel, Phase, PhaseStatus, now
from idp_local.bedrock.artefacts import write_artefacts
from idp_local.bedrock.behaviour import Behaviour
from idp_local.bedrock.bucket import S3_ERRORS
from idp_local.bedrock.orders import Order, Progress
from idp_local.bedrock.trainer import PageClassifier, Pass

INTERNAL_ERROR = "Encountered an internal error."
# What Bedrock says of any Nova 2 model [the accelerator's record of the service message].
NO_VALIDATION_SET = "Invalid input error: Nova 2.0 doesn't support validation set"


# Of a phase's least time, until a trained model is handed out: whoever asks once a phase sees losses while it trains.
TRAINING_SHARE = 2.5

# Before numpy is loaded this is the sure way to keep it to one core.
_ONE_CORE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


class _Stopped(Exception):
    """The job was stopped, or the server ends."""


class _Failed(Exception):
    """The job has failed; the text is its failureMessage."""


class Training:
    """The running jobs of one account. `close` ends them all."""

    def __init__(self, account: Account, s3: Any, behaviour: Behaviour) -> None:
        self._account = account
        self._behaviour = behaviour
        self._s3 = s3
        self._folder = tempfile.TemporaryDirectory(prefix="local-bedrock-")
        self._runs: list[_Run] = []

    def start(self, job: CustomizationJob) -> None:
        """Starts the job in the background; it has to be in the account already."""
        run = _Run(self._account, self._s3, Path(self._folder.name), job, self._behaviour)
        self._runs.append(run)
        run.start()

    def stop(self, job: CustomizationJob) -> None:
        """Ends the job's work; its status has been set to Stopping."""
        for run in self._runs:
            if run.job_arn == job.arn:
                run.stop()

    def close(self) -> None:
        """Ends all jobs and removes the trained models from disk."""
        for run in self._runs:
            run.close()
        for run in self._runs:
            run.join()
        self._folder.cleanup()


class _Run:
    """One job on its way, in a thread of its own."""

    def __init__(self, account: Account, s3: Any, folder: Path, job: CustomizationJob, behaviour: Behaviour) -> None:
        self.job_arn = job.arn
        self._job_name = job.name
        self._behaviour = behaviour
        self._account = account
        self._s3 = s3
        self._order = Order(
            s3_endpoint=s3.meta.endpoint_url,
            region=account.region,
            base_model=job.base.id,
            training_uri=job.request["trainingDataConfig"]["s3Uri"],
            validation_uris=job.validation_uris,
            epochs=int(job.hyperparameters["epochCount"]),
            model_path=folder / f"{job.arn.rpartition('/')[2]}.pickle",
        )
        self._output_uri = str(job.request["outputDataConfig"]["s3Uri"])
        self._validation_allowed = job.base.validation_set
        self._stop_asked = threading.Event()
        self._closing = threading.Event()
        self._phase_began = time.monotonic()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """The work ends, and after a while the job is Stopped."""
        self._stop_asked.set()

    def close(self) -> None:
        """The work ends with the server."""
        self._closing.set()
        self._stop_asked.set()

    def join(self) -> None:
        self._thread.join(timeout=10)

    def _run(self) -> None:
        try:
            passes = self._work()
            self._write_artefacts(passes)
            self._pause(1.0)
            model: PageClassifier = pickle.loads(self._order.model_path.read_bytes())  # noqa: S301 - our own file
            self._complete(model)
        except _Stopped:
            self._closing.wait(self._account.seconds_per_phase)
            self._end("Stopped")
        except _Failed as failed:
            self._end("Failed", failure=str(failed)[:2048])
        except Exception:
            # The edge of the thread: whatever it is, the job must not stay InProgress.
            traceback.print_exc()
            self._end("Failed", failure=INTERNAL_ERROR)

    def _work(self) -> list[Pass]:
        """Follows the training process to its end, never faster than the account's seconds a phase."""
        if self._order.validation_uris and not self._validation_allowed:
            self._pause(1.0)
            raise _Failed(NO_VALIDATION_SET)
        if failure := self._behaviour.training_failure(self._job_name):
            self._pause(1.0)
            raise _Failed(failure)
        passes: list[Pass] = []
        expected = 1
        for progress in self._behaviour.progress(self._order, self._s3, self._progress):
            if progress.phase:
                self._pause(1.0)
                self._begin(progress.phase)
            elif progress.passes:
                expected = progress.passes
            elif progress.done:
                self._pause(len(passes) / expected)
                passes.append(progress.done)
                self._change(passes=tuple(passes))
            elif progress.failure:
                self._pause(1.0)
                raise _Failed(progress.failure)
            elif progress.trained:
                self._pause(TRAINING_SHARE)
                return passes
        raise _Failed(INTERNAL_ERROR)

    def _progress(self) -> Iterator[Progress]:
        """The training process's progress; the process is gone when this ends, however it ends."""
        process = subprocess.Popen(
            [sys.executable, "-m", "idp_local.bedrock.training_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the server; the process ends with its stdin
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), **_ONE_CORE},
        )
        # Reading blocks; a stop has to end the process for the reading to end.
        threading.Thread(target=self._kill_when_stopped, args=(process,), daemon=True).start()
        try:
            orders, progress = cast(IO[bytes], process.stdin), cast(IO[bytes], process.stdout)
            with contextlib.suppress(BrokenPipeError):
                orders.write(self._order.model_dump_json().encode() + b"\n")
                orders.flush()
            for line in progress:
                yield Progress.model_validate_json(line)
            self._pause(0)
        finally:
            process.kill()
            process.communicate()

    def _kill_when_stopped(self, process: subprocess.Popen[bytes]) -> None:
        while process.poll() is None:
            if self._stop_asked.wait(0.05):
                process.kill()
                return

    def _pause(self, share: float) -> None:
        """Waits until that share of a phase's least time is over; _Stopped where a stop was asked for."""
        end = self._phase_began + share * self._account.seconds_per_phase
        if self._stop_asked.wait(max(0.0, end - time.monotonic())):
            raise _Stopped

    def _begin(self, phase: str) -> None:
        """The phases before this one are complete, this one is in progress."""
        moment = now()
        order = list(PHASES)
        with self._account.lock:
            phases = dict(self._account.jobs[self.job_arn].phases)
            for before in order[: order.index(phase)]:
                phases[before] = _moved(phases[before], "Completed", moment)
            phases[phase] = _moved(phases[phase], "InProgress", moment)
            self._change(phases=phases)
        self._phase_began = time.monotonic()

    def _change(self, **changes: Any) -> None:
        with self._account.lock:
            # A job that is Stopping has only one way left.
            if self._stop_asked.is_set():
                raise _Stopped
            self._account.jobs[self.job_arn] = replace(self._account.jobs[self.job_arn], modified=now(), **changes)

    def _complete(self, classifier: PageClassifier) -> None:
        moment = now()
        with self._account.lock:
            job = self._account.jobs[self.job_arn]
            arn = self._account.new_arn("custom-model", job.base)
            phases = {name: _moved(phase, "Completed", moment) for name, phase in job.phases.items()}
            self._change(status="Completed", ended=moment, phases=phases, model_arn=arn)
            job = self._account.jobs[self.job_arn]
            self._account.models[arn] = CustomModel(arn, job, moment, classifier)
            self._account.tags[arn] = job.request.get("customModelTags", [])

    def _end(self, status: Literal["Stopped", "Failed"], failure: str | None = None) -> None:
        moment = now()
        with self._account.lock:
            job = self._account.jobs[self.job_arn]
            if job.status == "Stopping":
                status, failure = "Stopped", None
            phases = {
                name: phase if phase.status in ("Completed", "NotStarted") else _moved(phase, status, moment)
                for name, phase in job.phases.items()
            }
            self._account.jobs[self.job_arn] = replace(
                job, status=status, failure=failure, modified=moment, ended=moment, phases=phases
            )

    def _write_artefacts(self, passes: list[Pass]) -> None:
        try:
            write_artefacts(self._s3, self._output_uri, self.job_arn, passes)
        except S3_ERRORS as error:
            raise _Failed(f"Amazon S3 perms missing (PutObject): {self._output_uri}") from error


def _moved(phase: Phase, status: PhaseStatus, moment: datetime) -> Phase:
    return phase if phase.status == status else replace(phase, status=status, modified=moment)
