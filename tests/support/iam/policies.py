"""Whether a policy allows what a call needs, as IAM decides it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from tests.support.stacks.deployed import Statement


class Need(NamedTuple):
    """An action on a resource that AWS asks a role for; `passed_to` is the service a role is handed to."""

    action: str
    resource: str
    passed_to: str | None = None


def allows(statements: Iterable[Statement], need: Need) -> bool:
    """Whether any statement allows it. Raises NotImplementedError for a condition this module does not know."""
    return any(
        any(action.lower() == need.action.lower() for action in statement.actions)
        and any(matches(pattern, need.resource) for pattern in statement.resources)
        and _holds(statement, need)
        for statement in statements
    )


@cache
def matches(pattern: str, resource: str) -> bool:
    """A star stands for any text and a question mark for a character, but not across parts of an ARN [IAM user guide,
    Resource element]; the last part may hold colons."""
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
