"""Runs every bundled function on real events, in the order in which Step Functions calls them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from idp_finetuning.classification.layout import ClassificationLayout
from idp_finetuning.deployment import FUNCTIONS
from idp_finetuning.jobs.job import FinetuningJob
from idp_finetuning.jobs.layout import JobLayout
from stacks.bundling import BundleName
from tests.support.bundles.account import CLASSIFICATION, JOB, Account
from tests.support.bundles.isolated import BundledFunction
from tests.support.bundles.runtime_api import Outcome

EVENTS = Path(__file__).parents[2] / "bundles" / "events"
POLL_SECONDS = 0.2
PATIENCE_SECONDS = 40  # the stand-in trains in a few seconds


@dataclass(frozen=True)
class Run:
    """One event and what the runtime client posted for it."""

    event: dict[str, Any]
    outcome: Outcome


@dataclass
class Story:
    """What happened: runs and logs by function, and what the job left at two moments."""

    runs: dict[str, list[Run]] = field(default_factory=dict)
    logs: dict[str, str] = field(default_factory=dict)
    labels: dict[str, bytes] = field(default_factory=dict)
    classification: dict[str, bytes] = field(default_factory=dict)
    manifest: list[dict[str, Any]] = field(default_factory=list)
    completed: FinetuningJob | None = None
    data: dict[str, bytes] = field(default_factory=dict)
    left: dict[str, bytes] = field(default_factory=dict)
    test_sets_left: set[str] = field(default_factory=set)
    started: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, function: str) -> Any:
        """Payload of the last run that ended well."""
        return next(run.outcome.payload for run in reversed(self.runs[function]) if run.outcome.error_type is None)

    def refusal(self, function: str) -> Outcome:
        """The first run that failed."""
        return next(run.outcome for run in self.runs[function] if run.outcome.error_type is not None)


def event(name: str) -> dict[str, Any]:
    """The event in events/<name>.json."""
    found: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    return found


def tell(account: Account, bundles: Mapping[BundleName, Path], client: Path, folder: Path) -> Story:
    """Runs job JOB from its validation to its deletion, and each function once on what it has to refuse."""
    story = Story()

    def function(name: str) -> BundledFunction:
        spec = next(spec for spec in FUNCTIONS if spec.name == name)
        return BundledFunction(
            spec, bundle=bundles[spec.bundle], client=client, variables=account.variables(spec), folder=folder
        )

    def send(target: BundledFunction, sent: dict[str, Any]) -> Any:
        outcome = target.invoke(sent)
        story.runs.setdefault(target.spec.name, []).append(Run(sent, outcome))
        story.logs[target.spec.name] = target.log
        return outcome.payload

    def both(name: str, ended: Callable[[Any], bool] = lambda _: True) -> None:
        """Run the event that it refuses, then its own until it returns what the workflow waits for."""
        with function(name) as target:
            send(target, event(f"{target.spec.module}-refused"))
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not ended(send(target, event(target.spec.module))) and time.monotonic() < deadline:
                time.sleep(POLL_SECONDS)

    with ExitStack() as stack:
        resolver = stack.enter_context(function("Resolver"))
        for name in ("resolver", "resolver-refused", "resolver-headers", "resolver-users"):
            send(resolver, event(name))
        both("ReadLabels")
        story.labels = account.objects("validation/")
        both("CountPages")
        both("ValidateTestSet")
        with function("GenerateExample") as generate:
            by_file = [event("generate_example-refused"), event("generate_example")]
            story.manifest = json.loads(account.objects(JobLayout(job_id=JOB).manifest).popitem()[1])
            by_manifest = [{"jobId": JOB, "number": 1, "document": document} for document in story.manifest]
            for sent in (*by_file, *(other for other in by_manifest if other not in by_file)):
                send(generate, sent)
        both("ClassifyDocument")
        story.classification = account.objects(ClassificationLayout(classification_id=CLASSIFICATION).prefix)
        both("EndClassification")
        both("RejectDocument")
        both("AssembleDataset")
        both("CreateCustomizationJob")
        both("GetCustomizationJob", lambda answer: answer != {"status": "InProgress"})
        both("CreateModelDeployment")
        both("GetModelDeployment", lambda answer: answer != {"status": "Creating"})
        both("CompleteJob")
        both("PrepareEvaluation")
        both("EvaluateDocument")
        both("ScoreEvaluation")
        both("EndEvaluation")
        both("EndJob")
        with function("ReconcileJobs") as reconcile:
            for name in ("reconcile_jobs-refused", "reconcile_jobs-all", "reconcile_jobs"):
                send(reconcile, event(name))
        story.completed = account.jobs.get(JOB)
        story.data = account.objects(JobLayout(job_id=JOB).prefix)
        send(resolver, event("resolver-delete"))
        both("DeleteModelDeployment", lambda answer: "errorType" not in answer)
        both("DeleteCustomModel")
        both("DeleteJobData")
        account.close_test_set("few")
        both("DeleteTestSet")
        story.test_sets_left = account.test_sets()
        story.left = account.objects(JobLayout(job_id=JOB).prefix)
        story.started = account.started()
    return story
