"""Time of validateTestSetForFinetuning on a large test set, the first time and the second."""

from __future__ import annotations

from typing import Any

from benchmarks.account import TEST_SET, Call, local_account
from benchmarks.documents import put_test_set, resolver_event
from idp_sdk import LabelledDocument, LabelledSection

DOCUMENTS = 500
SECTIONS = 4  # of a document
CLASSES = ("invoice", "letter", "receipt", "w2", "bank_statement")


def measure_validation() -> dict[str, Any]:
    """Measure seconds in the resolver's handler, which include moto's for some 2,000 reads on the same cores."""
    documents = [
        LabelledDocument(
            path=f"{number % 20}/{number}.pdf",
            content=b"%PDF-1.7",
            sections=tuple(
                LabelledSection(class_name=CLASSES[(number + part) % len(CLASSES)], page_indices=(part,))
                for part in range(SECTIONS)
            ),
        )
        for number in range(DOCUMENTS)
    ]
    query = Call("Resolver", resolver_event("validateTestSetForFinetuning", {"testSetId": TEST_SET}))
    with local_account() as account:
        put_test_set(account, documents)
        (first, again), _ = account.run([query, query])
    if first.result["data"] != again.result["data"] or first.result["data"]["documentCount"] != DOCUMENTS:
        raise RuntimeError(f"The two validations differ: {first.result} {again.result}")
    return {
        "firstSeconds": round(first.seconds, 2),
        "repeatedSeconds": round(again.seconds, 2),
        "firstS3Calls": sum(first.s3.values()),
        "repeatedS3Calls": sum(again.s3.values()),
        "documents": DOCUMENTS,
        "sections": DOCUMENTS * SECTIONS,
    }
