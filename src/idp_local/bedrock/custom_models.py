"""Custom-model operations: get, list, delete; the offer of base models, and tags."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from idp_local.bedrock.account import Account, CustomModel
from idp_local.bedrock.catalogue import summary
from idp_local.bedrock.customization_jobs import trained_with
from idp_local.bedrock.errors import conflict, not_found
from idp_local.bedrock.listing import page


class CustomModels:
    """The custom models of one account."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def get(self, request: dict[str, Any]) -> dict[str, Any]:
        """GetCustomModel; by ARN or name."""
        model = self._model(request["modelIdentifier"])
        return {
            "modelArn": model.arn,
            "modelName": model.job.model_name,
            "jobName": model.job.name,
            "jobArn": model.job.arn,
            "baseModelArn": model.job.base.arn(self._account.region),
            "creationTime": model.created,
            "modelStatus": "Active",
            **trained_with(model.job),
        }

    def list(self, request: dict[str, Any]) -> dict[str, Any]:
        """ListCustomModels."""
        region = self._account.region
        wanted: Mapping[str, Callable[[CustomModel, Any], bool]] = {
            "creationTimeAfter": lambda model, moment: model.created > moment,
            "creationTimeBefore": lambda model, moment: model.created < moment,
            "nameContains": lambda model, text: text in model.job.model_name,
            "baseModelArnEquals": lambda model, arn: model.job.base.arn(region) == arn,
            "foundationModelArnEquals": lambda model, arn: model.job.base.arn(region) == arn,
            "isOwned": lambda _model, owned: bool(owned),
            "modelStatus": lambda _model, status: status == "Active",
        }
        with self._account.lock:
            models = list(self._account.models.values())
        filters = [(wanted[name], value) for name, value in request.items() if name in wanted]
        kept = [model for model in models if all(fits(model, value) for fits, value in filters)]
        return page("modelSummaries", kept, request, self._summary)

    def delete(self, request: dict[str, Any]) -> dict[str, Any]:
        """DeleteCustomModel; ConflictException while a deployment of it is left."""
        with self._account.lock:
            model = self._model(request["modelIdentifier"])
            for deployment in self._account.deployments.values():
                if deployment.model_arn == model.arn:
                    raise conflict(f"The model is used by the custom model deployment {deployment.arn}.")
            del self._account.models[model.arn]
            self._account.tags.pop(model.arn, None)
        return {}

    def list_foundation_models(self, request: dict[str, Any]) -> dict[str, Any]:
        """ListFoundationModels: the fine-tunable ones, which is all this account is asked for."""
        rows = [summary(model, self._account.region) for model in self._account.fine_tunable.values()]
        wanted: Mapping[str, Callable[[dict[str, Any], str], bool]] = {
            "byProvider": lambda row, provider: str(row["providerName"]).lower() == provider.lower(),
            "byCustomizationType": lambda row, kind: kind in row["customizationsSupported"],
            "byOutputModality": lambda row, modality: modality in row["outputModalities"],
            "byInferenceType": lambda row, kind: kind in row["inferenceTypesSupported"],
        }
        return {
            "modelSummaries": [row for row in rows if all(wanted[name](row, value) for name, value in request.items())]
        }

    def list_tags(self, request: dict[str, Any]) -> dict[str, Any]:
        """ListTagsForResource, of a job, model or deployment."""
        arn = request["resourceARN"]
        with self._account.lock:
            if arn not in self._account.tags:
                raise not_found("resource", arn)
            return {"tags": self._account.tags[arn]}

    def _model(self, identifier: str) -> CustomModel:
        with self._account.lock:
            model = self._account.model(identifier)
        if model is None:
            raise not_found("custom model", identifier)
        return model

    def _summary(self, model: CustomModel) -> dict[str, Any]:
        return {
            "modelArn": model.arn,
            "modelName": model.job.model_name,
            "creationTime": model.created,
            "baseModelArn": model.job.base.arn(self._account.region),
            "baseModelName": model.job.base.plain_id.partition(":")[0],
            "customizationType": "FINE_TUNING",
            "ownerAccountId": self._account.account_id,
            "modelStatus": "Active",
        }
