"""The user pool in Cognito, read only: users who have never signed in stand in it too."""

from __future__ import annotations

import base64
from typing import Any

from botocore.exceptions import ClientError
from pydantic import Field

from idp_finetuning.adapters.aws_calls import error_code
from idp_finetuning.classification.scopes import DirectoryUser
from idp_finetuning.errors import InvalidInput, UserNotFound
from idp_finetuning.wire import WireModel

MAXIMUM_PAGE = 60  # [botocore cognito-idp QueryLimitType]


class DirectoryPage(WireModel):
    """A page of users in the pool's order."""

    users: tuple[DirectoryUser, ...]
    next_token: str | None


class _PageToken(WireModel):
    pagination_token: str = Field(min_length=1)


class UserDirectory:
    """One user pool."""

    def __init__(self, cognito: Any, user_pool_id: str) -> None:
        self._cognito = cognito
        self._pool = user_pool_id

    def page(self, *, limit: int, next_token: str | None) -> DirectoryPage:
        """At most 60 users, however many are asked for. Raises InvalidInput for a token of others."""
        start = {"PaginationToken": _pagination_token(next_token)} if next_token else {}
        try:
            answer = self._cognito.list_users(UserPoolId=self._pool, Limit=min(limit, MAXIMUM_PAGE), **start)
        except ClientError as error:
            if next_token and error_code(error) == "InvalidParameterException":
                raise _not_ours() from error
            raise
        following = answer.get("PaginationToken")
        return DirectoryPage(
            users=tuple(_user(entry["Username"], entry.get("Attributes", [])) for entry in answer["Users"]),
            next_token=_opaque(following) if following else None,
        )

    def find(self, user: str) -> DirectoryUser:
        """The user with this id (`sub`), user name or, where the pool signs in with it, e-mail address.

        Raises UserNotFound.
        """
        try:
            answer = self._cognito.admin_get_user(UserPoolId=self._pool, Username=user)
        except ClientError as error:
            # Invalid is a name of characters no user name has [botocore cognito-idp UsernameType].
            if error_code(error) not in ("UserNotFoundException", "InvalidParameterException"):
                raise
            raise UserNotFound(
                "No user of the user pool has this id, user name or e-mail address. listUsers shows those there are."
            ) from error
        return _user(answer["Username"], answer.get("UserAttributes", []))

    def groups(self, username: str) -> tuple[str, ...]:
        """Names of the user's groups, sorted."""
        pages = self._cognito.get_paginator("admin_list_groups_for_user").paginate(
            UserPoolId=self._pool, Username=username
        )
        return tuple(sorted(group["GroupName"] for page in pages for group in page["Groups"]))


def _user(username: str, attributes: list[dict[str, str]]) -> DirectoryUser:
    values = {attribute["Name"]: attribute.get("Value") for attribute in attributes}
    return DirectoryUser(id=values.get("sub") or username, username=username, email=values.get("email"))


def _opaque(pagination_token: str) -> str:
    token = _PageToken(pagination_token=pagination_token)
    return base64.urlsafe_b64encode(token.model_dump_json(by_alias=True).encode()).decode()


def _pagination_token(text: str) -> str:
    try:
        return _PageToken.model_validate_json(base64.urlsafe_b64decode(text.encode())).pagination_token
    except ValueError as error:
        raise _not_ours() from error


def _not_ours() -> InvalidInput:
    return InvalidInput("nextToken is not one this API returned. Start the list again without it.")
