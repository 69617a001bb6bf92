"""Configuration versions in DynamoDB; which one is active is one pointer beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn, cast

from botocore.exceptions import ClientError

from idp_finetuning.adapters.aws_calls import error_code
from idp_finetuning.adapters.tables.items import (
    PageToken,
    TransactionPart,
    from_attributes,
    read_item,
    to_attributes,
    write_transaction,
)
from idp_finetuning.classification.config_versions import (
    DEFAULT_NAME,
    ConfigVersion,
    default_version,
)
from idp_finetuning.deployment import CONFIG_VERSIONS_BY_CREATION
from idp_finetuning.errors import ConfigVersionNotFound, Conflict, TransientError
from idp_finetuning.pagination import Page

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import ConditionCheckTypeDef, DeleteTypeDef, PutTypeDef

KIND = "configVersion"
POINTER = "#active"  # no legal name of a version
# A version may have 300 KB, and a Lambda response at most 6 MB:
# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
PAGE_BYTES = 2_000_000


class ConfigVersionTable:
    """The ConfigVersions table, keyed by name; the version `default` is built in and never stored."""

    def __init__(self, dynamodb: DynamoDBClient, table: str) -> None:
        self._dynamodb = dynamodb
        self._table = table

    def get(self, name: str) -> ConfigVersion:
        """Return the current version. Raises ConfigVersionNotFound."""
        return self._version(name, self._active_name())

    def active(self) -> ConfigVersion:
        """Return the version that is used if a request names none."""
        name = self._active_name()
        return self._version(name, name)

    def page(self, *, limit: int, next_token: str | None, allows: Callable[[str], bool]) -> Page[ConfigVersion]:
        """Return a page of the allowed versions, newest first and `default` last; shorter if versions are large."""
        stored = sorted((key for key in self._keys() if allows(key[1])), reverse=True)
        if next_token:
            token = PageToken.from_text(next_token)
            stored = [key for key in stored if key < (token.created_at, token.id)]
        waiting = [*stored, *([("", DEFAULT_NAME)] if allows(DEFAULT_NAME) else [])]
        active = self._active_name()
        items: list[ConfigVersion] = []
        seen, size = 0, 0
        for _, name in waiting[:limit]:
            if size >= PAGE_BYTES:
                break
            seen += 1
            try:
                items.append(self._version(name, active))
            except ConfigVersionNotFound:
                continue  # the index lags behind the table
            size += len(items[-1].model_dump_json())
        if seen == len(waiting):
            return Page(items=tuple(items))
        created_at, name = waiting[seen - 1]
        return Page(items=tuple(items), next_token=PageToken(created_at=created_at, id=name).to_text())

    def create(self, version: ConfigVersion, parts: Sequence[TransactionPart] = ()) -> None:
        """Write a new version together with the other parts. Raises Conflict if the name or a part is refused."""
        put = self._put(version)
        put["ConditionExpression"] = "attribute_not_exists(#name)"
        put["ExpressionAttributeNames"] = {"#name": "name"}
        refused = self._write(version.name, [{"Put": put}, *parts])
        if refused:
            raise Conflict(f"A configuration version '{version.name}' exists already. Choose another name.")

    def replace(self, version: ConfigVersion, *, revision: int, parts: Sequence[TransactionPart] = ()) -> None:
        """Replace a revision of a version. Raises ConfigVersionNotFound, or Conflict if it has another revision."""
        put = self._put(version)
        _require_revision(put, revision)
        if self._write(version.name, [{"Put": put}, *parts]):
            self._refuse_revision(version.name)

    def previous(self) -> str | None:
        """Return the name of the version that was active before, or None if there was none."""
        pointer = self._item(POINTER)
        return str(pointer["previous"]["S"]) if pointer and "previous" in pointer else None

    def activate(self, name: str) -> ConfigVersion:
        """Make a version the active one and keep the name of the one before. Idempotent.

        Raises ConfigVersionNotFound, and TransientError if another request activates one at the same time.
        """
        before = self._active_name()
        if before == name:
            return self._version(name, name)
        pointer: PutTypeDef = {
            "TableName": self._table,
            "Item": to_attributes({"name": POINTER, "version": name, "previous": before}),
            "ConditionExpression": "attribute_not_exists(#version) OR #version = :before",
            "ExpressionAttributeNames": {"#version": "version"},
            "ExpressionAttributeValues": to_attributes({":before": before}),
        }
        check: ConditionCheckTypeDef = {
            "TableName": self._table,
            "Key": to_attributes({"name": name}),
            "ConditionExpression": "attribute_exists(#name)",
            "ExpressionAttributeNames": {"#name": "name"},
        }
        checks: list[TransactionPart] = [] if name == DEFAULT_NAME else [{"ConditionCheck": check}]
        refused = self._write(name, [*checks, {"Put": pointer}])
        if refused == "Put":
            raise TransientError("Another request activated a version at the same time. Look which one is active.")
        if refused:
            raise _not_found(name)
        return self._version(name, name)

    def delete(self, version: ConfigVersion, parts: Sequence[TransactionPart] = ()) -> None:
        """Delete this revision of a version. Raises Conflict if it is active or has another revision."""
        removal: DeleteTypeDef = {"TableName": self._table, "Key": to_attributes({"name": version.name})}
        _require_revision(removal, version.revision)
        pointer: ConditionCheckTypeDef = {
            "TableName": self._table,
            "Key": to_attributes({"name": POINTER}),
            "ConditionExpression": "attribute_not_exists(#version) OR #version <> :name",
            "ExpressionAttributeNames": {"#version": "version"},
            "ExpressionAttributeValues": to_attributes({":name": version.name}),
        }
        refused = self._write(version.name, [{"ConditionCheck": pointer}, {"Delete": removal}, *parts])
        if refused == "ConditionCheck":
            raise Conflict(f"Configuration version '{version.name}' is active. Activate another one first.")
        if refused:
            self._refuse_revision(version.name)

    def _write(self, name: str, parts: list[TransactionPart]) -> str | None:
        """Write all parts, and return None, or the kind of the first part whose condition failed.

        Raises Conflict if that part is another table's, TransientError if another request keeps writing the same items.
        """
        try:
            write_transaction(self._dynamodb, parts)
        except ClientError as error:
            if error_code(error) != "TransactionCanceledException":
                raise
            reasons = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
            if "ConditionalCheckFailed" not in reasons:
                raise TransientError(
                    f"Configuration version '{name}' or what it needs is being changed by another request. Read it "
                    "again and repeat the request."
                ) from error
            refused = cast("Mapping[str, dict[str, Any]]", parts[reasons.index("ConditionalCheckFailed")])
            ((kind, statement),) = refused.items()
            if statement["TableName"] != self._table:
                raise Conflict(
                    f"Configuration version '{name}' was not changed: the job of its model is being deleted. "
                    "Read both again."
                ) from error
            return kind
        return None

    def _refuse_revision(self, name: str) -> NoReturn:
        refuse_stale(self.get(name))

    def _put(self, version: ConfigVersion) -> PutTypeDef:
        stored = {**version.to_wire(), "kind": KIND}
        for decided_elsewhere in ("active", "builtIn", "warnings"):
            del stored[decided_elsewhere]
        return {"TableName": self._table, "Item": to_attributes(stored)}

    def _version(self, name: str, active: str) -> ConfigVersion:
        if name == DEFAULT_NAME:
            return default_version(active=active == DEFAULT_NAME)
        item = self._item(name) if name != POINTER else None
        if not item:
            raise _not_found(name)
        return from_attributes(ConfigVersion, item).model_copy(update={"active": name == active})

    def _item(self, name: str) -> Mapping[str, Any] | None:
        return read_item(self._dynamodb, self._table, to_attributes({"name": name}))

    def _active_name(self) -> str:
        pointer = self._item(POINTER)
        return str(pointer["version"]["S"]) if pointer else DEFAULT_NAME

    def _keys(self) -> Iterator[tuple[str, str]]:
        """Yield time of creation and name of every stored version."""
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=CONFIG_VERSIONS_BY_CREATION.name,
            KeyConditionExpression="#kind = :kind",
            ExpressionAttributeNames={"#kind": "kind"},
            ExpressionAttributeValues=to_attributes({":kind": KIND}),
        )
        return ((item["createdAt"]["S"], item["name"]["S"]) for page in pages for item in page["Items"])


def refuse_stale(current: ConfigVersion) -> NoReturn:
    """Raise Conflict: another request changed the version since the caller read it."""
    raise Conflict(
        f"Configuration version '{current.name}' was changed by {current.updated_by} at {current.updated_at} and now "
        f"has revision {current.revision}. Read it again and make your change from that."
    )


def _require_revision(statement: PutTypeDef | DeleteTypeDef, revision: int) -> None:
    statement["ConditionExpression"] = "#revision = :revision"
    statement["ExpressionAttributeNames"] = {"#revision": "revision"}
    statement["ExpressionAttributeValues"] = to_attributes({":revision": revision})


def _not_found(name: str) -> ConfigVersionNotFound:
    return ConfigVersionNotFound(
        f"There is no configuration version '{name}'. listConfigVersions shows all you may see."
    )
