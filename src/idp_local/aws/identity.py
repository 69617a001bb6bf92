"""Creates the user pool with its groups and client, a user in each group, and a user in none, unless it is there."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple

from idp_finetuning.deployment import GROUPS
from idp_local.connection import LocalUser

_GROUPS = (*GROUPS, None)


class UserPool(NamedTuple):
    """The ids of the pool and its client, and the users."""

    pool_id: str
    client_id: str
    users: tuple[LocalUser, ...]


def find_or_create_user_pool(cognito: Any, name: str, known: Mapping[str, LocalUser]) -> UserPool:
    """Return a pool whose users sign in with their e-mail address, as in the stack.

    Users that are `known` by their names keep their passwords; those of others are random.
    """
    for pool in cognito.list_user_pools(MaxResults=60)["UserPools"]:
        clients = cognito.list_user_pool_clients(UserPoolId=pool["Id"])["UserPoolClients"]
        if pool["Name"] == name and clients and known.keys() >= set(map(_username, _GROUPS)):
            users = tuple(known[_username(group)] for group in _GROUPS)
            return UserPool(pool["Id"], clients[0]["ClientId"], users)
        cognito.delete_user_pool(UserPoolId=pool["Id"])
    return _create_user_pool(cognito, name, known)


def _create_user_pool(cognito: Any, name: str, known: Mapping[str, LocalUser]) -> UserPool:
    pool_id = cognito.create_user_pool(
        PoolName=name,
        UsernameAttributes=["email"],
        AutoVerifiedAttributes=["email"],
        UserAttributeUpdateSettings={"AttributesRequireVerificationBeforeUpdate": ["email"]},
        AdminCreateUserConfig={"AllowAdminCreateUserOnly": True},
        Policies={
            "PasswordPolicy": {
                "MinimumLength": 12,
                "RequireNumbers": True,
                "RequireLowercase": True,
                "RequireUppercase": True,
                "RequireSymbols": True,
            }
        },
    )["UserPool"]["Id"]
    for group in GROUPS:
        cognito.create_group(GroupName=group, UserPoolId=pool_id)
    client_id = cognito.create_user_pool_client(
        UserPoolId=pool_id,
        ClientName=name,
        GenerateSecret=False,
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
        PreventUserExistenceErrors="ENABLED",
        WriteAttributes=["name"],
    )["UserPoolClient"]["ClientId"]
    users = tuple(_create_user(cognito, pool_id, group, known) for group in _GROUPS)
    return UserPool(pool_id, client_id, users)


def _username(group: str | None) -> str:
    return f"{(group or 'nogroup').lower()}@example.com"


def _create_user(cognito: Any, pool_id: str, group: str | None, known: Mapping[str, LocalUser]) -> LocalUser:
    username = _username(group)
    password = known[username].password if username in known else f"{secrets.token_urlsafe(16)}-aA1"
    cognito.admin_create_user(
        UserPoolId=pool_id,
        Username=username,
        UserAttributes=[{"Name": "email", "Value": username}, {"Name": "email_verified", "Value": "true"}],
        MessageAction="SUPPRESS",
    )
    cognito.admin_set_user_password(UserPoolId=pool_id, Username=username, Password=password, Permanent=True)
    if group:
        cognito.admin_add_user_to_group(UserPoolId=pool_id, Username=username, GroupName=group)
    return LocalUser(username=username, password=password, group=group)
