"""ReconcileJobs: ends what was left unfinished, every five minutes and when an execution ends; cleans up every hour."""

from __future__ import annotations

from idp_finetuning.adapters.lambda_handler import state_handler
from idp_finetuning.adapters.services import Services
from idp_finetuning.stages.delete_test_set import restart_deletions
from idp_finetuning.stages.prune_versions import prune_versions
from idp_finetuning.stages.reconcile import Grace, Reconciliation, reconcile
from idp_finetuning.wire import WireModel


class ReconcileEvent(WireModel):
    """The name of the execution that ended for its job alone; else all jobs, and with `sweep` what no job owns."""

    execution_name: str | None = None
    sweep: bool = True
    grace: Grace = Grace()

    @property
    def sweeps(self) -> bool:
        """Whether this pass also looks for what no job owns."""
        return self.sweep and self.execution_name is None


@state_handler(ReconcileEvent, shown=Reconciliation.for_operators)
def handler(event: ReconcileEvent, services: Services) -> Reconciliation:
    """Return what was done."""
    reconciliation = reconcile(
        event.execution_name,
        sweeps=event.sweeps,
        jobs=services.jobs,
        bedrock=services.bedrock,
        data=services.data,
        finetuning=services.finetuning,
        deletion=services.deletion,
        evaluation=services.evaluation,
        deadlines=services.deadlines,
        deployment_name=services.deployment_name,
        mailer=services.mailer,
        grace=event.grace,
    )
    pruned = prune_versions(
        sweeps=event.sweeps,
        workflows=(services.finetuning, services.deletion, services.evaluation),
        versions=services.function_versions,
    )
    restart_deletions(services.test_sets, services.test_set_deleter)
    return reconciliation.model_copy(update={"versions": pruned})
