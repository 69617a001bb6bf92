"""Ask every contestant of an evaluation about every page of one document; no answer is asked for twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import sleep
from typing import Literal

from idp_finetuning.adapters.aws_calls import aws_calls
from idp_finetuning.adapters.buckets import DataBucket, TestSetBucket, Unreadable
from idp_finetuning.adapters.converse import Converse
from idp_finetuning.classification.classification import ClassifiedPage
from idp_finetuning.errors import (
    AwsCallRefused,
    DocumentRejected,
    InvalidInput,
    JobNotFound,
    StaleState,
    TransientError,
)
from idp_finetuning.evaluation.layout import EvaluationLayout
from idp_finetuning.evaluation.plan import (
    NEAREST,
    Contestant,
    DocumentAnswers,
    EvaluatedDocument,
    EvaluationPlan,
    StoredAnswer,
    page_digest,
)
from idp_finetuning.jobs.evaluation import EvaluationRun
from idp_finetuning.nova.prices import Usage
from idp_finetuning.stages.evaluation_pages import EvaluationPages
from idp_finetuning.stages.evaluation_records import EvaluationRecords
from idp_finetuning.test_sets.keys import page_text_key, test_set_of
from idp_finetuning.test_sets.page_texts import page_text
from idp_finetuning.wire import WireModel, read_stored_json

# A call of Converse that has begun may take a minute [adapters.aws_calls].
SPARE_SECONDS = 75
# The part of the time left that one page may wait for a throttled model; the other contestants get the rest.
_PATIENCE = 0.5


class DocumentProgress(WireModel):
    """Whether every contestant has answered, or cannot, and how many answers were paid for in this run."""

    status: Literal["Finished", "Unfinished"]
    asked: int = 0


def evaluate_document(
    run: EvaluationRun,
    document: EvaluatedDocument,
    *,
    records: EvaluationRecords,
    data: DataBucket,
    test_set_bucket: TestSetBucket,
    converse: Converse,
    seconds_left: Callable[[], float],
) -> DocumentProgress:
    """Leave a file for each contestant, with its answers or why there are none; what is left needs another run.

    Each answer is stored as it comes, so that a run that dies loses at most one. A run without time for all says so;
    one in which a throttled model gave no answer at all gives this document up. Nothing is asked for a job or a test
    set that is being deleted.
    """
    layout = EvaluationLayout.of(run)
    asking = _Asking(run, document, layout, records, data, test_set_bucket, converse, seconds_left)
    try:
        records.require_running(run)
        plan = read_stored_json(EvaluationPlan, data.read(layout.plan))
        return asking.ask_all(plan)
    except (JobNotFound, StaleState):
        return DocumentProgress(status="Finished")  # nobody waits for it


class _Asking:
    """One run over one document."""

    def __init__(
        self,
        run: EvaluationRun,
        document: EvaluatedDocument,
        layout: EvaluationLayout,
        records: EvaluationRecords,
        data: DataBucket,
        test_set_bucket: TestSetBucket,
        converse: Converse,
        seconds_left: Callable[[], float],
    ) -> None:
        self._run = run
        self._document = document
        self._layout = layout
        self._records = records
        self._data = data
        self._texts = test_set_bucket
        self._pages = EvaluationPages(document, layout, bucket=test_set_bucket, data=data, seconds_left=seconds_left)
        self._converse = converse
        self._seconds_left = seconds_left
        self._asked = 0

    def ask_all(self, plan: EvaluationPlan) -> DocumentProgress:
        """Ask about page after page, each contestant in turn."""
        open_: dict[str, list[StoredAnswer]] = {}
        contestants = {item.digest: item for item in plan.contestants}
        asked_twice = [plan.repetition.digest] if self._document.asked_twice else []
        contestants.update(dict.fromkeys(asked_twice, plan.repetition))
        for digest in contestants:
            if self._data.find_etag(self._layout.document(digest, self._document.document_id)) is None:
                open_[digest] = []
        nearest = self._layout.document(NEAREST, self._document.document_id) if plan.nearest_page else None
        if nearest and (self._document.out_of_scope or self._data.find_etag(nearest)):
            nearest = None
        if not open_ and not nearest:
            return DocumentProgress(status="Finished")
        try:
            pages = self._pages.prepare()
        except DocumentRejected as rejected:
            for digest in open_:
                self._finish(digest, DocumentAnswers(reason=rejected.reason, unusable=True))
            return DocumentProgress(status="Finished")
        if nearest:
            self._data.write_once(nearest, self._copy_nearest(pages))
        key = self._document.key
        test_set_id = test_set_of(key) if key else plan.test_set_id
        last = dict.fromkeys(contestants, pages) | dict.fromkeys(asked_twice, self._document.asked_twice)
        late: dict[str, str] = {}
        for number in range(1, pages + 1):
            waiting = [digest for digest in open_ if digest not in late and number <= last[digest]]
            if not waiting:
                break
            jpeg = self._pages.read(number)
            for digest in waiting:
                try:
                    open_[digest].append(self._answer(contestants[digest], test_set_id, number, jpeg))
                except TransientError as error:
                    late[digest] = error.message
                except (AwsCallRefused, InvalidInput) as error:
                    self._finish(digest, DocumentAnswers(reason=error.message, usage=self._usage(open_.pop(digest))))
        for digest, answers in open_.items():
            if digest not in late:
                self._finish(digest, DocumentAnswers(answers=tuple(map(_shown, answers)), usage=self._usage(answers)))
        if late and self._asked == 0:
            for digest, reason in late.items():
                self._finish(digest, DocumentAnswers(reason=reason, usage=self._usage(open_[digest])))
            late = {}
        return DocumentProgress(status="Unfinished" if late else "Finished", asked=self._asked)

    def _copy_nearest(self, pages: int) -> DocumentAnswers:
        """Return the labels of the training pages that look most like those of the document."""
        found = [self._pages.known.nearest(look) for look in self._pages.looks(pages)]
        return DocumentAnswers(
            answers=tuple(
                ClassifiedPage(number=number, class_name=page.class_name, boundary=page.boundary)
                for number, page in enumerate(found, 1)
            )
        )

    def _finish(self, digest: str, answers: DocumentAnswers) -> None:
        self._data.write_once(self._layout.document(digest, self._document.document_id), answers)

    def _usage(self, answers: Sequence[StoredAnswer]) -> Usage:
        """Return what the answers cost that this evaluation asked for, in whichever run."""
        return sum((item.usage for item in answers if item.asked_in == self._run.number), Usage())

    def _answer(self, contestant: Contestant, test_set_id: str, number: int, jpeg: bytes) -> StoredAnswer:
        """Return the stored answer about a page, or ask for it. Raises TransientError if there is no time."""
        text = self._text(test_set_id, number) if contestant.prompt.needs_text else ""
        key = self._layout.answer(contestant.digest, page_digest(jpeg, text))
        stored = self._data.read_model(key, StoredAnswer)
        if stored is None:
            stored = self._ask(contestant, jpeg, text)
            self._data.write_model(key, stored)
        return stored.model_copy(update={"number": number})

    def _ask(self, contestant: Contestant, jpeg: bytes, text: str) -> StoredAnswer:
        self._records.require_running(self._run)
        latest = self._seconds_left() - SPARE_SECONDS
        if latest <= 0:
            raise TransientError("There was no time left. Evaluate again.")
        until = SPARE_SECONDS + latest * (1 - _PATIENCE)

        def wait(seconds: float) -> bool:
            sleep(seconds)
            return False

        request = contestant.prompt.converse_request(contestant.model, jpeg, text, temperature=contestant.temperature)
        with aws_calls():
            said = self._converse.answer(
                request, seconds_left=lambda: self._seconds_left() - until, wait=wait, flex=True
            )
        self._asked += 1
        read = contestant.prompt.parse_answer(said.text)
        return StoredAnswer(
            number=1,
            class_name=read.class_name,
            boundary=read.boundary,
            asked_in=self._run.number,
            usage=said.usage,
        )

    def _text(self, test_set_id: str, number: int) -> str:
        key = page_text_key(test_set_id, self._document.path, number)
        content = next(self._texts.read_files([(key, None)]))
        if isinstance(content, Unreadable):
            raise InvalidInput(f"The prompt needs the text of every page, and the baseline has none of page {number}.")
        return page_text(content, number)


def _shown(answer: StoredAnswer) -> ClassifiedPage:
    return ClassifiedPage(number=answer.number, class_name=answer.class_name, boundary=answer.boundary)
