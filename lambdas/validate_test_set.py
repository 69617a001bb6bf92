"""ValidateTestSet: reads the labels once, applies the rules, splits, writes prompt and manifest."""

from __future__ import annotations

from idp_finetuning.adapters.lambda_handler import state_handler
from idp_finetuning.adapters.services import Services
from idp_finetuning.jobs.job import JobRun
from idp_finetuning.stages.prepare import ManifestLocation, validate_test_set


@state_handler(JobRun, shown=lambda location: {"concurrency": location.concurrency})
def handler(event: JobRun, services: Services) -> ManifestLocation:
    """Return the manifest's key and the Map's concurrency."""
    return validate_test_set(
        event,
        jobs=services.jobs,
        test_sets=services.test_sets,
        test_set_bucket=services.test_set_bucket,
        data=services.data,
        bedrock=services.bedrock,
        limits=services.account_limits,
        map_concurrency=services.map_concurrency,
    )
