"""Operations on custom model deployments: create, get, list, delete."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from idp_local.bedrock.account import Account, Deployment, check_tags, now
from idp_local.bedrock.errors import invalid, mutating, not_found, quota_full
from idp_local.bedrock.lists import Filters, list_page
from idp_local.bedrock.shapes import UnlistedStatus

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
            self._require_quota()
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
        deployment = self._get(request)
        self._account.check_throttling(deployment)
        return {
            "customModelDeploymentArn": deployment.arn,
            "modelDeploymentName": deployment.name,
            "modelArn": deployment.model_arn,
            "createdAt": deployment.created,
            "status": self._status(deployment),
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
            "statusEquals": lambda deployment, status: self._status(deployment) == status,
            "modelArnEquals": lambda deployment, arn: deployment.model_arn == arn,
        }
        with self._account.lock:
            self._drop_deleted()
            deployments = [row for row in self._account.deployments.values() if self._account.is_visible(row)]
        rows, token = list_page(deployments, request, filters, self._summary)
        return {"modelDeploymentSummaries": rows, "nextToken": token}

    def delete(self, request: dict[str, Any]) -> dict[str, Any]:
        """DeleteCustomModelDeployment; not while it is Creating. The model stays."""
        with self._account.lock:
            deployment, account = self._get(request), self._account
            if self._status(deployment) not in ("Active", "Failed"):
                raise mutating("custom model deployment", deployment.arn, account.switches.mutating)
            account.check_deletion("custom model deployment", deployment.arn)
            account.deployments[deployment.arn] = replace(deployment, deleted=now())
            self._drop_deleted()
        return {}

    def _get(self, request: dict[str, Any]) -> Deployment:
        with self._account.lock:
            self._drop_deleted()
            return self._account.get_deployment(request["customModelDeploymentIdentifier"])

    def _require_quota(self) -> None:
        quota = self._account.switches.deployments_in_progress
        if quota and sum(row.status == "Creating" for row in self._account.deployments.values()) >= quota:
            raise quota_full("custom model deployments in progress", quota)

    def _drop_deleted(self) -> None:
        """Remove the deployments whose deletion has been shown for a phase's least time."""
        shown = self._account.seconds_per_phase if self._account.switches.deletion_status else 0
        for row in list(self._account.deployments.values()):
            if row.deleted and now() >= row.deleted + timedelta(seconds=shown):
                del self._account.deployments[row.arn]
                self._account.tags.pop(row.arn, None)

    def _status(self, deployment: Deployment) -> str:
        """Return the status to show: the deployment's, or one that the switches put after Creating or a deletion."""
        switches = self._account.switches
        if deployment.deleted and switches.deletion_status:
            return UnlistedStatus(switches.deletion_status)
        last = switches.last_deployment_statuses
        since = (now() - deployment.active_from).total_seconds() / max(self._account.seconds_per_phase, 0.001)
        return UnlistedStatus(last[int(since)]) if 0 <= since < len(last) else deployment.status

    def _summary(self, deployment: Deployment) -> dict[str, Any]:
        return {
            "customModelDeploymentArn": deployment.arn,
            "customModelDeploymentName": deployment.name,
            "modelArn": deployment.model_arn,
            "createdAt": deployment.created,
            "status": self._status(deployment),
            "lastUpdatedAt": deployment.updated,
        }
