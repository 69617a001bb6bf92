"""Operations on custom models: get, list, delete; and ListTagsForResource."""

from __future__ import annotations

from typing import Any

from idp_local.bedrock.account import Account, CustomModel
from idp_local.bedrock.customization_jobs import describe_training
from idp_local.bedrock.errors import conflict, not_found
from idp_local.bedrock.lists import Filters, list_page


class CustomModels:
    """The custom models of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def get(self, request: dict[str, Any]) -> dict[str, Any]:
        """GetCustomModel; by ARN or name."""
        model = self._account.get_model(request["modelIdentifier"])
        return {
            "modelArn": model.arn,
            "modelName": model.name,
            "jobName": model.job.name,
            "jobArn": model.job.arn,
            "baseModelArn": model.job.base.arn(self._account.region),
            "creationTime": model.created,
            "modelStatus": "Active",
            **describe_training(model.job, self._account.switches.s3_uri_echo),
        }

    def list(self, request: dict[str, Any]) -> dict[str, Any]:
        """ListCustomModels, with all its filters."""
        region = self._account.region
        filters: Filters[CustomModel] = {
            "creationTimeAfter": lambda model, moment: model.created > moment,
            "creationTimeBefore": lambda model, moment: model.created < moment,
            "nameContains": lambda model, text: text in model.name,
            "baseModelArnEquals": lambda model, arn: model.job.base.arn(region) == arn,
            "foundationModelArnEquals": lambda model, arn: model.job.base.arn(region) == arn,
            "isOwned": lambda _model, owned: bool(owned),
            "modelStatus": lambda _model, status: status == "Active",
        }
        with self._account.lock:
            models = list(self._account.models.values())
        rows, token = list_page(models, request, filters, self._summary)
        return {"modelSummaries": rows, "nextToken": token}

    def delete(self, request: dict[str, Any]) -> dict[str, Any]:
        """DeleteCustomModel; ConflictException while a deployment of it is left."""
        with self._account.lock:
            model = self._account.get_model(request["modelIdentifier"])
            for deployment in self._account.deployments.values():
                if deployment.model_arn == model.arn:
                    raise conflict(f"The model is used by the custom model deployment {deployment.arn}.")
            self._account.check_deletion("custom model", model.arn)
            del self._account.models[model.arn]
            self._account.tags.pop(model.arn, None)
        return {}

    def list_tags(self, request: dict[str, Any]) -> dict[str, Any]:
        """ListTagsForResource, of a job, model or deployment."""
        arn = request["resourceARN"]
        with self._account.lock:
            if arn not in self._account.tags:
                raise not_found("resource", arn)
            return {"tags": self._account.tags[arn]}

    def _summary(self, model: CustomModel) -> dict[str, Any]:
        return {
            "modelArn": model.arn,
            "modelName": model.name,
            "creationTime": model.created,
            "baseModelArn": model.job.base.arn(self._account.region),
            "baseModelName": model.job.base.plain_id.partition(":")[0],
            "customizationType": "FINE_TUNING",
            "ownerAccountId": self._account.account_id,
            "modelStatus": "Active",
        }
