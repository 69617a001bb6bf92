"""Roles: the resolver's table, the schema and the operations are one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from graphql import ListValueNode, ObjectTypeDefinitionNode, StringValueNode, parse
from idp_finetuning.adapters.services import Services
from idp_finetuning.deployment import GROUPS
from idp_finetuning.errors import Unauthorized
from idp_finetuning.operations.dispatch import authorize
from idp_finetuning.operations.identity import Identity, shown_name
from idp_finetuning.operations.table import OPERATIONS
from tests.idp_finetuning.conftest import client
from tests.support.domain.fake_bedrock import client_error

SCHEMA = Path(__file__).parents[3] / "graphql" / "schema.graphql"


def fields_of_the_schema() -> dict[str, dict[str, frozenset[str]]]:
    """Groups in @aws_auth by field, by root type."""
    found: dict[str, dict[str, frozenset[str]]] = {}
    for definition in parse(SCHEMA.read_text(encoding="utf-8")).definitions:
        if isinstance(definition, ObjectTypeDefinitionNode) and definition.name.value in ("Query", "Mutation"):
            found[definition.name.value] = {
                field.name.value: frozenset(
                    group.value
                    for directive in field.directives or ()
                    for argument in directive.arguments or ()
                    if directive.name.value == "aws_auth" and isinstance(argument.value, ListValueNode)
                    for group in argument.value.values
                    if isinstance(group, StringValueNode)
                )
                for field in definition.fields or ()
            }
    return found


SCHEMA_FIELDS = fields_of_the_schema()
MUTATIONS = sorted(SCHEMA_FIELDS["Mutation"])
QUERIES = sorted(SCHEMA_FIELDS["Query"])
FOR_ADMINS = ["listUsers", "updateUser"]


def caller(*groups: str) -> Identity:
    """Someone in these groups."""
    return Identity(sub="s", username="u", groups=groups)


def test_the_resolvers_table_equals_the_schemas_directives() -> None:
    assert SCHEMA_FIELDS["Query"] | SCHEMA_FIELDS["Mutation"] == {
        field: operation.groups for field, operation in OPERATIONS.items()
    }


def test_every_field_has_an_operation_and_every_operation_a_field() -> None:
    assert set(OPERATIONS) == set(QUERIES) | set(MUTATIONS)


def test_every_group_that_is_allowed_something_exists() -> None:
    assert {group for operation in OPERATIONS.values() for group in operation.groups} <= set(GROUPS)


@pytest.mark.parametrize("field", MUTATIONS)
@pytest.mark.parametrize("groups", [(), ("Reviewer",), ("Viewer",), ("Reviewer", "Viewer"), ("admin",), ("Admins",)])
def test_a_mutation_is_closed_to_all_but_admins_and_authors(field: str, groups: tuple[str, ...]) -> None:
    with pytest.raises(Unauthorized, match=field):
        authorize(field, caller(*groups))


@pytest.mark.parametrize("field", sorted({*MUTATIONS, *QUERIES} - {*FOR_ADMINS}))
@pytest.mark.parametrize("groups", [("Admin",), ("Author",), ("Viewer", "Author")])
def test_authors_may_do_everything_but_what_admins_alone_may(field: str, groups: tuple[str, ...]) -> None:
    authorize(field, caller(*groups))


@pytest.mark.parametrize("field", FOR_ADMINS)
@pytest.mark.parametrize("groups", [(), ("Author",), ("Author", "Reviewer", "Viewer")])
def test_users_are_for_admins_and_the_refusal_says_so(field: str, groups: tuple[str, ...]) -> None:
    with pytest.raises(Unauthorized, match=rf"{field}\. It needs the group Admin\.$"):
        authorize(field, caller(*groups))
    authorize(field, caller("Admin"))


@pytest.mark.parametrize("field", sorted({*QUERIES} - {*FOR_ADMINS}))
@pytest.mark.parametrize("groups", [(), ("Reviewer",), ("Viewer",)])
def test_a_query_is_open_to_everyone_signed_in(field: str, groups: tuple[str, ...]) -> None:
    authorize(field, caller(*groups))


@pytest.mark.parametrize("field", ["", "dropTables", "StartFinetuningJob", "__schema"])
def test_an_unknown_field_is_open_to_nobody(field: str) -> None:
    with pytest.raises(Unauthorized):
        authorize(field, caller("Admin"))


def test_the_address_in_the_token_is_shown() -> None:
    known = Identity(sub="s", username="u", email="user@example.com")
    assert shown_name(known, Services()) == "user@example.com"


def test_without_an_address_in_the_token_the_user_pool_is_asked(environment: dict[str, str], user_pool: str) -> None:
    attributes = [{"Name": "email", "Value": "user@example.com"}]
    made = client("cognito-idp").admin_create_user(
        UserPoolId=user_pool, Username="user@example.com", UserAttributes=attributes
    )
    assert shown_name(Identity(sub="s", username=made["User"]["Username"]), Services()) == "user@example.com"


@pytest.mark.parametrize("code", ["UserNotFoundException", "AccessDeniedException", "TooManyRequestsException"])
def test_a_user_pool_that_does_not_say_leaves_the_user_name(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    class Failing:
        def admin_get_user(self, **_: Any) -> None:
            raise client_error("AdminGetUser", code)

    monkeypatch.setattr("idp_finetuning.adapters.services.client", lambda service: Failing())
    assert shown_name(Identity(sub="s", username="u"), Services()) == "u"
