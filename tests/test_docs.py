"""The pages for operators say what the code does: tables are held equal to it, commands and queries are checked."""

from __future__ import annotations

import ast
import json
import re
from datetime import timedelta
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from graphql import build_schema, parse, validate
from idp_cli.api_names import OPTION_OF
from idp_finetuning import errors
from idp_finetuning.deployment import FUNCTIONS, GROUPS
from idp_finetuning.errors import FinetuningError
from idp_finetuning.jobs.deadlines import Deadlines
from idp_finetuning.jobs.job import JobStatus
from idp_finetuning.nova.base_models import base_models
from idp_finetuning.operations.table import OPERATIONS
from idp_finetuning.training_data.dataset import NO_RESULT
from stacks.appsync_schema import convert_for_appsync
from stacks.options import read_options
from stacks.reconciliation import FAILURE_STATUSES
from tests.support.docs_pages import PAGES, ROOT, aws_commands, blocks, page, shell, table
from tests.support.domain.samples import job

# Options of every command, of commands that list, and of commands that are more than one call.
EVERYWHERE = {"region", "profile", "query", "output"}
LISTING = {"max-items", "starting-token", "page-size"}
COMPOSED = {
    ("s3", "sync"): {"delete", "dryrun"},
    ("s3", "rm"): {"recursive"},
    ("logs", "tail"): {"since", "follow", "filter-pattern"},
}
JOB = "6f1c2b1e-0000-4000-8000-000000000001"

each_page = pytest.mark.parametrize("name", PAGES)


def _error_names() -> set[str]:
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    return {c.__name__ for c in classes if issubclass(c, FinetuningError)} - {FinetuningError.__name__}


def _rejection_codes() -> set[str]:
    """First arguments of DocumentRejected, and what document_rejection gives where that is not the error."""
    codes = {NO_RESULT}
    for path in (ROOT / "src" / "idp_finetuning").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id="DocumentRejected"), args=[first, *_]):
                    assert isinstance(first, ast.Constant), (
                        f"{path}: a code that is not written out cannot be documented"
                    )
                    codes.add(str(first.value))
                case ast.FunctionDef(name="document_rejection"):
                    returned = [n.value for n in ast.walk(node) if isinstance(n, ast.Return)]
                    tuples = [value.elts[0] for value in returned if isinstance(value, ast.Tuple)]
                    codes |= {str(first.value) for first in tuples if isinstance(first, ast.Constant)}
    return codes


def test_every_error_has_its_row() -> None:
    documented = {name for name in table("operations", "error") if "." not in name}  # Step Functions' own have a dot
    assert documented == _error_names()


def test_every_way_the_reconciliation_ends_a_job_has_its_row() -> None:
    hours = timedelta(hours=1)
    late = job(JOB, status=JobStatus.TRAINING, stage_started_at="2020-01-01T00:00:00.000Z")
    passed = Deadlines(not_started=hours, training=hours, deployment=hours).check(late, training_started=True)
    assert passed
    executions = {f"workflow {status}" for status in FAILURE_STATUSES}
    documented = set(table("operations", "ended by"))
    assert documented == {passed.code, *executions}


def test_every_rejection_code_has_its_row() -> None:
    assert set(table("operations", "code")) == _rejection_codes()


def test_the_errors_of_the_guide_have_their_row() -> None:
    assert set(table("operations", "the message begins with")) == {
        "Insufficient documents",
        "Insufficient classes",
        "Training failed",
        "Deployment failed",
    }


def test_the_guide_page_tells_the_same_errors() -> None:
    assert set(table("guide", "error")) == set(table("operations", "the message begins with"))


def test_the_guide_page_tells_what_the_catalogue_says_of_the_base_models() -> None:
    documented = {name: cells[1:] for name, cells in table("guide", "base model").items()}
    assert documented == {
        model.id: [
            f"{model.minimum_records} to {model.maximum_records:,}",
            "reported" if model.validation_supported else "not reported",
        ]
        for model in base_models()
    }


def test_the_guide_page_has_the_hyperparameters_of_the_catalogue() -> None:
    documented = table("guide", "model")
    assert documented == {
        model.name: [
            ", ".join(
                f"`{OPTION_OF[item.name]}` {item.range}" + (f" ({item.default:g})" if sent else "")
                for item in model.hyper_parameters
                if item.sent is sent
            ).strip("`")
            for sent in (True, False)
        ]
        for model in base_models()
    }


def test_the_table_of_roles_is_the_one_the_api_enforces() -> None:
    documented = table("security", "operation")
    allowed = {
        field: ["yes" if not operation.groups or group in operation.groups else "no" for group in (*GROUPS, None)]
        for field, operation in OPERATIONS.items()
    }
    assert documented == allowed
    assert f"| operation | {' | '.join(GROUPS)} | no group |" in page("security")


def test_every_function_has_a_row_that_says_what_it_may_and_why() -> None:
    rows = table("security", "function")
    assert set(rows) == {spec.name for spec in FUNCTIONS}
    assert all(may and why for may, why in rows.values())


def test_every_option_has_a_row_with_its_default() -> None:
    shipped: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]
    options = read_options({}, {}).model_dump(by_alias=True)
    documented = {name: cells[0] for name, cells in table("deploy", "option").items()}
    assert documented == {name: str(shipped.get(name, default) or "") for name, default in options.items()}


@each_page
def test_options_and_targets_in_commands_exist(name: str) -> None:
    text = shell(name)
    options = set(read_options({}, {}).model_dump(by_alias=True))
    assert set(re.findall(r"-c (\w+)=", text)) <= options
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake (\w+)", text)) <= targets


@each_page
def test_commands_of_the_aws_cli_are_right_by_name_and_argument(name: str) -> None:
    session = botocore.session.get_session()
    for service, operation, options in aws_commands(name):
        if (service, operation) in COMPOSED:
            assert options - EVERYWHERE <= COMPOSED[service, operation], f"aws {service} {operation}"
            continue
        model = session.get_service_model(service)
        names = {xform_name(known, "-"): known for known in model.operation_names}
        assert operation in names, f"aws {service} {operation}"
        shape = model.operation_model(names[operation]).input_shape
        members = {xform_name(member, "-"): member for member in shape.members} if shape else {}
        flags = {
            f"no-{option}"
            for option, member in members.items()
            if shape and shape.members[member].type_name == "boolean"
        }
        own = options - EVERYWHERE - (LISTING if session.get_paginator_model(service) else set())
        assert own <= members.keys() | flags, f"aws {service} {operation}"
        required = {xform_name(member, "-") for member in shape.required_members} if shape else set()
        assert required <= own | {flag.removeprefix("no-") for flag in own & flags}, f"aws {service} {operation}"


def test_the_commands_are_found() -> None:
    found = {(service, operation): options for name in PAGES for service, operation, options in aws_commands(name)}
    assert len(found) > 20
    assert found["cognito-idp", "admin-create-user"] == {
        "user-pool-id",
        "username",
        "user-attributes",
        "desired-delivery-mediums",
    }
    assert found["logs", "tail"] == {"since", "follow"}


@each_page
def test_queries_hold_against_the_schema(name: str) -> None:
    schema = build_schema(
        "scalar AWSDateTime scalar AWSJSON directive @aws_auth(cognito_groups: [String!]!) on FIELD_DEFINITION\n"
        + convert_for_appsync((ROOT / "graphql" / "schema.graphql").read_text(encoding="utf-8"))
    )
    for query in blocks(name, "graphql"):
        assert [error.message for error in validate(schema, parse(query))] == []


@each_page
def test_links_lead_somewhere_and_the_readme_leads_here(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page(name)):
        assert target.startswith("https://") or (ROOT / "docs" / target).is_file(), target
    assert f"(docs/{name}.md)" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_walk_through_the_code_names_each_file_once_and_every_file_exists() -> None:
    walk = re.findall(r"^\| `([\w.-]+/[\w./-]+)` \|", page("architecture"), re.MULTILINE)
    assert set(walk) == set(table("architecture", "file"))
    assert [path for path in walk if not (ROOT / path).is_file()] == []
    assert len(walk) == len(set(walk))


def test_headings_named_in_a_table_of_contents_exist() -> None:
    for text in (*map(page, PAGES), (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")):
        headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
        anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
        assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= anchors
