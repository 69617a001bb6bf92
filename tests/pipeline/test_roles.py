"""Every AWS call the functions made in the tests of the pipeline, held against the deployed roles, both ways.

The fixtures make all the calls that are needed; those of other tests on the same runtime count too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from idp_finetuning.deployment import FUNCTIONS, FunctionSpec
from idp_local.aws.names import PREFIX, variable_values
from idp_sdk import Job
from tests.support.iam.calls import needs
from tests.support.iam.comparison import Grant, differences, granted, needed
from tests.support.iam.policies import Need
from tests.support.iam.resources import kind_of, kinds_within
from tests.support.iam.uncalled import excused
from tests.support.local.call_log import FILE_NAME, AwsCall
from tests.support.pipeline.classified import Classified
from tests.support.pipeline.control import Controlled
from tests.support.pipeline.driver import Finished, Judged, Measured, Pipeline
from tests.support.pipeline.versioned import Versioned
from tests.support.stacks.deployed import Deployed, Statement
from tests.support.stacks.synthesis import shipped_template

pytestmark = pytest.mark.xdist_group("pipeline")

Needs = Mapping[str, frozenset[Need]]
BY_NAME = pytest.mark.parametrize("spec", FUNCTIONS, ids=lambda spec: spec.name)


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Deployed:
    """The resources of the template as it ships."""
    return Deployed(shipped_template(tmp_path_factory.getbasetemp()))


@pytest.fixture(scope="session")
def called(
    pipeline: Pipeline,
    deployed: Deployed,
    finished: Finished,
    judged: Judged,
    measured: Measured,
    packets: Finished,
    classified: Classified,
    versioned: Versioned,
    deleted: Job,
    hopeless: Job,
    controlled: Controlled,
    late_runs: dict[str, str],
    lost_document: dict[str, Any],
    read_in_background: tuple[str, dict[str, Any]],
) -> Needs:
    """What the calls of each function needed, in the names of the deployed stack."""
    pipeline.sdk.finetuning.validate_test_set(read_in_background[0])
    pipeline.sdk.finetuning.report(finished.job.id)
    list(pipeline.sdk.finetuning.documents(finished.job.id))
    assert pipeline.sdk.finetuning.loss_curve(finished.job.id).training
    for _ in range(2):  # the second finds the first under way
        pipeline.sdk.finetuning.evaluate_job(finished.job.id)
    pipeline.evaluated(finished.job.id)
    pipeline.sdk.finetuning.evaluation_report(finished.job.id)
    list(pipeline.sdk.finetuning.evaluated_pages(finished.job.id))
    # No evaluation of these tests fails for certain; of one that has ended it changes nothing.
    pipeline.invoke("EndEvaluation", {"jobId": finished.job.id, "number": 1, "error": {"Error": "States.Timeout"}})
    pipeline.sdk.test_sets.evaluate(judged.test_set_id, base_models=["us.amazon.nova-lite-v1:0"])
    event = {"testSetId": judged.test_set_id, "number": 1, "error": {"Error": "States.Timeout"}}
    pipeline.invoke("EndEvaluation", event)
    pipeline.client.execute(
        "{ listFinetuningJobs { nextToken } failed: listFinetuningJobs(status: FAILED) { nextToken } "
        'lite: listFinetuningJobs(baseModel: "lite") { nextToken } '
        'of: listFinetuningJobs(testSetId: "t") { nextToken } '
        "listTestSets { nextToken } listAvailableModels { baseModels { id } } }"
    )
    # What an old upload form brought is removed before a test set of that name begins.
    pipeline.s3.put_object(Bucket=pipeline.connection.test_set_bucket, Key="late-form/input/a.pdf", Body=b"1")
    pipeline.client.execute('mutation { createTestSet(input: {name: "late-form"}) { id } }')
    local = variable_values(1, user_pool_id=pipeline.connection.user_pool_id)
    functions = deployed.named("AWS::Lambda::Function", "FunctionName")
    found: dict[str, set[Need]] = {name: set() for name in functions}
    names = {
        spec.function_name(PREFIX): {
            local[variable]: functions[spec.function_name(PREFIX)]["Environment"]["Variables"][variable]
            for variable in spec.variables
        }
        for spec in FUNCTIONS
    }
    for line in (pipeline.directory / "logs" / FILE_NAME).read_text(encoding="utf-8").splitlines():
        call = AwsCall.model_validate_json(line)
        found[call.function].update(needs(call, names[call.function]))
    return {name: frozenset(of_function) for name, of_function in found.items()}


@BY_NAME
def test_a_function_may_do_what_it_does_and_nothing_else(deployed: Deployed, called: Needs, spec: FunctionSpec) -> None:
    name = spec.function_name(PREFIX)
    assert differences(deployed.function_statements(name), called[name], excused(spec.name, called[name])) == []


@BY_NAME
def test_the_removal_of_any_permission_is_noticed(deployed: Deployed, called: Needs, spec: FunctionSpec) -> None:
    name = spec.function_name(PREFIX)
    statements = deployed.function_statements(name)
    for grant in granted(statements):
        lines = differences(
            list(_without(statements, grant)), _one_of_a_kind(called[name]), excused(spec.name, called[name])
        )
        assert any(line.startswith(("refused: ", "excused, but not allowed: ")) for line in lines), grant


@BY_NAME
def test_the_permission_of_another_function_is_noticed(deployed: Deployed, called: Needs, spec: FunctionSpec) -> None:
    statements = deployed.function_statements(spec.function_name(PREFIX))
    of_others = {
        grant for other in FUNCTIONS for grant in granted(deployed.function_statements(other.function_name(PREFIX)))
    }
    known = _one_of_a_kind(called[spec.function_name(PREFIX)])
    for action, kind in of_others - granted(statements):
        more = [*statements, Statement(frozenset({action}), frozenset({kind}), {})]
        assert f"allowed, but never called: {action} on {kind}" in differences(
            more, known, excused(spec.name, called[spec.function_name(PREFIX)])
        )


@BY_NAME
def test_a_whole_bucket_instead_of_a_part_is_noticed(deployed: Deployed, called: Needs, spec: FunctionSpec) -> None:
    statements = deployed.function_statements(spec.function_name(PREFIX))
    known = _one_of_a_kind(called[spec.function_name(PREFIX)])
    for statement in statements:
        for resource in statement.resources:
            if resource.startswith("arn:aws:s3:::") and "/" in resource:
                wider = resource.split("/")[0] + "/*"
                more = [*statements, Statement(statement.actions, frozenset({wider}), {})]
                assert differences(more, known, excused(spec.name, called[spec.function_name(PREFIX)])), (
                    statement.actions,
                    wider,
                )


def test_every_function_calls_something(called: Needs) -> None:
    assert [name for name, of_function in called.items() if not needed(of_function)] == []


def _without(statements: list[Statement], grant: Grant) -> Iterator[Statement]:
    """The statements but for one action on the resources of one kind."""
    for statement in statements:
        if grant[0] not in statement.actions:
            yield statement
            continue
        left = frozenset(pattern for pattern in statement.resources if grant[1] not in kinds_within(pattern))
        yield Statement(statement.actions - {grant[0]}, statement.resources, statement.conditions)
        yield Statement(frozenset({grant[0]}), left, statement.conditions)


def _one_of_a_kind(of_function: frozenset[Need]) -> list[Need]:
    """One need of each action on each kind of resource, which is enough to notice."""
    return list({(need.action, kind_of(need.resource)): need for need in of_function}.values())
