"""Evaluates policies as IAM does."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from tests.support.stacks.deployed import Statement


class Need(NamedTuple):
    """An action on a resource that a call needs; `passed_to` is the service that a role is passed to."""

    action: str
    resource: str
    passed_to: str | None = None


def allows(statements: Iterable[Statement], need: Need) -> bool:
    """Return whether any statement allows it. Raises NotImplementedError for an unsupported condition."""
    return any(
        any(action.lower() == need.action.lower() for action in statement.actions)
        and any(matches(pattern, need.resource) for pattern in statement.resources)
        and _holds(statement, need)
        for statement in statements
    )


@cache
def matches(pattern: str, resource: str) -> bool:
    """Match `*` and `?` within the parts of an ARN, as IAM does (IAM user guide, "IAM JSON policy elements: Resource").

    The last part may contain colons.
    """
    if pattern == "*":
        return True
    wanted, given = pattern.split(":", 5), resource.split(":", 5)
    return len(wanted) == len(given) and all(
        _expression(part).fullmatch(text) for part, text in zip(wanted, given, strict=True)
    )


@cache
def _expression(part: str) -> re.Pattern[str]:
    return re.compile(re.escape(part).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)


def _holds(statement: Statement, need: Need) -> bool:
    for operator, tests in statement.conditions.items():
        for key, wanted in tests.items():
            if (operator, key) != ("StringEquals", "iam:PassedToService"):
                raise NotImplementedError(f"{operator} {key}")
            if need.passed_to != wanted:
                return False
    return True
