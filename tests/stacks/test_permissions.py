"""Who may do what in the account: nothing beyond what is written down, and why."""

from __future__ import annotations

import re

import pytest

from idp_finetuning.deployment import FUNCTIONS
from idp_finetuning.nova.base_models import base_models
from stacks.statements import ACTIONS_WITHOUT_RESOURCE
from tests.support.stacks.deployed import ACCOUNT, REGION, Deployed, Statement

PREFIX = "idp-finetuning"
BEDROCK = f"arn:aws:bedrock:{REGION}:{ACCOUNT}"
DATA = "arn:aws:s3:::DataBucket"
TEST_SETS = "arn:aws:s3:::TestSetBucket"
USERS_TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/users"
CONFIG_VERSIONS_TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/config-versions"
TEST_SETS_TABLE = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/test-sets"


def _statements(deployed: Deployed, function: str) -> list[Statement]:
    return deployed.function_statements(f"{PREFIX}-{function}")


def _resources(deployed: Deployed, function: str, action: str) -> set[str]:
    return {resource for s in _statements(deployed, function) if action in s.actions for resource in s.resources}


def _actions(deployed: Deployed, function: str, service: str) -> set[str]:
    return {action for s in _statements(deployed, function) for action in s.actions if action.startswith(f"{service}:")}


def test_only_actions_without_resources_are_allowed_on_a_star(deployed: Deployed) -> None:
    everywhere = {
        action
        for role in deployed.roles()
        for statement in deployed.statements(role)
        if "*" in statement.resources
        for action in statement.actions
    }
    assert everywhere == set(ACTIONS_WITHOUT_RESOURCE)


def test_no_action_is_granted_by_a_pattern(deployed: Deployed) -> None:
    for role in deployed.roles():
        for statement in deployed.statements(role):
            assert not [action for action in statement.actions if "*" in action]


def test_a_resource_pattern_never_reaches_beyond_its_service_and_account(deployed: Deployed) -> None:
    for role in deployed.roles():
        for statement in deployed.statements(role):
            for resource in statement.resources - {"*"}:
                service, region, account, rest = re.fullmatch(
                    r"arn:aws:([\w-]+):([^:]*):([^:]*):(.+)", resource
                ).groups()  # type: ignore[union-attr]
                assert service in {action.split(":")[0] for action in statement.actions}
                assert "*" not in region + account
                assert account == ACCOUNT or service == "s3" or rest.startswith("foundation-model/amazon.nova-")
                assert not rest.startswith("*")


def test_roles_hold_their_own_statements_and_no_managed_policy(deployed: Deployed) -> None:
    for role in deployed.of_type("AWS::IAM::Role"):
        assert "ManagedPolicyArns" not in role


def test_nobody_denies_by_exception_or_trusts_another_account(deployed: Deployed) -> None:
    for role in deployed.roles():
        for trust in deployed.trust(role):
            assert set(trust["Principal"]) == {"Service"}
            assert trust["Action"] == "sts:AssumeRole"


def test_every_role_is_of_a_function_a_machine_bedrock_or_the_api(deployed: Deployed) -> None:
    expected = {
        *(function["Role"] for function in deployed.of_type("AWS::Lambda::Function")),
        *(machine["RoleArn"] for machine in deployed.of_type("AWS::StepFunctions::StateMachine")),
        *(f"arn:aws:iam::{ACCOUNT}:{path}" for path in ("BedrockAccess/Role", "Api/LogRole", "Api/ResolverRole")),
    }
    assert set(deployed.roles()) == expected


def test_functions_are_trusted_to_lambda_only(deployed: Deployed) -> None:
    for function in deployed.of_type("AWS::Lambda::Function"):
        assert [trust["Principal"]["Service"] for trust in deployed.trust(function["Role"])] == ["lambda.amazonaws.com"]


def test_bedrock_may_read_data_sets_and_write_training_output(deployed: Deployed) -> None:
    role = f"arn:aws:iam::{ACCOUNT}:BedrockAccess/Role"
    allowed = {(action, r) for s in deployed.statements(role) for action in s.actions for r in s.resources}
    assert allowed == {
        ("s3:GetObject", f"{DATA}/jobs/*"),
        ("s3:PutObject", f"{DATA}/jobs/*/output/*"),
        ("s3:ListBucket", DATA),
        ("s3:GetBucketLocation", DATA),
    }
    (trust,) = deployed.trust(role)
    assert trust["Principal"] == {"Service": "bedrock.amazonaws.com"}
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"{BEDROCK}:model-customization-job/*"},
    }


def test_only_the_creator_of_customization_jobs_passes_a_role_and_only_to_bedrock(deployed: Deployed) -> None:
    passing = {
        function["FunctionName"]: (statement.resources, statement.conditions)
        for function in deployed.of_type("AWS::Lambda::Function")
        for statement in deployed.statements(function["Role"])
        if "iam:PassRole" in statement.actions
    }
    assert passing == {
        f"{PREFIX}-create-customization-job": (
            frozenset({f"arn:aws:iam::{ACCOUNT}:BedrockAccess/Role"}),
            {"StringEquals": {"iam:PassedToService": "bedrock.amazonaws.com"}},
        )
    }


def test_customization_jobs_are_created_on_the_catalogues_models_only(deployed: Deployed) -> None:
    resources = _resources(deployed, "create-customization-job", "bedrock:CreateModelCustomizationJob")
    models = {resource for resource in resources if ":foundation-model/" in resource}
    names = {name for model in base_models() for name in (model.foundation_model_id, model.fine_tuning_id)}
    assert models == {f"arn:aws:bedrock:{REGION}::foundation-model/{name}" for name in names}
    assert resources - models == {f"{BEDROCK}:custom-model/*", f"{BEDROCK}:model-customization-job/*"}
    assert resources - models == _resources(deployed, "create-customization-job", "bedrock:TagResource")


def test_deployments_are_created_on_custom_models_of_the_account(deployed: Deployed) -> None:
    expected = {f"{BEDROCK}:custom-model/*", f"{BEDROCK}:custom-model-deployment/*"}
    assert _resources(deployed, "create-model-deployment", "bedrock:CreateCustomModelDeployment") == expected
    assert _resources(deployed, "create-model-deployment", "bedrock:TagResource") == expected


@pytest.mark.parametrize(
    ("function", "actions"),
    [
        (
            "resolver",
            {
                "bedrock:GetModelCustomizationJob",
                "bedrock:StopModelCustomizationJob",
                "bedrock:GetCustomModelDeployment",
                "bedrock:ListModelCustomizationJobs",
                "bedrock:ListCustomModelDeployments",
                "bedrock:ListFoundationModels",
            },
        ),
        ("classify-document", {"bedrock:InvokeModel"}),
        ("end-job", {"bedrock:ListModelCustomizationJobs", "bedrock:StopModelCustomizationJob"}),
        (
            "validate-test-set",
            {
                "bedrock:ListFoundationModels",
                "bedrock:ListCustomModels",
                "bedrock:ListModelCustomizationJobs",
                "bedrock:ListCustomModelDeployments",
            },
        ),
        ("get-customization-job", {"bedrock:GetModelCustomizationJob"}),
        ("get-model-deployment", {"bedrock:GetCustomModelDeployment"}),
        (
            "delete-model-deployment",
            {
                "bedrock:ListModelCustomizationJobs",
                "bedrock:StopModelCustomizationJob",
                "bedrock:ListCustomModelDeployments",
                "bedrock:DeleteCustomModelDeployment",
            },
        ),
        ("delete-custom-model", {"bedrock:ListCustomModels", "bedrock:DeleteCustomModel"}),
        ("generate-example", set()),
        ("assemble-dataset", set()),
        ("complete-job", set()),
        ("delete-job-data", set()),
    ],
)
def test_a_function_reaches_bedrock_only_for_its_own_step(deployed: Deployed, function: str, actions: set[str]) -> None:
    assert _actions(deployed, function, "bedrock") == actions


def test_the_resolver_starts_all_workflows_and_looks_at_removals_and_evaluations(deployed: Deployed) -> None:
    machines = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{PREFIX}"
    assert _resources(deployed, "resolver", "states:StartExecution") == {
        f"{machines}-finetuning",
        f"{machines}-deletion",
        f"{machines}-evaluation",
    }
    executions = f"arn:aws:states:{REGION}:{ACCOUNT}:execution:{PREFIX}"
    assert _resources(deployed, "resolver", "states:DescribeExecution") == {
        f"{executions}-deletion:*",
        f"{executions}-evaluation:*",
    }
    assert _resources(deployed, "complete-job", "states:StartExecution") == {f"{machines}-evaluation"}


def test_uploads_go_below_input_and_baseline_of_a_test_set(deployed: Deployed) -> None:
    below = {
        f"{TEST_SETS}/*/{place}" for place in ("input/*", "baseline/*", ".uploading", ".announced/*", ".complete/*")
    }
    written = {
        resource for resource in _resources(deployed, "resolver", "s3:PutObject") if resource.startswith(TEST_SETS)
    }
    assert written == below


def test_a_test_set_is_removed_with_all_its_versions_and_nothing_beside_it(deployed: Deployed) -> None:
    running = f"{DATA}/classifications/running/*"
    cached, evaluated = f"{DATA}/validation/*", f"{DATA}/evaluations/*"
    assert _resources(deployed, "resolver", "s3:DeleteObject") == {f"{TEST_SETS}/*/*", running}
    assert _resources(deployed, "resolver", "s3:DeleteObjectVersion") == {f"{TEST_SETS}/*/*"}
    assert _resources(deployed, "resolver", "s3:ListBucketVersions") == {TEST_SETS}
    assert _resources(deployed, "resolver", "dynamodb:DeleteItem") == {CONFIG_VERSIONS_TABLE, USERS_TABLE}
    for action in ("s3:DeleteObject", "s3:DeleteObjectVersion"):
        assert _resources(deployed, "delete-test-set", action) == {f"{TEST_SETS}/*/*", cached, evaluated}
    assert _resources(deployed, "delete-test-set", "s3:ListBucketVersions") == {TEST_SETS, DATA}
    assert _resources(deployed, "delete-test-set", "dynamodb:DeleteItem") == {TEST_SETS_TABLE}


def test_only_the_resolver_and_the_deletion_write_to_the_test_set_bucket(deployed: Deployed) -> None:
    writers = {
        function["FunctionName"]
        for function in deployed.of_type("AWS::Lambda::Function")
        for statement in deployed.statements(function["Role"])
        if statement.actions - {"s3:GetObject", "s3:ListBucket"}
        and any(resource.startswith(TEST_SETS) for resource in statement.resources)
    }
    assert writers == {f"{PREFIX}-resolver", f"{PREFIX}-delete-test-set"}


def test_page_images_are_made_by_a_function_that_reads_the_job_and_reaches_no_workflow(deployed: Deployed) -> None:
    services = {action.split(":")[0] for s in _statements(deployed, "generate-example") for action in s.actions}
    assert services == {"logs", "xray", "s3", "dynamodb"}
    assert _actions(deployed, "generate-example", "dynamodb") == {"dynamodb:GetItem"}


def test_reconciliation_stops_training_but_creates_and_deletes_nothing_in_bedrock(deployed: Deployed) -> None:
    verbs = {action.split(":")[1] for action in _actions(deployed, "reconcile-jobs", "bedrock")}
    assert verbs == {
        "GetModelCustomizationJob",
        "StopModelCustomizationJob",
        "ListModelCustomizationJobs",
        "ListCustomModels",
        "ListCustomModelDeployments",
        "ListTagsForResource",
    }


def test_reconciliation_starts_all_workflows(deployed: Deployed) -> None:
    states = f"arn:aws:states:{REGION}:{ACCOUNT}"
    assert _resources(deployed, "reconcile-jobs", "states:StartExecution") == {
        f"{states}:stateMachine:{PREFIX}-{machine}" for machine in ("finetuning", "deletion", "evaluation")
    }
    assert _resources(deployed, "reconcile-jobs", "states:DescribeExecution") == {
        f"{states}:execution:{PREFIX}-{machine}:*" for machine in ("finetuning", "deletion", "evaluation")
    }


def test_reconciliation_deletes_versions_of_functions_that_workflows_call_and_never_a_function(
    deployed: Deployed,
) -> None:
    deletable = _resources(deployed, "reconcile-jobs", "lambda:DeleteFunction")
    assert deletable == {f"{arn}:*" for arn in _resources(deployed, "reconcile-jobs", "lambda:ListVersionsByFunction")}
    called = {
        resource
        for machine in deployed.of_type("AWS::StepFunctions::StateMachine")
        for statement in deployed.statements(machine["RoleArn"])
        for resource in statement.resources
        if "lambda:InvokeFunction" in statement.actions
    }
    assert deletable == called
    functions = deployed.named("AWS::Lambda::Function", "FunctionName")
    deleting = {
        name for name in functions for s in deployed.function_statements(name) if "lambda:DeleteFunction" in s.actions
    }
    assert deleting == {f"{PREFIX}-reconcile-jobs"}


def test_only_the_removal_of_a_job_and_the_sweep_after_it_delete_its_data_versions_included(deployed: Deployed) -> None:
    deleting = {
        (function["FunctionName"], resource)
        for function in deployed.of_type("AWS::Lambda::Function")
        for statement in deployed.statements(function["Role"])
        if statement.actions & {"s3:DeleteObject", "s3:DeleteObjectVersion"}
        for resource in statement.resources
        if resource.startswith(f"{DATA}/jobs/") or resource in (DATA, f"{DATA}/*")
    }
    removers = ("delete-job-data", "reconcile-jobs")
    assert deleting == {(f"{PREFIX}-{function}", f"{DATA}/jobs/*") for function in removers}
    for function in removers:
        assert _resources(deployed, function, "s3:ListBucketVersions") == {DATA}


def test_a_function_that_reads_objects_that_may_be_absent_may_list_the_bucket(deployed: Deployed) -> None:
    for function in ("resolver", "read-labels", "validate-test-set", "assemble-dataset"):
        assert DATA in _resources(deployed, function, "s3:ListBucket")
    assert _resources(deployed, "generate-example", "s3:ListBucket") == {TEST_SETS}


def test_the_resolver_starts_the_four_functions_that_work_in_the_background_and_no_other(deployed: Deployed) -> None:
    functions = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{PREFIX}"
    names = ("read-labels", "count-pages", "classify-document", "delete-test-set")
    started = {f"{functions}-{name}" for name in names}
    assert _resources(deployed, "resolver", "lambda:InvokeFunction") == started


def test_only_classification_and_evaluation_ask_models_wherever_their_profiles_route_to(deployed: Deployed) -> None:
    asking = {
        function["FunctionName"]
        for function in deployed.of_type("AWS::Lambda::Function")
        for statement in deployed.statements(function["Role"])
        if "bedrock:InvokeModel" in statement.actions
    }
    assert asking == {f"{PREFIX}-classify-document", f"{PREFIX}-evaluate-document"}
    askable = _resources(deployed, "evaluate-document", "bedrock:InvokeModel")
    assert askable == _resources(deployed, "classify-document", "bedrock:InvokeModel")
    assert askable == {
        f"{BEDROCK}:custom-model-deployment/*",
        f"{BEDROCK}:custom-model/*",
        *(f"{BEDROCK}:inference-profile/{model.id}" for model in base_models()),
        *(
            f"arn:aws:bedrock:{region}::foundation-model/{model.foundation_model_id}"
            for region in ("us-east-1", "us-east-2", "us-west-2")
            for model in base_models()
        ),
    }


def test_classification_reads_documents_and_writes_results_only(deployed: Deployed) -> None:
    kept = {f"{DATA}/classifications/*/{part}" for part in ("progress.json", "pages/*")}
    assert _resources(deployed, "classify-document", "s3:PutObject") == {*kept, f"{DATA}/classifications/*/result.json"}
    assert _resources(deployed, "classify-document", "s3:GetObject") == {
        *kept,
        f"{DATA}/classifications/*/request.json",
        f"{DATA}/classifications/uploads/*",
        f"{TEST_SETS}/*/input/*",
        f"{TEST_SETS}/*/baseline/*/pages/*",
    }
    assert _actions(deployed, "classify-document", "dynamodb") == set()


def test_only_the_resolver_reads_the_user_pool_and_nobody_changes_it(deployed: Deployed) -> None:
    reading = {
        (function["FunctionName"], action, resource)
        for function in deployed.of_type("AWS::Lambda::Function")
        for statement in deployed.statements(function["Role"])
        for action in statement.actions
        for resource in statement.resources
        if action.startswith("cognito-idp:")
    }
    pool = f"arn:aws:cognito-idp:{REGION}:{ACCOUNT}:userpool/{deployed.outputs()['UserPoolId']}"
    actions = ("ListUsers", "AdminGetUser", "AdminListGroupsForUser")
    assert reading == {(f"{PREFIX}-resolver", f"cognito-idp:{action}", pool) for action in actions}


def test_only_the_resolver_reaches_users_and_an_evaluation_reads_configuration_versions(deployed: Deployed) -> None:
    reaching = {
        function["FunctionName"]
        for function in deployed.of_type("AWS::Lambda::Function")
        for statement in deployed.statements(function["Role"])
        for resource in statement.resources
        if resource.startswith((CONFIG_VERSIONS_TABLE, USERS_TABLE))
    }
    assert reaching == {f"{PREFIX}-resolver", f"{PREFIX}-prepare-evaluation"}
    assert _actions(deployed, "prepare-evaluation", "dynamodb") == {"dynamodb:GetItem"}
    assert USERS_TABLE not in _resources(deployed, "prepare-evaluation", "dynamodb:GetItem")


def test_the_permission_table_has_a_row_for_each_function_and_each_row_its_function(deployed: Deployed) -> None:
    granted = {
        function["FunctionName"]
        for function in deployed.of_type("AWS::Lambda::Function")
        for statement in deployed.statements(function["Role"])
        if not statement.actions <= {*ACTIONS_WITHOUT_RESOURCE, "logs:CreateLogStream", "logs:PutLogEvents"}
    }
    assert granted == {spec.function_name(PREFIX) for spec in FUNCTIONS}
