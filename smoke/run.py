"""One run from its first step to the removal of what it made; it can be interrupted and goes on where it was."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from idp_local.bedrock.answers import Answers
from idp_sdk import LabelledDocument
from smoke import place
from smoke.recorder import Recorder
from smoke.state import StateFile
from smoke.steps import RECORDS, Clients, Patience, Questions, SmokeFailed, Step, StillWorking

REGION = "us-east-1"

# Whether the user pays for a step.
Consent = Callable[[Step], bool]


class SmokeRun:
    """Runs the steps that are not done; prints what it does with `say`."""

    def __init__(
        self,
        file: StateFile,
        answers: Path,
        client: Callable[[str], Any],
        documents: Callable[[], Sequence[LabelledDocument]],
        *,
        consent: Consent,
        say: Callable[[str], None],
        patience: Patience | None = None,
        settle_seconds: float = 15,
        records: int = RECORDS,
    ) -> None:
        self._file = file
        self._answers = answers / f"{file.state.date}.json"
        self._client = client
        self._documents = documents
        self._consent = consent
        self._say = say
        self._patience = patience or Patience()
        self._settle_seconds = settle_seconds
        self._records = records

    def run(self) -> Answers:
        """Run; return all answers. What it made is removed at the end, unless it is still at work."""
        file, client = self._file, self._client
        s3, iam = client("s3"), client("iam")
        place.prepare(file, s3, iam, client("sts"), settle_seconds=self._settle_seconds)
        recorder = Recorder(self._answers, REGION, {str(file.state.bucket): "BUCKET"})
        clients = Clients(client("bedrock"), client("bedrock-runtime"), client("service-quotas"), s3)
        questions = Questions(file, recorder, clients, self._documents, patience=self._patience, records=self._records)
        for step in questions.steps():
            if step.name in file.state.done or (step.needs and step.needs not in file.state.done):
                continue
            if not self._agree(step):
                self._say(f"Left out: {step.title}.")
                continue
            self._say(f"{step.title} ...")
            try:
                step.run()
            except StillWorking as working:
                self._say(f"{working} `make smoke` goes on with it later; nothing was stopped or removed.")
                return recorder.answers
            except SmokeFailed as failed:
                self._say(f"This step has failed: {failed}")
            else:
                file.change(done=(*file.state.done, step.name))
        self._clean_up(questions, s3, iam)
        return recorder.answers

    def _agree(self, step: Step) -> bool:
        state = self._file.state
        if step.dollars == 0 or step.name in state.agreed:
            return True
        if agreed := self._consent(step):
            self._file.change(agreed=(*state.agreed, step.name))
        return agreed

    def _clean_up(self, questions: Questions, s3: Any, iam: Any) -> None:
        left = questions.clean_up()
        place.remove(self._file, s3, iam)
        left += [f"customization job {arn}" for arn in self._file.state.jobs]
        self._file.finish()
        self._say(f"Answers: {self._answers}")
        if left:
            self._say("This is left in Bedrock. Customization jobs cost nothing and cannot be deleted:")
            for name in left:
                self._say(f"  {name}")
