"""Operations on evaluations before any job: how good are base models and versions on a test set as they are."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from idp_finetuning.adapters.services import Services
from idp_finetuning.errors import Conflict, InvalidInput
from idp_finetuning.evaluation.baseline import BaselineEvaluation, BaselineRecord, BaselineRequest
from idp_finetuning.evaluation.cost import require_price
from idp_finetuning.evaluation.layout import EvaluationLayout
from idp_finetuning.evaluation.report import EvaluatedPage, EvaluationReport
from idp_finetuning.nova.base_models import find_base_model
from idp_finetuning.operations.arguments import PageArguments
from idp_finetuning.operations.evaluation import LimitArguments
from idp_finetuning.operations.identity import Identity
from idp_finetuning.operations.lines import read_page_of_lines
from idp_finetuning.operations.scope import require_in_scope
from idp_finetuning.operations.test_sets import TestSetArguments
from idp_finetuning.pagination import Page
from idp_finetuning.stages.baseline_start import current_baseline, start_baseline
from idp_finetuning.stages.evaluation_records import BaselineRecords

MAXIMUM_CONTESTANTS = 8
_Names = tuple[Annotated[str, Field(min_length=1, max_length=200)], ...]


class StartBaselineArguments(LimitArguments, TestSetArguments):
    """Arguments of startBaselineEvaluation."""

    base_models: _Names = ()
    config_versions: _Names = ()


def start_baseline_evaluation(
    arguments: StartBaselineArguments, identity: Identity, services: Services
) -> BaselineEvaluation:
    """Start an evaluation of base models and configuration versions on a complete test set.

    The same request while it runs returns the one that runs. Answers that an earlier evaluation of the test set stored
    are not asked for again. Raises TestSetNotFound, TestSetInvalid, InvalidInput if nobody or too many are named or a
    base model or version cannot take part, ConfigVersionNotFound, Unauthorized for a version beyond the caller's scope,
    PriceUnknown if the cost has a limit and a base model no price, Conflict while another evaluation of the test set
    runs.
    """
    test_set = services.test_sets.get(arguments.test_set_id)
    test_set.require_ready()
    request = _request(arguments, identity, services)
    records = BaselineRecords(services.data)
    begun = start_baseline(test_set.id, request, records=records, workflow=services.evaluation)
    # A deletion that began meanwhile has seen this evaluation, or is seen here.
    services.test_sets.get(test_set.id).require_ready()
    return BaselineEvaluation(**dict(begun))


def _request(arguments: StartBaselineArguments, identity: Identity, services: Services) -> BaselineRequest:
    base_models = tuple(dict.fromkeys(find_base_model(name).id for name in arguments.base_models))
    versions = tuple(dict.fromkeys(arguments.config_versions))
    if not 1 <= len(base_models) + len(versions) <= MAXIMUM_CONTESTANTS:
        raise InvalidInput(f"Name one to {MAXIMUM_CONTESTANTS} base models and configuration versions.")
    for name in versions:
        require_in_scope(identity, name, services)
        if not services.config_versions.get(name).classification.classes:
            raise InvalidInput(f"Configuration version '{name}' has no classes, so it cannot classify. Leave it out.")
    if arguments.maximum_cost is not None:
        for name in base_models:
            require_price(name)
    return BaselineRequest(
        base_models=base_models,
        config_versions=versions,
        maximum_pages=arguments.maximum_pages,
        maximum_cost=arguments.maximum_cost,
    )


class BaselineArguments(TestSetArguments):
    """Arguments of getBaselineEvaluation; without a number it is the latest."""

    number: int | None = Field(default=None, ge=1)


def get_baseline_evaluation(arguments: BaselineArguments, identity: Identity, services: Services) -> BaselineEvaluation:
    """Return an evaluation of a test set, with its report once that is there.

    Raises TestSetNotFound, Conflict if there is none, Unauthorized if a version beyond the caller's scope took part.
    """
    record = _find(arguments, identity, services)
    layout = EvaluationLayout.of(record.run)
    return BaselineEvaluation(**dict(record), report=services.data.read_model(layout.report, EvaluationReport))


class BaselinePagesArguments(PageArguments, BaselineArguments):
    """Arguments of listBaselinePages."""


def list_baseline_pages(
    arguments: BaselinePagesArguments, identity: Identity, services: Services
) -> Page[EvaluatedPage]:
    """Return what each contestant said of each scored page. Raises as getBaselineEvaluation, and without a report."""
    record = _find(arguments, identity, services)
    layout = EvaluationLayout.of(record.run)
    if services.data.find_etag(layout.report) is None:
        raise Conflict(f"{record.run.title} has no report: it is {record.status}.")
    return read_page_of_lines(services.data, layout.pages, EvaluatedPage, arguments)


def _find(arguments: BaselineArguments, identity: Identity, services: Services) -> BaselineRecord:
    test_set = services.test_sets.get(arguments.test_set_id)
    records = BaselineRecords(services.data)
    found = records.find(test_set.id, arguments.number) if arguments.number else records.latest(test_set.id)
    if found is None:
        which = f"no evaluation {arguments.number}" if arguments.number else "no evaluation"
        raise Conflict(f"Test set '{test_set.id}' has {which} before training. startBaselineEvaluation starts one.")
    for name in found.config_versions:
        require_in_scope(identity, name, services)
    return current_baseline(found, records=records, workflow=services.evaluation)
