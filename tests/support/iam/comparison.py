"""Holds what a function called against what its role allows, both ways."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from tests.support.iam.policies import Need, allows
from tests.support.iam.resources import kind_of, kinds_within
from tests.support.stacks.deployed import Statement

Grant = tuple[str, str]  # an action and a kind of resource


def granted(statements: Iterable[Statement]) -> frozenset[Grant]:
    """What statements allow, by kinds of resources."""
    return frozenset(
        (action, kind)
        for statement in statements
        for action in statement.actions
        for pattern in statement.resources
        for kind in kinds_within(pattern)
    )


def needed(needs: Iterable[Need]) -> frozenset[Grant]:
    """What calls needed, by kinds of resources; a resource of no kind stands for itself."""
    return frozenset((need.action, kind_of(need.resource) or need.resource) for need in needs)


def differences(
    statements: Collection[Statement], needs: Collection[Need], excused: Collection[Grant] = ()
) -> list[str]:
    """A line for each need that is not allowed, each permission without need or excuse, each excuse without use."""
    grants, used = granted(statements), needed(needs)
    refused = {need for need in needs if not allows(statements, need)}
    return [
        *(f"refused: {need.action} on {need.resource}" for need in sorted(refused, key=str)),
        *(f"allowed, but never called: {' on '.join(grant)}" for grant in sorted(grants - used - set(excused))),
        *(f"excused, but called: {' on '.join(grant)}" for grant in sorted(used & set(excused))),
        *(f"excused, but not allowed: {' on '.join(grant)}" for grant in sorted(set(excused) - grants)),
    ]
