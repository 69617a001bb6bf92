"""Test sets put into the local account's buckets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor

from benchmarks.account import TEST_SET, Account
from idp_finetuning.test_sets.keys import document_id, input_prefix
from idp_finetuning.test_sets.sections import Section
from idp_finetuning.test_sets.split import Split
from idp_local.aws.names import TEST_SET_BUCKET
from idp_sdk import LabelledDocument


def put_all(account: Account, bucket: str, objects: Iterable[tuple[str, bytes]]) -> None:
    """Write objects, eight at a time."""
    with ThreadPoolExecutor(8) as threads:
        for _ in threads.map(lambda item: account.s3.put_object(Bucket=bucket, Key=item[0], Body=item[1]), objects):
            pass


def put_test_set(account: Account, documents: Sequence[LabelledDocument]) -> None:
    """Write documents and baselines in the accelerator's layout, and the record that says they are complete."""
    put_all(account, TEST_SET_BUCKET, [(input_prefix(TEST_SET) + d.path, d.read()) for d in documents])
    put_all(account, TEST_SET_BUCKET, [(f"{TEST_SET}/{key}", body) for d in documents for key, body in d.baselines()])
    account.put_test_set()


def manifest_document(path: str, sections: Sequence[Section]) -> dict[str, object]:
    """Make a document as the Map gives it to GenerateExample, on the training side."""
    key = input_prefix(TEST_SET) + path
    return {
        "documentId": document_id(key),
        "key": key,
        "split": Split.TRAIN.value,
        "sections": [section.to_wire() for section in sections],
    }


def resolver_event(field: str, arguments: dict[str, object]) -> dict[str, object]:
    """Make the event that AppSync sends to the resolver for a query of an author."""
    identity = {"sub": "0", "username": "author@example.com", "groups": ["Author"]}
    return json.loads(json.dumps({"field": field, "arguments": arguments, "identity": identity}))  # type: ignore[no-any-return]
