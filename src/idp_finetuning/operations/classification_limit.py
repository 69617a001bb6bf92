"""How many classifications of one user run at once: each takes one of the user's few slots in S3."""

from __future__ import annotations

from datetime import UTC, datetime

from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.adapters.services import Services
from idp_finetuning.classification.classification import ClassificationProgress, RunningClassification
from idp_finetuning.classification.layout import ClassificationLayout, running_key
from idp_finetuning.errors import TooManyRunning
from idp_finetuning.operations.identity import Identity


def take_slot(classification_id: str, identity: Identity, services: Services) -> str:
    """Take a slot for a classification that is about to start, and return the slot's key.

    Nobody gives one back: it is free once its classification has a result. Conditional writes let only one of several
    requests at the same time have it. Raises TooManyRunning.
    """
    running = RunningClassification(classification_id=classification_id, since=datetime.now(UTC))
    limit = services.classifications_per_user
    for number in range(limit):
        key = running_key(identity.sub, number)
        if _take(key, running, services.data):
            return key
    count = "1 of your classifications is" if limit == 1 else f"{limit} of your classifications are"
    raise TooManyRunning(f"{count} still running, and no more may run at once. Start this one when one has ended.")


def _take(key: str, running: RunningClassification, data: DataBucket) -> bool:
    etag = data.find_etag(key)
    if etag is None:
        return data.write_once(key, running)
    before = data.read_model(key, RunningClassification)
    return (before is None or _has_ended(before, data)) and data.replace(key, running, etag)


def _has_ended(running: RunningClassification, data: DataBucket) -> bool:
    layout = ClassificationLayout(classification_id=running.classification_id)
    if data.find_etag(layout.result) is not None:
        return True
    return running.has_stopped(data.read_model(layout.progress, ClassificationProgress))
