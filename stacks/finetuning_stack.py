"""The one stack: wires storage, identity, functions, workflows, API and alarms, and outputs what clients need."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from aws_cdk import CfnOutput, Environment, Stack
from constructs import Construct

from idp_finetuning.deployment import (
    DELETION,
    DEPLOYMENT_TAG,
    EVALUATION,
    FINETUNING,
    STATE_MACHINES,
    TABLES,
    BucketIs,
    Variable,
    environment_variables,
)
from stacks.api import Api
from stacks.arns import Arns
from stacks.bedrock_access import BedrockAccess
from stacks.bundling import BundleName
from stacks.functions import Functions
from stacks.identity import Identity
from stacks.nag import add_suppressions
from stacks.observability import Observability
from stacks.options import DeploymentOptions
from stacks.permissions import function_permissions
from stacks.reconciliation import Reconciliation
from stacks.storage import Storage
from stacks.workflow import Workflow


class FinetuningStack(Stack):
    """One deployment; `bundles` are the folders of the Lambda bundles by name."""

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
            # CloudFormation gives it to every resource that can have tags.
            tags={DEPLOYMENT_TAG: options.name_prefix},
        )
        storage = Storage(self, "Storage", options=options)
        identity = Identity(self, "Identity", options=options)
        bedrock = BedrockAccess(self, "BedrockAccess", data_bucket=storage.data_bucket)
        arns = Arns(
            stack=self,
            prefix=options.name_prefix,
            storage=storage,
            bedrock_role=bedrock.role.role_arn,
            user_pool=identity.user_pool.user_pool_arn,
        )
        functions = Functions(
            self,
            "Functions",
            options=options,
            bundles=bundles,
            variables=_variables(arns, options, storage, identity),
            permissions=function_permissions(arns, options),
        )
        finetuning, deletion, evaluation = (
            Workflow(
                self,
                name.title(),
                name=name,
                options=options,
                arns=arns,
                data_bucket=storage.data_bucket,
                functions=functions.by_name,
            )
            for name in (FINETUNING, DELETION, EVALUATION)
        )
        Reconciliation(
            self,
            "Reconciliation",
            options=options,
            function=functions.by_name["ReconcileJobs"],
            machines=[workflow.state_machine for workflow in (finetuning, deletion, evaluation)],
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
            evaluation=evaluation.state_machine,
        )
        self._export(
            {
                "GraphqlUrl": api.graphql_api.graphql_url,
                "Region": self.region,
                "UserPoolId": identity.user_pool.user_pool_id,
                "UserPoolClientId": identity.client_id,
                "TestSetBucketName": storage.test_set_bucket.bucket_name,
                "DataBucketName": storage.data_bucket.bucket_name,
                **{f"{_title(spec.name)}TableName": storage.tables[spec.name].table_name for spec in TABLES},
                "FinetuningStateMachineArn": finetuning.state_machine.state_machine_arn,
            }
        )
        add_suppressions(self)

    def _export(self, outputs: Mapping[str, str]) -> None:
        for name, value in outputs.items():
            CfnOutput(self, name, value=value)


def _title(name: str) -> str:
    return "".join(part.title() for part in name.split("-"))


def _variables(arns: Arns, options: DeploymentOptions, storage: Storage, identity: Identity) -> dict[Variable, str]:
    return environment_variables(
        options.name_prefix,
        data_bucket=storage.data_bucket.bucket_name,
        data_bucket_owner=arns.stack.account,
        test_set_bucket=storage.test_set_bucket.bucket_name,
        test_set_bucket_is=BucketIs.ATTACHED if options.test_set_bucket_name else BucketIs.OWNED,
        table_names={name: table.table_name for name, table in storage.tables.items()},
        user_pool_id=identity.user_pool.user_pool_id,
        default_scope=options.default_scope,
        state_machine_arns={name: arns.state_machine(name) for name in STATE_MACHINES},
        bedrock_role_arn=arns.bedrock_role,
        map_concurrency=options.map_concurrency,
        training_poll_seconds=options.training_poll_seconds,
        deployment_poll_seconds=options.deployment_poll_seconds,
        not_started_hours=options.not_started_hours,
        training_hours=options.training_hours,
        deployment_hours=options.deployment_hours,
        classifications_per_user=options.classifications_per_user,
        notification_sender=options.notification_sender,
    )
