"""The user pool and the one client: invited users only, four groups, no secret."""

from __future__ import annotations

from idp_finetuning.deployment import GROUPS
from tests.stacks.conftest import Synthesize
from tests.support.stacks.deployed import ACCOUNT, REGION, Deployed


def test_nobody_signs_up_alone(deployed: Deployed) -> None:
    pool = deployed.only("AWS::Cognito::UserPool")
    assert pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True
    assert pool["DeletionProtection"] == "ACTIVE"


def test_passwords_are_long_and_mixed(deployed: Deployed) -> None:
    policy = deployed.only("AWS::Cognito::UserPool")["Policies"]["PasswordPolicy"]
    assert policy["MinimumLength"] >= 12
    required = ("RequireLowercase", "RequireUppercase", "RequireNumbers", "RequireSymbols")
    assert all(policy[kind] for kind in required)


def test_the_groups_are_the_roles_of_the_api(deployed: Deployed) -> None:
    assert {group["GroupName"] for group in deployed.of_type("AWS::Cognito::UserPoolGroup")} == set(GROUPS)


def test_the_client_has_no_secret_and_no_other_flow_than_the_three(deployed: Deployed) -> None:
    client = deployed.only("AWS::Cognito::UserPoolClient")
    assert client["GenerateSecret"] is False
    flows = {"ALLOW_USER_PASSWORD_AUTH", "ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"}
    assert set(client["ExplicitAuthFlows"]) == flows
    assert client["AllowedOAuthFlowsUserPoolClient"] is False
    assert client["PreventUserExistenceErrors"] == "ENABLED"


def test_users_cannot_change_their_own_address_and_an_admins_change_is_verified(deployed: Deployed) -> None:
    assert deployed.only("AWS::Cognito::UserPoolClient")["WriteAttributes"] == ["name"]
    pool = deployed.only("AWS::Cognito::UserPool")
    assert pool["UserAttributeUpdateSettings"] == {"AttributesRequireVerificationBeforeUpdate": ["email"]}
    # Cognito keeps the original only of attributes that it verifies itself.
    assert pool["AutoVerifiedAttributes"] == ["email"]
    assert "Schema" not in pool  # of a required attribute every client has to be able to write


def test_a_client_of_an_attached_pool_writes_what_the_pool_says(attached: Deployed) -> None:
    assert "WriteAttributes" not in attached.only("AWS::Cognito::UserPoolClient")


def test_an_attached_pool_gets_a_client_but_no_groups(attached: Deployed) -> None:
    assert not attached.raw("AWS::Cognito::UserPool")
    assert not attached.raw("AWS::Cognito::UserPoolGroup")
    assert attached.only("AWS::Cognito::UserPoolClient")["UserPoolId"] == "us-east-1_AbCdEf123"
    assert attached.only("AWS::AppSync::GraphQLApi")["UserPoolConfig"]["UserPoolId"] == "us-east-1_AbCdEf123"
    assert attached.outputs()["UserPoolId"] == "us-east-1_AbCdEf123"


def test_users_of_an_attached_pool_can_be_scoped(attached: Deployed) -> None:
    pools = {
        resource
        for statement in attached.function_statements("idp-finetuning-resolver")
        for resource in statement.resources
        if "cognito-idp:ListUsers" in statement.actions
    }
    assert pools == {f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/us-east-1_AbCdEf123"}
    resolver = attached.named("AWS::Lambda::Function", "FunctionName")["idp-finetuning-resolver"]
    assert resolver["Environment"]["Variables"]["USER_POOL_ID"] == "us-east-1_AbCdEf123"


def test_users_without_a_record_have_what_the_option_says(customized: Deployed) -> None:
    resolver = customized.named("AWS::Lambda::Function", "FunctionName")["acme-resolver"]
    assert resolver["Environment"]["Variables"]["DEFAULT_SCOPE"] == "none"


def test_an_attached_client_is_used_as_it_is(synthesize: Synthesize) -> None:
    stack = Deployed(synthesize(userPoolId="us-east-1_AbCdEf123", userPoolClientId="4q5exampleclient"))
    assert not stack.raw("AWS::Cognito::UserPoolClient")
    config = stack.only("AWS::AppSync::GraphQLApi")["UserPoolConfig"]
    assert config["AppIdClientRegex"] == "^4q5exampleclient$"
    assert stack.outputs()["UserPoolClientId"] == "4q5exampleclient"
