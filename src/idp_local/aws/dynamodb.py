"""Makes moto's DynamoDB right under concurrent requests: atomic writes, and transactions at a fair price."""

from __future__ import annotations

import copy
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

_lock = threading.RLock()


def carry_out_one_request_at_a_time() -> None:
    """From now on a condition and its write are one, and a transaction copies the items it names only.

    moto checks a condition and writes in two steps that threads may part. Its transactions copy whole tables, which
    takes half a second at 5,000 items, and put the copies back if they fail, with all that others wrote meanwhile.
    """
    call_action, transact = DynamoHandler.call_action, DynamoDBBackend.transact_write_items

    def call_alone(self: DynamoHandler) -> Any:
        with _lock:
            return call_action(self)

    def transact_on_named_items(self: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
        with _put_back_on_failure(self, transact_items):
            transact(self, transact_items)

    DynamoHandler.call_action = call_alone  # type: ignore[method-assign]
    DynamoDBBackend.transact_write_items = transact_on_named_items  # type: ignore[method-assign]
    Table.__deepcopy__ = lambda self, _: self  # type: ignore[attr-defined]


@contextmanager
def _put_back_on_failure(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> Iterator[None]:
    before = []
    for item in transact_items:
        for write in item.values():
            table = backend.get_table(write["TableName"])
            key = DynamoType(write.get("Item", write.get("Key"))[table.hash_key_attr])
            before.append((table.items, key, copy.deepcopy(table.items.get(key))))
    try:
        yield
    except Exception:
        for items, key, known in before:
            items.pop(key, None)
            if known is not None:
                items[key] = known
        raise
