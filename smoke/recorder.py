"""Asks Bedrock and writes down what it said, without what identifies the account."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import botocore
from botocore import xform_name
from botocore.exceptions import ClientError

from idp_local.bedrock.answers import Answers, Exchange, ServiceError

_IDENTITY = re.compile(r"(arn:[\w-]+:(?:iam|sts)::)\d{12}:([a-z-]+)/[^\s\"',]+")
_ACCOUNT = re.compile(r"(?<![0-9a-z])\d{12}(?![0-9a-z])")
_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "UnrecognizedClientException",
    }
)


class Recorder:
    """Calls and records, in a file that is written anew after each call; what the file has already is kept.

    `names` are replaced by their values in all that is recorded: those of the bucket and the role.
    """

    def __init__(self, path: Path, region: str, names: Mapping[str, str]) -> None:
        self._path = path
        self._names = dict(names)
        self.answers = (
            Answers.model_validate_json(path.read_text(encoding="utf-8"))
            if path.exists()
            else Answers(region=region, botocore=botocore.__version__)
        )

    def hide(self, name: str, shown: str) -> None:
        """Replace a name in all that is recorded from now on."""
        self._names[name] = shown

    def ask(self, question: str, client: Any, operation: str, **request: Any) -> Exchange:
        """Call an operation; return the call as it is recorded."""
        exchange, _ = self._call(question, client, operation, request)
        self._add(exchange)
        return exchange

    def create(self, question: str, client: Any, operation: str, **request: Any) -> tuple[Exchange, str | None]:
        """Call a Create operation; return the call as it is recorded, and the ARN, which is in no record."""
        exchange, response = self._call(question, client, operation, request)
        self._add(exchange)
        return exchange, next((value for value in (response or {}).values() if isinstance(value, str)), None)

    def watch(
        self,
        question: str,
        client: Any,
        operation: str,
        until: Callable[[Exchange], bool],
        *,
        seconds: float,
        every: float,
        **request: Any,
    ) -> Exchange:
        """Call until the condition holds or the time is over; record each call whose result is news."""
        deadline = time.monotonic() + seconds
        news = None
        while True:
            exchange, _ = self._call(question, client, operation, request)
            if (said := _what_matters(exchange)) != news:
                news = said
                self._add(exchange)
            if until(exchange) or time.monotonic() > deadline:
                return exchange
            time.sleep(every)

    def scrub(self, value: Any) -> Any:
        """Return a value of boto3 as JSON without account ids and names of roles and users."""
        if isinstance(value, Mapping):
            return {name: self.scrub(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.scrub(item) for item in value]
        if isinstance(value, datetime):
            return value.astimezone(UTC).isoformat()
        if isinstance(value, bytes):
            return f"<{len(value)} bytes>"
        if not isinstance(value, str):
            return value
        text = _IDENTITY.sub(r"\g<1>000000000000:\2/REMOVED", value)
        for name, shown in self._names.items():
            text = text.replace(name, shown)
        return _ACCOUNT.sub("000000000000", text)

    def _call(
        self, question: str, client: Any, operation: str, request: dict[str, Any]
    ) -> tuple[Exchange, dict[str, Any] | None]:
        asked: dict[str, Any] = {
            "question": question,
            "at": datetime.now(UTC),
            "operation": operation,
            "request": self.scrub(request),
        }
        try:
            response: dict[str, Any] = getattr(client, xform_name(operation))(**request)
        except ClientError as error:
            found = error.response["Error"]
            if found["Code"] in _CREDENTIALS:
                raise  # it says nothing about Bedrock
            refusal = ServiceError(code=found["Code"], message=self.scrub(found.get("Message", "")))
            return Exchange(**asked, error=refusal), None
        response.pop("ResponseMetadata", None)
        return Exchange(**asked, response=self.scrub(response)), response

    def _add(self, exchange: Exchange) -> None:
        self.answers = self.answers.model_copy(update={"exchanges": (*self.answers.exchanges, exchange)})
        self._path.parent.mkdir(parents=True, exist_ok=True)
        text = self.answers.model_dump_json(by_alias=True, exclude_none=True, indent=1)
        draft = self._path.with_suffix(".draft")
        draft.write_text(text + "\n", encoding="utf-8")
        draft.replace(self._path)


def _what_matters(exchange: Exchange) -> Any:
    """Return what makes the result of a call that is repeated news."""
    if exchange.error:
        return exchange.error.code
    response = exchange.response or {}
    rows = [value for value in response.values() if isinstance(value, list)]
    details = {name: part.get("status") for name, part in response.get("statusDetails", {}).items()}
    return (response.get("status"), "outputModelArn" in response, details, [bool(row) for row in rows])
