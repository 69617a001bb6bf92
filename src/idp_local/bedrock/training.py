"""Customization jobs at work: a thread a job moves it through its phases while a process of its own trains."""

from __future__ import annotations

import pickle
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

from idp_local.bedrock.account import PHASES, Account, CustomizationJob, CustomModel, Phase, PhaseStatus, now
from idp_local.bedrock.s3 import S3_ERRORS, write_metrics, write_record_counts
from idp_local.bedrock.trainer import PageClassifier, Pass
from idp_local.bedrock.training_process import Order, run_process

INTERNAL_ERROR = "Encountered an internal error."

# Of a phase's least time, until a trained model is handed out: a reader that asks once a phase sees losses.
TRAINING_SHARE = 2.5


class _Stopped(Exception):
    """The job is to stop, or the server ends."""


class _Failed(Exception):
    """The job fails; the text is its failureMessage."""


class Training:
    """The running jobs of one account."""

    def __init__(self, account: Account, s3: Any) -> None:
        self._account = account
        self._s3 = s3
        self._folder = tempfile.TemporaryDirectory(prefix="local-bedrock-")
        self._runs: list[_Run] = []

    def start(self, job: CustomizationJob) -> None:
        """Start a job of the account in the background."""
        run = _Run(self._account, self._s3, Path(self._folder.name), job)
        self._runs.append(run)
        run.start()

    def stop(self, job: CustomizationJob) -> None:
        """End the work of a job whose status is Stopping."""
        for run in self._runs:
            if run.job_arn == job.arn:
                run.stop()

    def close(self) -> None:
        """End all jobs and remove the trained models from disk."""
        for run in self._runs:
            run.close()
        for run in self._runs:
            run.join()
        self._folder.cleanup()


class _Run:
    """One job at work, in a thread of its own."""

    def __init__(self, account: Account, s3: Any, folder: Path, job: CustomizationJob) -> None:
        self.job_arn = job.arn
        self._job_name = job.name
        self._account = account
        self._s3 = s3
        self._order = Order(
            s3_endpoint=s3.meta.endpoint_url,
            region=account.region,
            model=job.base,
            training_uri=job.request["trainingDataConfig"]["s3Uri"],
            validation_uris=job.validation_uris,
            epochs=int(job.hyperparameters["epochCount"]),
            model_path=folder / f"{job.arn.rpartition('/')[2]}.pickle",
        )
        self._output_uri = str(job.request["outputDataConfig"]["s3Uri"])
        self._stop_asked = threading.Event()
        self._closing = threading.Event()
        self._phase_began = time.monotonic()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End the work; after a phase's least time the job is Stopped."""
        self._stop_asked.set()

    def close(self) -> None:
        """End the work with the server."""
        self._closing.set()
        self._stop_asked.set()

    def join(self) -> None:
        self._thread.join(timeout=10)

    def _run(self) -> None:
        try:
            passes = self._work()
            self._write_output(partial(write_metrics, passes=passes))
            self._pause(1.0)
            model: PageClassifier = pickle.loads(self._order.model_path.read_bytes())  # noqa: S301 - from our process
            self._complete(model)
        except _Stopped:
            self._closing.wait(self._account.seconds_per_phase)
            self._end("Stopped")
        except _Failed as failed:
            self._end("Failed", failure=str(failed)[:2048])
        except Exception:
            # The edge of the thread: whatever happens, the job must not stay InProgress.
            traceback.print_exc()
            self._end("Failed", failure=INTERNAL_ERROR)

    def _work(self) -> list[Pass]:
        """Follow the training to its end, never faster than the account's seconds a phase."""
        if failure := self._account.behaviour.training_failure(self._job_name):
            self._pause(1.0)
            raise _Failed(failure)
        passes: list[Pass] = []
        expected = 1
        train = partial(run_process, self._order, self._stop_asked)
        for progress in self._account.behaviour.progress(self._order, self._s3, train):
            if progress.phase:
                self._pause(1.0)
                self._begin(progress.phase)
            elif progress.records:
                self._write_output(partial(write_record_counts, records=progress.records))
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
        self._pause(0)  # a killed process ends its progress too
        raise _Failed(INTERNAL_ERROR)

    def _pause(self, share: float) -> None:
        """Wait until that share of a phase's least time is over; raises _Stopped if the job is to stop."""
        end = self._phase_began + share * self._account.seconds_per_phase
        if self._stop_asked.wait(max(0.0, end - time.monotonic())):
            raise _Stopped

    def _begin(self, phase: str) -> None:
        """Complete the phases before this one and start this one."""
        moment = now()
        order = list(PHASES)
        with self._account.lock:
            phases = dict(self._account.jobs[self.job_arn].phases)
            for before in order[: order.index(phase)]:
                phases[before] = _move(phases[before], "Completed", moment)
            phases[phase] = _move(phases[phase], "InProgress", moment)
            self._change(phases=phases)
        self._phase_began = time.monotonic()

    def _change(self, **changes: Any) -> None:
        with self._account.lock:
            # A Stopping job can only become Stopped.
            if self._stop_asked.is_set():
                raise _Stopped
            self._account.jobs[self.job_arn] = replace(self._account.jobs[self.job_arn], modified=now(), **changes)

    def _complete(self, classifier: PageClassifier) -> None:
        moment = now()
        with self._account.lock:
            job = self._account.jobs[self.job_arn]
            arn = self._account.new_arn("custom-model", job.base)
            phases = {name: _move(phase, "Completed", moment) for name, phase in job.phases.items()}
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
                name: phase if phase.status in ("Completed", "NotStarted") else _move(phase, status, moment)
                for name, phase in job.phases.items()
            }
            self._account.jobs[self.job_arn] = replace(
                job, status=status, failure=failure, modified=moment, ended=moment, phases=phases
            )

    def _write_output(self, write: Callable[[Any, str, str], None]) -> None:
        try:
            write(self._s3, self._output_uri, self.job_arn)
        except S3_ERRORS as error:
            raise _Failed(f"Amazon S3 perms missing (PutObject): {self._output_uri}") from error


def _move(phase: Phase, status: PhaseStatus, moment: datetime) -> Phase:
    return phase if phase.status == status else replace(phase, status=status, modified=moment)
