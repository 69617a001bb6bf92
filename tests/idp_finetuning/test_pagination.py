"""Pages and their tokens."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from idp_finetuning.adapters.attached_test_sets import IdToken
from idp_finetuning.adapters.tables.items import PageToken
from idp_finetuning.adapters.user_directory import DirectoryToken
from idp_finetuning.errors import InvalidInput
from idp_finetuning.pagination import OpaqueToken, Page
from idp_finetuning.test_sets.test_set import TestSet, TestSetStatus

TOKENS = [
    PageToken(created_at="2026-11-22T10:00:00.000Z", id="a"),
    DirectoryToken(pagination_token="cognito's own/+="),
    IdToken(id="größe-1"),
]


@pytest.mark.parametrize("token", TOKENS, ids=lambda token: type(token).__name__)
def test_a_token_survives_the_way_to_the_client_and_back(token: OpaqueToken) -> None:
    assert type(token).from_text(token.to_text()) == token


@pytest.mark.parametrize("token", TOKENS, ids=lambda token: type(token).__name__)
def test_a_token_of_one_list_is_refused_by_every_other(token: OpaqueToken) -> None:
    for other in TOKENS:
        if type(other) is not type(token):
            with pytest.raises(InvalidInput, match="nextToken is not one this API returned"):
                type(other).from_text(token.to_text())


def test_a_page_keeps_every_field_of_its_items_on_the_wire() -> None:
    test_set = TestSet(id="a", name="A", status=TestSetStatus.READY, created_at=datetime(2026, 11, 22, 10, tzinfo=UTC))
    page: Page[TestSet] = Page(items=(test_set,), next_token="t")
    assert page.to_wire() == {"items": [test_set.to_wire()], "nextToken": "t"}
