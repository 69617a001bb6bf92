"""End a classification whose function died, for example of a lack of memory, on every attempt."""

from __future__ import annotations

from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.classification.classification import ClassificationStarted, ClassificationSummary, failed_result
from idp_finetuning.classification.layout import ClassificationLayout
from idp_finetuning.errors import InternalError
from idp_finetuning.stages.classification_run import wait_for_lease
from idp_finetuning.wire import WireModel

CODE = InternalError.__name__


class FailedInvocation(WireModel):
    """What Lambda sends about an asynchronous invocation that it gave up (Lambda developer guide, "Destinations")."""

    request_payload: ClassificationStarted


def end_classification(failed: FailedInvocation, *, data: DataBucket) -> ClassificationSummary:
    """Write the result of a classification that no run works on any more; one that has a result keeps it."""
    layout = ClassificationLayout(classification_id=failed.request_payload.classification_id)
    run = wait_for_lease(layout, data)
    if run is None:
        return ClassificationSummary(repeated=True)
    message = (
        f"The document could not be classified: its function ended without a result, and {len(run.pages)} "
        "of its pages have an answer. "
        "Split the document, or ask the operator to see the log."
    )
    run.finish(failed_result(CODE, message))
    return ClassificationSummary(pages=len(run.pages), error_code=CODE)
