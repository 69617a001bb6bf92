"""The one stack: wires storage, identity, functions, workflows, API and alarms, and names what clients need."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import CfnOutput, Environment, Stack
from constructs import Construct

from idp_finetuning.deployment import BucketIs, Variable
from stacks.api import Api
from stacks.bedrock_access import BedrockAccess
from stacks.bundling import BundleName
from stacks.functions import Functions
from stacks.identity import Identity
from stacks.nag import accept_findings
from stacks.observability import Observability
from stacks.options import DeploymentOptions
from stacks.permissions import function_permissions
from stacks.places import DELETION, FINETUNING, Places
from stacks.reconciliation import Reconciliation
from stacks.storage import Storage
from stacks.workflow import Workflow


class FinetuningStack(Stack):
    """Everything of one deployment; `bundles` are the folders of the Lambda bundles by name."""

    def __init__(
        self,
        scope: Construct,
        *,
        options: DeploymentOptions,
        bundles: Mapping[BundleName, Path],
        account: str | None = None,
    ) -> None:
        super().__init__(
            scope,
            options.name_prefix,
            env=Environment(account=account, region=options.region),
            description="Fine-tuning of Amazon Nova for document classification",
        )
        storage = Storage(self, "Storage", options=options)
        identity = Identity(self, "Identity", options=options)
        bedrock = BedrockAccess(self, "BedrockAccess", data_bucket=storage.data_bucket)
        at = Places(
            stack=self,
            options=options,
            storage=storage,
            bedrock_role=bedrock.role.role_arn,
            user_pool=identity.user_pool.user_pool_arn,
        )
        functions = Functions(
            self,
            "Functions",
            options=options,
            bundles=bundles,
            variables=_variables(at, identity),
            permissions=function_permissions(at),
        )
        finetuning, deletion = (
            Workflow(self, name.title(), name=name, options=options, at=at, functions=functions.by_name)
            for name in (FINETUNING, DELETION)
        )
        Reconciliation(
            self,
            "Reconciliation",
            options=options,
            function=functions.by_name["ReconcileJobs"],
            machines=[workflow.state_machine for workflow in (finetuning, deletion)],
        )
        api = Api(self, "Api", options=options, identity=identity, resolver=functions.by_name["Resolver"])
        Observability(
            self,
            "Observability",
            options=options,
            graphql_api=api.graphql_api,
            functions=functions.by_name,
            finetuning=finetuning.state_machine,
            deletion=deletion.state_machine,
        )
        self._export(
            {
                "GraphqlUrl": api.graphql_api.graphql_url,
                "Region": self.region,
                "UserPoolId": identity.user_pool.user_pool_id,
                "UserPoolClientId": identity.client_id,
                "TestSetBucketName": storage.test_set_bucket.bucket_name,
                "DataBucketName": storage.data_bucket.bucket_name,
                "JobsTableName": storage.jobs_table.table_name,
                "FinetuningStateMachineArn": finetuning.state_machine.state_machine_arn,
            }
        )
        accept_findings(self)

    def _export(self, outputs: Mapping[str, str]) -> None:
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)


def _variables(at: Places, identity: Identity) -> dict[Variable, str]:
    return {
        Variable.DATA_BUCKET: at.storage.data_bucket.bucket_name,
        Variable.TEST_SET_BUCKET: at.storage.test_set_bucket.bucket_name,
        Variable.TEST_SET_BUCKET_IS: BucketIs.ATTACHED if at.options.test_set_bucket_name else BucketIs.OWNED,
        Variable.JOBS_TABLE: at.storage.jobs_table.table_name,
        Variable.TEST_SETS_TABLE: at.storage.test_sets_table.table_name,
        Variable.CONFIG_VERSIONS_TABLE: at.storage.config_versions_table.table_name,
        Variable.USERS_TABLE: at.storage.users_table.table_name,
        Variable.USER_POOL_ID: identity.user_pool.user_pool_id,
        Variable.DEFAULT_SCOPE: at.options.default_scope,
        Variable.READ_LABELS_FUNCTION: at.function_name("ReadLabels"),
        Variable.CLASSIFY_DOCUMENT_FUNCTION: at.function_name("ClassifyDocument"),
        Variable.FINETUNING_STATE_MACHINE_ARN: at.state_machine(FINETUNING),
        Variable.DELETION_STATE_MACHINE_ARN: at.state_machine(DELETION),
        Variable.BEDROCK_ROLE_ARN: at.bedrock_role,
        Variable.TRAINING_POLL_SECONDS: str(at.options.training_poll_seconds),
        Variable.DEPLOYMENT_POLL_SECONDS: str(at.options.deployment_poll_seconds),
        Variable.NOT_STARTED_HOURS: str(at.options.not_started_hours),
        Variable.TRAINING_HOURS: str(at.options.training_hours),
        Variable.DEPLOYMENT_HOURS: str(at.options.deployment_hours),
    }
