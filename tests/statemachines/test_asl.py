"""The shape of the state machines: order, retries, catches, outputs, and the functions they call."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from idp_finetuning.deployment import FUNCTIONS, STATE_MACHINES, placeholders, render_definition
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
    "Lambda.TooManyRequestsException",
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.ClientExecutionTimeoutException",
    "TransientError",
}
OF_THE_API = {"Resolver", "ReadLabels", "ClassifyDocument", "DeleteTestSet"}
OF_THE_SCHEDULE = {"ReconcileJobs"}
WITHOUT_CATCH = {"EndJob", "RejectDocument"}

FIRST_CHOICE = "SelectStage"  # of the stage a retry goes on at; a new job takes the default

ORDER = {
    "finetuning": [
        *("SelectStage", "ValidateTestSet", "GenerateExamples", "AssembleDataset"),
        *("CreateCustomizationJob", "WaitForTraining", "GetCustomizationJob", "IsTrained"),
        *("CreateModelDeployment", "WaitForDeployment", "GetModelDeployment", "IsDeployed"),
        *("CompleteJob", "EndJob", "JobFailed"),
    ],
    "deletion": [
        *("DeleteModelDeployment", "IsDeploymentGone", "WaitForDeletion"),
        *("DeleteCustomModel", "DeleteJobData", "EndJob", "DeletionFailed"),
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
def test_states_stand_in_the_file_as_the_design_lists_them(machine: str) -> None:
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
    beside = {"EndJob", "JobFailed", "DeletionFailed", "WaitForDeletion"}
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
def test_every_target_stands_on_the_level_that_names_it(machine: str) -> None:
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
    transient, worker_exit = task["Retry"]
    assert set(transient["ErrorEquals"]) == RETRIED
    assert len(transient["ErrorEquals"]) == len(RETRIED)
    assert (transient["MaxAttempts"], transient["JitterStrategy"]) == (6, "FULL")
    assert (worker_exit["ErrorEquals"], worker_exit["MaxAttempts"]) == (["Runtime.ExitError"], 1)


@each_task
def test_every_task_but_the_last_resorts_catches_everything(name: str, task: State) -> None:
    caught = [catcher["ErrorEquals"] for catcher in task.get("Catch", [])]
    assert caught == ([] if name in WITHOUT_CATCH else [["States.ALL"]])


@each_task
def test_a_caught_error_lands_where_its_handler_looks_for_it(name: str, task: State) -> None:
    assert all(catcher["ResultPath"] == "$.error" for catcher in task.get("Catch", []))


@each_machine
def test_each_level_has_one_place_for_failures(machine: str) -> None:
    for level in levels(definition(machine)):
        caught_by = {catcher["Next"] for state in level.states.values() for catcher in state.get("Catch", [])}
        assert caught_by == ({"RejectDocument"} if level.is_map else {"EndJob"})


@each_machine
def test_a_failure_ends_the_execution_as_failed(machine: str) -> None:
    states = definition(machine)["States"]
    assert states[states["EndJob"]["Next"]]["Type"] == "Fail"


def test_children_of_the_map_answer_nothing() -> None:
    inside = next(level for level in levels(definition("finetuning")) if level.is_map)
    last = [state for state in inside.states.values() if is_terminal(state)]
    assert last
    assert all("OutputPath" in state and state["OutputPath"] is None for state in last)


def test_the_map_takes_its_documents_from_s3_and_keeps_no_result() -> None:
    generate_examples = definition("finetuning")["States"]["GenerateExamples"]
    assert generate_examples["ItemReader"]["Resource"] == "arn:aws:states:::s3:getObject"
    assert "ResultPath" in generate_examples
    assert generate_examples["ResultPath"] is None


def test_the_map_is_distributed_over_standard_children() -> None:
    config = definition("finetuning")["States"]["GenerateExamples"]["ItemProcessor"]["ProcessorConfig"]
    assert config == {"Mode": "DISTRIBUTED", "ExecutionType": "STANDARD"}


def test_rejected_documents_never_fail_the_map() -> None:
    # moto takes only a float here, and JSON forgets the difference: the text decides.
    assert '"ToleratedFailurePercentage": 100.0,' in rendered("finetuning")


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
    assert {task["Retry"] for _, task in tasks(json.loads(source(machine)))} == {"${Retry}"}


@each_machine
def test_rendering_fills_in_the_names_it_is_given(machine: str) -> None:
    names = {name: f"the {name}" for name in placeholders(source(machine))}
    filled = render_definition(source(machine), map_concurrency=7, retry_interval_seconds=3, names=names)
    assert placeholders(filled) == set()
    for name, task in tasks(json.loads(filled)):
        assert task["Resource"] == f"the {name}Arn"
        assert [retrier["IntervalSeconds"] for retrier in task["Retry"]] == [3, 3]
    assert [state["MaxConcurrency"] for state in json.loads(filled)["States"].values() if state["Type"] == "Map"] in (
        [],
        [7],
    )


def test_every_file_is_a_state_machine_of_the_deployment() -> None:
    assert set(DEFINITIONS) == set(STATE_MACHINES)


def test_every_function_but_those_of_the_api_and_the_schedule_is_called_by_a_machine() -> None:
    called = {name for machine in DEFINITIONS for name, _ in tasks(definition(machine))}
    assert called == {function.name for function in FUNCTIONS} - OF_THE_API - OF_THE_SCHEDULE


def test_every_function_has_its_file_and_every_file_its_function() -> None:
    files = {path.stem for path in (ROOT / "lambdas").glob("*.py")} - {"__init__"}
    assert files == {function.module for function in FUNCTIONS}
