"""Operations on custom model deployments: create, get, list, delete."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from idp_local.bedrock.account import Account, Deployment, Filters, check_tags, list_page, now
from idp_local.bedrock.errors import invalid, not_found

_CREATE = "CreateCustomModelDeployment"


class Deployments:
    """The custom model deployments of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def create(self, request: dict[str, Any]) -> dict[str, Any]:
        """CreateCustomModelDeployment; ValidationException for a name in use: no ConflictException is declared."""
        account = self._account
        name = request["modelDeploymentName"]
        tags = check_tags(request.get("tags"))
        with account.lock:
            if known := account.find_created(_CREATE, request):
                return {"customModelDeploymentArn": known}
            if request["modelArn"] not in account.models:
                raise not_found("custom model", request["modelArn"])
            if account.find_deployment(name):
                raise invalid(f"A custom model deployment with the name {name} already exists.")
            arn = account.new_arn("custom-model-deployment")
            moment = now()
            account.deployments[arn] = Deployment(
                arn,
                name,
                request["modelArn"],
                created=moment,
                active_from=moment + timedelta(seconds=account.seconds_per_phase),
                description=request.get("description"),
                failure=account.behaviour.deployment_failure(name),
            )
            account.tags[arn] = tags
            account.record_created(_CREATE, request, arn)
        return {"customModelDeploymentArn": arn}

    def get(self, request: dict[str, Any]) -> dict[str, Any]:
        """GetCustomModelDeployment; by ARN or name."""
        deployment = self._account.get_deployment(request["customModelDeploymentIdentifier"])
        return {
            "customModelDeploymentArn": deployment.arn,
            "modelDeploymentName": deployment.name,
            "modelArn": deployment.model_arn,
            "createdAt": deployment.created,
            "status": deployment.status,
            "description": deployment.description,
            "failureMessage": deployment.failure if deployment.status == "Failed" else None,
            "lastUpdatedAt": deployment.updated,
        }

    def list(self, request: dict[str, Any]) -> dict[str, Any]:
        """ListCustomModelDeployments, with all its filters."""
        filters: Filters[Deployment] = {
            "createdAfter": lambda deployment, moment: deployment.created > moment,
            "createdBefore": lambda deployment, moment: deployment.created < moment,
            "nameContains": lambda deployment, text: text in deployment.name,
            "statusEquals": lambda deployment, status: deployment.status == status,
            "modelArnEquals": lambda deployment, arn: deployment.model_arn == arn,
        }
        with self._account.lock:
            deployments = list(self._account.deployments.values())
        rows, token = list_page(deployments, request, filters, _summary)
        return {"modelDeploymentSummaries": rows, "nextToken": token}

    def delete(self, request: dict[str, Any]) -> dict[str, Any]:
        """DeleteCustomModelDeployment; not while it is Creating. The model stays."""
        with self._account.lock:
            deployment = self._account.get_deployment(request["customModelDeploymentIdentifier"])
            if deployment.status == "Creating":
                raise invalid(f"The custom model deployment {deployment.arn} is in a mutating state; try again later.")
            del self._account.deployments[deployment.arn]
            self._account.tags.pop(deployment.arn, None)
        return {}


def _summary(deployment: Deployment) -> dict[str, Any]:
    return {
        "customModelDeploymentArn": deployment.arn,
        "customModelDeploymentName": deployment.name,
        "modelArn": deployment.model_arn,
        "createdAt": deployment.created,
        "status": deployment.status,
        "lastUpdatedAt": deployment.updated,
    }
