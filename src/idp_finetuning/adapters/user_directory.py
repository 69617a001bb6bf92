"""The user pool in Cognito, read only; it includes users who have never signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from pydantic import Field

from idp_finetuning.adapters.aws_calls import error_code
from idp_finetuning.classification.scopes import DirectoryUser
from idp_finetuning.errors import UserNotFound
from idp_finetuning.pagination import OpaqueToken, Page, unknown_token

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mypy_boto3_cognito_idp import CognitoIdentityProviderClient
    from mypy_boto3_cognito_idp.type_defs import AttributeTypeTypeDef, ListUsersRequestTypeDef

MAXIMUM_PAGE = 60  # botocore: cognito-idp QueryLimitType


class DirectoryToken(OpaqueToken):
    """Cognito's own token of the next page."""

    pagination_token: str = Field(min_length=1)


class UserDirectory:
    """One user pool."""

    def __init__(self, cognito: CognitoIdentityProviderClient, user_pool_id: str) -> None:
        self._cognito = cognito
        self._pool = user_pool_id

    def page(self, *, limit: int, next_token: str | None) -> Page[DirectoryUser]:
        """Return a page of users in the pool's order, at most 60. Raises InvalidInput for a token of another list."""
        request: ListUsersRequestTypeDef = {"UserPoolId": self._pool, "Limit": min(limit, MAXIMUM_PAGE)}
        if next_token:
            request["PaginationToken"] = DirectoryToken.from_text(next_token).pagination_token
        try:
            response = self._cognito.list_users(**request)
        except ClientError as error:
            if next_token and error_code(error) == "InvalidParameterException":
                raise unknown_token() from error
            raise
        following = response.get("PaginationToken")
        return Page(
            items=tuple(_parse_user(entry["Username"], entry.get("Attributes", [])) for entry in response["Users"]),
            next_token=DirectoryToken(pagination_token=following).to_text() if following else None,
        )

    def find(self, user: str) -> DirectoryUser:
        """Return the user with this id (`sub`), user name or, if the pool signs in with it, e-mail address.

        Raises UserNotFound.
        """
        try:
            response = self._cognito.admin_get_user(UserPoolId=self._pool, Username=user)
        except ClientError as error:
            # InvalidParameter: characters that no user name has (botocore: cognito-idp UsernameType).
            if error_code(error) not in ("UserNotFoundException", "InvalidParameterException"):
                raise
            raise UserNotFound(
                "No user of the user pool has this id, user name or e-mail address. listUsers shows all users."
            ) from error
        return _parse_user(response["Username"], response.get("UserAttributes", []))

    def groups(self, username: str) -> tuple[str, ...]:
        """Return the names of the user's groups, sorted."""
        pages = self._cognito.get_paginator("admin_list_groups_for_user").paginate(
            UserPoolId=self._pool, Username=username
        )
        return tuple(sorted(group["GroupName"] for page in pages for group in page["Groups"]))


def _parse_user(username: str, attributes: Iterable[AttributeTypeTypeDef]) -> DirectoryUser:
    values = {attribute["Name"]: attribute.get("Value") for attribute in attributes}
    return DirectoryUser(id=values.get("sub") or username, username=username, email=values.get("email"))
