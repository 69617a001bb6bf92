"""Compares what a function called with what its role allows, both ways."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from tests.support.iam.policies import Need, allows
from tests.support.iam.resources import kind_of, kinds_within
from tests.support.stacks.deployed import Statement

Grant = tuple[str, str]  # an action and a kind of resource


def granted(statements: Iterable[Statement]) -> frozenset[Grant]:
    """Return what statements allow, by kinds of resources."""
    return frozenset(
        (action, kind)
        for statement in statements
        for action in statement.actions
        for pattern in statement.resources
        for kind in kinds_within(pattern)
    )


def needed(needs: Iterable[Need]) -> frozenset[Grant]:
    """Return what calls needed, by kinds of resources; a resource of no kind is its own kind."""
    return frozenset((need.action, kind_of(need.resource) or need.resource) for need in needs)


def differences(
    statements: Collection[Statement], needs: Collection[Need], excused: Collection[Grant] = ()
) -> list[str]:
    """Return a line for each need that is not allowed, each permission that is neither needed nor excused, and each
    excuse that is not used."""
    grants, used = granted(statements), needed(needs)
    refused = {need for need in needs if not allows(statements, need)}
    return [
        *(f"refused: {need.action} on {need.resource}" for need in sorted(refused, key=str)),
        *(f"allowed, but never called: {' on '.join(grant)}" for grant in sorted(grants - used - set(excused))),
        *(f"excused, but called: {' on '.join(grant)}" for grant in sorted(used & set(excused))),
        *(f"excused, but not allowed: {' on '.join(grant)}" for grant in sorted(set(excused) - grants)),
    ]
