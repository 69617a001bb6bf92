"""Creates the user pool with its groups and client, a user in each group, and a user in none."""

from __future__ import annotations

import secrets
from typing import Any, NamedTuple

from idp_finetuning.deployment import GROUPS
from idp_local.connection import LocalUser

_GROUPLESS = "nogroup"


class UserPool(NamedTuple):
    """The ids of the pool and its client, and the users."""

    pool_id: str
    client_id: str
    users: tuple[LocalUser, ...]


def create_user_pool(cognito: Any, name: str) -> UserPool:
    """Create a pool whose users sign in with their e-mail address, as in the stack; passwords are random."""
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
    users = tuple(_create_user(cognito, pool_id, group) for group in (*GROUPS, None))
    return UserPool(pool_id, client_id, users)


def _create_user(cognito: Any, pool_id: str, group: str | None) -> LocalUser:
    username = f"{(group or _GROUPLESS).lower()}@example.com"
    password = f"{secrets.token_urlsafe(16)}-aA1"
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
