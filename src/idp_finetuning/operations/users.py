"""Operations on users: the user pool has their names and groups, the Users table their scopes."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from idp_finetuning.adapters.services import Services
from idp_finetuning.classification.config_versions import VersionName
from idp_finetuning.classification.scopes import MAXIMUM_ALLOWED_VERSIONS, DirectoryUser, User, UserRecord, UserScope
from idp_finetuning.operations.arguments import Input, NoArguments, PageArguments
from idp_finetuning.operations.identity import ADMINS, Identity, shown_name
from idp_finetuning.operations.scope import find_scope
from idp_finetuning.pagination import Page
from idp_finetuning.wire import WireModel, timestamp


class UpdateUserInput(WireModel):
    """A user, and the versions they may see and use: [] for all, null for the default of users without a record.

    The list is required: leaving it out by mistake must not widen what a user may see.
    """

    # botocore: cognito-idp UsernameType
    user: str = Field(pattern=r"^\S{1,128}$")
    allowed_config_versions: Annotated[tuple[VersionName, ...], Field(max_length=MAXIMUM_ALLOWED_VERSIONS)] | None


def get_my_profile(arguments: NoArguments, identity: Identity, services: Services) -> User:
    """Return the caller with the groups of their token. Raises Unauthorized if their scope cannot be looked up."""
    scope = find_scope(identity, services)
    return User(
        id=identity.sub,
        username=identity.username,
        email=services.user_directory.find(identity.username).email,
        groups=identity.groups,
        scope=scope.kind,
        allowed_config_versions=tuple(sorted(scope.names)),
    )


def list_users(arguments: PageArguments, identity: Identity, services: Services) -> Page[User]:
    """Return the users in the user pool, including those who have never signed in; at most 60 a page."""
    page = services.user_directory.page(limit=arguments.size, next_token=arguments.next_token)
    users = tuple(_show_user(user, services.users.find(user.id), services) for user in page.items)
    return Page(items=users, next_token=page.next_token)


def update_user(arguments: Input[UpdateUserInput], identity: Identity, services: Services) -> User:
    """Set or remove the scope of a user. Raises UserNotFound.

    The versions need not exist: an Author creates versions under the names in their list.
    """
    request = arguments.input
    user = services.user_directory.find(request.user)
    if request.allowed_config_versions is None:
        services.users.delete(user.id)
        return _show_user(user, None, services)
    names = tuple(dict.fromkeys(request.allowed_config_versions))
    record = UserRecord(
        id=user.id,
        allowed_config_versions=names,
        updated_at=timestamp(),
        updated_by=shown_name(identity, services),
    )
    services.users.put(record)
    return _show_user(user, record, services)


def _show_user(user: DirectoryUser, record: UserRecord | None, services: Services) -> User:
    groups = services.user_directory.groups(user.username)
    kind = record.scope.kind if record else services.default_scope
    return User(
        **dict(user),
        groups=groups,
        scope=UserScope.ALL if ADMINS & set(groups) else kind,
        allowed_config_versions=record.allowed_config_versions if record else (),
    )
