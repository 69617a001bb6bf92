"""The shape of the state machines: order, retries, catches, outputs, and the functions they call."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from idp_finetuning import errors
from idp_finetuning.deployment import FUNCTIONS, STATE_MACHINES, placeholders, render_definition
from idp_finetuning.deployment.state_machines import FINAL_ERRORS
from tests.support.statemachines.definitions import (
    DEFINITIONS,
    ROOT,
    State,
    definition,
    is_terminal,
    levels,
    rendered,
    source,
    targets,
    tasks,
)

# What may be retried without paying twice.
RETRIED = {
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
    "TransientError",
}
OF_THE_API = {"Resolver", "ReadLabels", "CountPages", "ClassifyDocument", "EndClassification", "DeleteTestSet"}
OF_THE_SCHEDULE = {"ReconcileJobs"}
WITHOUT_CATCH = {"EndJob", "EndEvaluation", "RejectDocument"}
# Where failures go: of the machine, and of a child of its Map. A document without answers is named by the scores.
LAST_RESORTS = {"finetuning": "EndJob", "deletion": "EndJob", "evaluation": "EndEvaluation"}
LAST_RESORTS_OF_CHILDREN = {"finetuning": "RejectDocument", "evaluation": "DocumentEvaluated"}
REMOVALS = {"DeleteModelDeployment", "DeleteCustomModel"}
# States that only watch what Bedrock does, and where each goes if it cannot.
OBSERVERS = {
    "CreateCustomizationJob": "WaitForTraining",
    "GetCustomizationJob": "WaitForTraining",
    "CreateModelDeployment": "WaitForDeployment",
    "GetModelDeployment": "WaitForDeployment",
    "CompleteJob": "WaitForDeployment",
}

FIRST_CHOICE = "SelectStage"  # of the stage a retry goes on at; a new job takes the default

ORDER = {
    "finetuning": [
        *("SelectStage", "ValidateTestSet", "GenerateExamples", "AssembleDataset"),
        *("CreateCustomizationJob", "WaitForTraining", "GetCustomizationJob", "IsTrained"),
        *("CreateModelDeployment", "WaitForDeployment", "GetModelDeployment", "IsDeployed"),
        *("CompleteJob", "EndJob", "JobFailed"),
    ],
    "deletion": [
        *("DeleteModelDeployment", "DeleteCustomModel", "DeleteJobData", "EndJob", "DeletionFailed"),
    ],
    "evaluation": [
        *("PrepareEvaluation", "EvaluateDocuments", "ScoreEvaluation", "EndEvaluation", "EvaluationFailed"),
    ],
}

each_machine = pytest.mark.parametrize("machine", sorted(DEFINITIONS))
each_task = pytest.mark.parametrize(
    ("name", "task"),
    [
        pytest.param(name, task, id=f"{machine}-{name}")
        for machine in DEFINITIONS
        for name, task in tasks(definition(machine))
    ],
)


@each_machine
def test_the_states_are_in_the_order_of_execution(machine: str) -> None:
    assert list(definition(machine)["States"]) == ORDER[machine]


@each_machine
def test_the_way_to_success_only_goes_down_the_file(machine: str) -> None:
    states = definition(machine)["States"]
    name, passed = definition(machine)["StartAt"], []
    while True:
        passed.append(name)
        state = states[name]
        if is_terminal(state):
            break
        if state["Type"] == "Choice":
            name = state["Default"] if name == FIRST_CHOICE else state["Choices"][0]["Next"]
        else:
            name = state["Next"]
    order = list(states)
    assert [order.index(name) for name in passed] == sorted(order.index(name) for name in passed)
    beside = {"EndJob", "EndEvaluation", "JobFailed", "DeletionFailed", "EvaluationFailed"}
    assert set(order) - set(passed) <= beside


def test_a_retry_goes_on_at_the_first_state_of_its_stage() -> None:
    machine = definition("finetuning")
    first = machine["States"][machine["StartAt"]]
    by_stage = {choice["StringEquals"]: choice["Next"] for choice in first["Choices"]}
    assert {choice["Variable"] for choice in first["Choices"]} == {"$.startAt"}
    assert by_stage == {"TRAINING": "CreateCustomizationJob", "DEPLOYING": "CreateModelDeployment"}


@each_machine
def test_a_machine_has_at_most_sixteen_top_level_states(machine: str) -> None:
    assert len(definition(machine)["States"]) <= 16


@each_machine
def test_every_target_is_on_the_level_that_names_it(machine: str) -> None:
    for level in levels(definition(machine)):
        named = {target for state in level.states.values() for target in targets(state)} | {level.start}
        assert named <= level.states.keys()


@each_machine
def test_every_state_can_be_reached(machine: str) -> None:
    for level in levels(definition(machine)):
        reached: set[str] = set()
        waiting = [level.start]
        while waiting:
            name = waiting.pop()
            if name not in reached:
                reached.add(name)
                waiting.extend(targets(level.states[name]))
        assert reached == set(level.states)


@each_machine
def test_every_state_goes_on_or_ends(machine: str) -> None:
    for level in levels(definition(machine)):
        for name, state in level.states.items():
            ends = is_terminal(state) or state["Type"] == "Fail"
            goes_on = "Default" in state if state["Type"] == "Choice" else "Next" in state
            assert ends != goes_on, name


@each_task
def test_a_task_is_retried_for_transient_errors_only(name: str, task: State) -> None:
    *removal, _, transient, worker_exit = task["Retry"]
    assert [retrier["ErrorEquals"] for retrier in removal] == ([["RemovalPending"]] if name in REMOVALS else [])
    assert set(transient["ErrorEquals"]) == RETRIED
    assert len(transient["ErrorEquals"]) == len(RETRIED)
    assert (transient["MaxAttempts"], transient["JitterStrategy"]) == (6, "FULL")
    assert (worker_exit["ErrorEquals"], worker_exit["MaxAttempts"]) == (["Runtime.ExitError"], 1), name


@each_task
def test_a_throttled_task_is_tried_for_long_by_a_count_of_its_own(name: str, task: State) -> None:
    (throttled,) = (r for r in task["Retry"] if r["ErrorEquals"] == ["Lambda.TooManyRequestsException"])
    assert throttled["JitterStrategy"] == "FULL", name
    # A wait with full jitter is half of the longest on average.
    longest, grown = throttled["MaxDelaySeconds"], 6
    assert throttled["IntervalSeconds"] < longest <= throttled["IntervalSeconds"] * throttled["BackoffRate"] ** grown
    assert (throttled["MaxAttempts"] - grown) * longest / 2 > 3600


@each_task
def test_every_task_but_the_last_resorts_catches_everything(name: str, task: State) -> None:
    caught = [catcher["ErrorEquals"] for catcher in task.get("Catch", [])]
    if name in OBSERVERS:
        assert caught == [list(FINAL_ERRORS), ["States.ALL"]]
    else:
        assert caught == ([] if name in WITHOUT_CATCH else [["States.ALL"]])


@each_task
def test_a_caught_error_lands_where_its_handler_looks_for_it(name: str, task: State) -> None:
    for catcher in task.get("Catch", []):
        forgotten = catcher["Next"] in {*OBSERVERS.values(), "DocumentEvaluated"}
        assert catcher["ResultPath"] == (None if forgotten else "$.error"), name


def test_an_observer_of_bedrock_ends_the_job_for_final_errors_only_and_else_waits() -> None:
    states = definition("finetuning")["States"]
    assert {name for name, state in states.items() if len(state.get("Catch", [])) > 1} == set(OBSERVERS)
    for name, wait in OBSERVERS.items():
        final, passing = states[name]["Catch"]
        assert (final["Next"], passing["Next"], states[wait]["Type"]) == ("EndJob", wait, "Wait")
    passing_errors = {"TransientError", "InternalError", "AwsCallRefused", "SettingMissing"}
    assert not passing_errors & set(FINAL_ERRORS)
    assert all(issubclass(getattr(errors, name), errors.FinetuningError) for name in FINAL_ERRORS)


def test_a_removal_is_tried_for_hours_with_growing_pauses_and_then_ends() -> None:
    pending, *others = definition("deletion")["States"]["DeleteCustomModel"]["Retry"]
    assert others == definition("deletion")["States"]["DeleteJobData"]["Retry"]
    pauses = [min(pending["IntervalSeconds"] * 2**n, pending["MaxDelaySeconds"]) for n in range(pending["MaxAttempts"])]
    assert pauses[:3] == [2, 4, 8]
    assert 4 * 3600 < sum(pauses) < 5 * 3600
    assert sum(pauses) * 2 < definition("deletion")["TimeoutSeconds"]


@pytest.mark.parametrize("asked", ["IsTrained", "IsDeployed"])
def test_what_is_not_created_yet_is_created_after_the_wait(asked: str) -> None:
    choices = {
        choice["StringEquals"]: choice["Next"] for choice in definition("finetuning")["States"][asked]["Choices"]
    }
    creation = {"IsTrained": "CreateCustomizationJob", "IsDeployed": "CreateModelDeployment"}
    assert choices["NotCreated"] == creation[asked]


@each_machine
def test_each_level_has_one_place_for_failures(machine: str) -> None:
    for level in levels(definition(machine)):
        caught_by = {catcher["Next"] for state in level.states.values() for catcher in state.get("Catch", [])}
        caught_by -= set(OBSERVERS.values())
        assert caught_by == {(LAST_RESORTS_OF_CHILDREN if level.is_map else LAST_RESORTS)[machine]}


@each_machine
def test_a_failure_ends_the_execution_as_failed(machine: str) -> None:
    states = definition(machine)["States"]
    assert states[states[LAST_RESORTS[machine]]["Next"]]["Type"] == "Fail"


@pytest.mark.parametrize("machine", LAST_RESORTS_OF_CHILDREN)
def test_children_of_the_map_return_nothing(machine: str) -> None:
    inside = next(level for level in levels(definition(machine)) if level.is_map)
    last = [state for state in inside.states.values() if is_terminal(state)]
    assert last
    assert all("OutputPath" in state and state["OutputPath"] is None for state in last)


def test_the_map_takes_its_documents_from_s3_and_keeps_no_result() -> None:
    generate_examples = definition("finetuning")["States"]["GenerateExamples"]
    assert generate_examples["ItemReader"]["Resource"] == "arn:aws:states:::s3:getObject"
    assert "ResultPath" in generate_examples
    assert generate_examples["ResultPath"] is None


def test_the_map_has_the_concurrency_that_validation_chose() -> None:
    generate_examples = definition("finetuning")["States"]["GenerateExamples"]
    assert generate_examples["MaxConcurrencyPath"] == "$.manifest.concurrency"
    assert "MaxConcurrency" not in generate_examples


def test_the_map_is_distributed_over_standard_children() -> None:
    config = definition("finetuning")["States"]["GenerateExamples"]["ItemProcessor"]["ProcessorConfig"]
    assert config == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}


def test_rejected_documents_never_fail_the_map() -> None:
    # moto takes only a float here, and JSON forgets the difference: the text decides.
    assert '"ToleratedFailurePercentage": 100.0,' in rendered("finetuning")
    assert '"ToleratedFailurePercentage": 100.0,' in rendered("evaluation")


@each_task
def test_a_task_is_named_after_the_function_it_calls(name: str, task: State) -> None:
    assert task["Resource"] == f"${{{name}Arn}}"


@each_machine
def test_placeholders_that_rendering_leaves_are_functions_or_the_data_bucket(machine: str) -> None:
    functions = {f"{name}Arn" for name, _ in tasks(definition(machine))}
    assert placeholders(rendered(machine)) - functions <= {"DataBucketName"}


@each_machine
def test_a_file_is_json_in_which_every_placeholder_is_a_whole_string(machine: str) -> None:
    strings = set(_strings(json.loads(source(machine))))
    assert {f"${{{name}}}" for name in placeholders(source(machine))} <= strings
    assert [string for string in strings if "${" in string and not re.fullmatch(r"\$\{\w+\}", string)] == []


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for member in value.values():
            yield from _strings(member)
    elif isinstance(value, list):
        for member in value:
            yield from _strings(member)


@each_machine
def test_no_task_writes_its_own_retry_policy(machine: str) -> None:
    for name, task in tasks(json.loads(source(machine))):
        assert task["Retry"] == ("${RemovalRetry}" if name in REMOVALS else "${Retry}")


@each_machine
def test_rendering_fills_in_the_names_it_is_given(machine: str) -> None:
    names = {name: f"the {name}" for name in placeholders(source(machine))}
    filled = render_definition(source(machine), retry_interval_seconds=3, names=names)
    assert placeholders(filled) == set()
    for name, task in tasks(json.loads(filled)):
        assert task["Resource"] == f"the {name}Arn"
        assert {retrier["IntervalSeconds"] for retrier in task["Retry"]} == {3}


def test_every_file_is_a_state_machine_of_the_deployment() -> None:
    assert set(DEFINITIONS) == set(STATE_MACHINES)


def test_every_function_but_those_of_the_api_and_the_schedule_is_called_by_a_machine() -> None:
    called = {name for machine in DEFINITIONS for name, _ in tasks(definition(machine))}
    assert called == {function.name for function in FUNCTIONS} - OF_THE_API - OF_THE_SCHEDULE


def test_every_function_has_its_file_and_every_file_its_function() -> None:
    files = {path.stem for path in (ROOT / "lambdas").glob("*.py")} - {"__init__"}
    assert files == {function.module for function in FUNCTIONS}
