"""The user pool with its groups, and the one app client of SDK, command line and UI."""

from __future__ import annotations

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from idp_finetuning.deployment import GROUPS
from stacks.options import DeploymentOptions


class Identity(Construct):
    """`user_pool` and `client_id`; an attached pool keeps its own users and groups."""

    def __init__(self, scope: Construct, construct_id: str, *, options: DeploymentOptions) -> None:
        super().__init__(scope, construct_id)
        self.user_pool = self._user_pool(options)
        self.client_id = options.user_pool_client_id or self._client(options).user_pool_client_id

    def _user_pool(self, options: DeploymentOptions) -> cognito.IUserPool:
        if options.user_pool_id:
            return cognito.UserPool.from_user_pool_id(self, "UserPool", options.user_pool_id)
        keep = options.removal == "retain"
        pool = cognito.UserPool(
            self,
            "UserPool",
            self_sign_up_enabled=False,
            sign_in_aliases=cognito.SignInAliases(email=True),
            sign_in_case_sensitive=False,
            # A new address that an Admin sets signs in only once it is verified; until then the old one does.
            keep_original=cognito.KeepOriginalAttrs(email=True),
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            mfa=cognito.Mfa.OPTIONAL,
            mfa_second_factor=cognito.MfaSecondFactor(otp=True, sms=False),
            password_policy=cognito.PasswordPolicy(
                min_length=12,
                require_digits=True,
                require_lowercase=True,
                require_uppercase=True,
                require_symbols=True,
                temp_password_validity=Duration.days(7),
            ),
            deletion_protection=keep,
            removal_policy=RemovalPolicy.RETAIN if keep else RemovalPolicy.DESTROY,
        )
        for group in GROUPS:
            pool.add_group(group, group_name=group)
        return pool

    def _client(self, options: DeploymentOptions) -> cognito.UserPoolClient:
        return self.user_pool.add_client(
            "Client",
            user_pool_client_name=options.name_prefix,
            generate_secret=False,
            # Password for SDK, command line and UI, SRP for the AppSync console; Cognito adds refresh to both.
            auth_flows=cognito.AuthFlow(user_password=True, user_srp=True),
            disable_o_auth=True,
            prevent_user_existence_errors=True,
            enable_token_revocation=True,
            access_token_validity=Duration.hours(1),
            id_token_validity=Duration.hours(1),
            refresh_token_validity=Duration.days(30),
            # An attached pool may require the e-mail, and then Cognito may want each client to write it.
            write_attributes=None if options.user_pool_id else _name_only(),
        )


def _name_only() -> cognito.ClientAttributes:
    """Let users change their name and nothing else.

    Admins give scopes by e-mail address, so nobody may take the address of another (decision "Users cannot change
    their own e-mail address").
    """
    return cognito.ClientAttributes().with_standard_attributes(fullname=True)
