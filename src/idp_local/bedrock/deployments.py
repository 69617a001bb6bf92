"""Deployment operations: create, get, list, delete."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from idp_local.bedrock.account import Account, Deployment, checked_tags, now
from idp_local.bedrock.behaviour import Behaviour
from idp_local.bedrock.errors import invalid, not_found
from idp_local.bedrock.listing import page

_TOKENS = "CreateCustomModelDeployment"


class Deployments:
    """The custom-model deployments of one account."""

    def __init__(self, account: Account, behaviour: Behaviour) -> None:
        self._account = account
        self._behaviour = behaviour

    def create(self, request: dict[str, Any]) -> dict[str, Any]:
        """CreateCustomModelDeployment; a name in use is a ValidationException: no ConflictException is declared."""
        account = self._account
        token = request.get("clientRequestToken")
        name = request["modelDeploymentName"]
        tags = checked_tags(request.get("tags"))
        with account.lock:
            if token and (known := account.tokens.get((_TOKENS, token))):
                return {"customModelDeploymentArn": known}
            if request["modelArn"] not in account.models:
                raise not_found("custom model", request["modelArn"])
            if account.deployment(name):
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
                failure=self._behaviour.deployment_failure(name),
            )
            account.tags[arn] = tags
            if token:
                account.tokens[_TOKENS, token] = arn
        return {"customModelDeploymentArn": arn}

    def get(self, request: dict[str, Any]) -> dict[str, Any]:
        """GetCustomModelDeployment; by ARN or name."""
        deployment = self._deployment(request["customModelDeploymentIdentifier"])
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
        """ListCustomModelDeployments."""
        wanted: Mapping[str, Callable[[Deployment, Any], bool]] = {
            "createdAfter": lambda deployment, moment: deployment.created > moment,
            "createdBefore": lambda deployment, moment: deployment.created < moment,
            "nameContains": lambda deployment, text: text in deployment.name,
            "statusEquals": lambda deployment, status: deployment.status == status,
            "modelArnEquals": lambda deployment, arn: deployment.model_arn == arn,
        }
        with self._account.lock:
            deployments = list(self._account.deployments.values())
        filters = [(wanted[name], value) for name, value in request.items() if name in wanted]
        kept = [one for one in deployments if all(fits(one, value) for fits, value in filters)]
        return page("modelDeploymentSummaries", kept, request, _summary)

    def delete(self, request: dict[str, Any]) -> dict[str, Any]:
        """DeleteCustomModelDeployment; not while it is Creating. The model stays."""
        with self._account.lock:
            deployment = self._deployment(request["customModelDeploymentIdentifier"])
            if deployment.status == "Creating":
                raise invalid(f"The custom model deployment {deployment.arn} is in a mutating state; try again later.")
            del self._account.deployments[deployment.arn]
            self._account.tags.pop(deployment.arn, None)
        return {}

    def _deployment(self, identifier: str) -> Deployment:
        with self._account.lock:
            deployment = self._account.deployment(identifier)
        if deployment is None:
            raise not_found("custom model deployment", identifier)
        return deployment


def _summary(deployment: Deployment) -> dict[str, Any]:
    return {
        "customModelDeploymentArn": deployment.arn,
        "customModelDeploymentName": deployment.name,
        "modelArn": deployment.model_arn,
        "createdAt": deployment.created,
        "status": deployment.status,
        "lastUpdatedAt": deployment.updated,
    }
