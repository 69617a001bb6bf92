"""Who may do what, whole: the tables of docs/security.md walked against the operations and against the API."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from flask.testing import FlaskClient

from graphql import GraphQLSchema, get_named_type
from idp_finetuning.adapters.buckets import DataBucket
from idp_finetuning.adapters.services import Services
from idp_finetuning.adapters.tables.config_versions import ConfigVersionTable
from idp_finetuning.adapters.tables.jobs import JobTable
from idp_finetuning.adapters.tables.users import UserTable
from idp_finetuning.classification.scopes import UserRecord
from idp_finetuning.deployment import GROUPS
from idp_finetuning.errors import FinetuningError, Unauthorized
from idp_finetuning.operations.dispatch import ResolverEvent, respond
from idp_finetuning.operations.identity import Identity
from idp_finetuning.operations.table import OPERATIONS
from idp_local.api import execution
from idp_local.api.schema import Call, executable_schema
from idp_local.api.server import graphql_app
from idp_local.api.tokens import Caller, TokenVerifier
from idp_local.connection import Connection
from tests.idp_finetuning.conftest import client
from tests.support.docs_pages import table
from tests.support.domain.api import SCHEMA, SCHEMA_FILE, selection
from tests.support.domain.versions import CLASSES, completed_job

SUB = "sub-1"
MEMBERSHIPS: tuple[tuple[str, ...], ...] = (
    *((group,) for group in GROUPS),
    ("Viewer", "Author"),
    ("Reviewer", "Admin"),
    ("Reviewer", "Viewer"),
    ("admin",),
    (),
)
# In the order of the columns in docs/security.md; None: the look-up fails.
SITUATIONS: Mapping[str, tuple[str, ...] | None] = {
    "unrestricted": (),
    "in scope": ("claims", "other"),
    "out of scope": ("other",),
    "nothing": (),
    "look-up fails": None,
}
KNOWN = {"claims", "other", "beyond", "default"}
JOB = "6f1c2b1e-0000-4000-8000-000000000001"
START = {"jobName": "Job", "testSetId": "none", "baseModel": "us.amazon.nova-lite-v1:0"}
FILE = {"md5": "0" * 32, "size": 1}
# Requests that get as far as the thing they name, and change nothing where they are let in.
REQUESTS: Mapping[str, Callable[[], dict[str, Any]]] = {
    "listFinetuningJobs": dict,
    "getFinetuningJob": lambda: {"jobId": "none"},
    "estimateEvaluation": lambda: {"jobId": "none"},
    "getLossCurve": lambda: {"jobId": "none"},
    "getDatasetReport": lambda: {"jobId": "none"},
    "listDatasetDocuments": lambda: {"jobId": "none"},
    "listFinetuningJobEvents": lambda: {"jobId": "none"},
    "listEvaluatedPages": lambda: {"jobId": "none"},
    "compareFinetuningJobs": lambda: {"jobId": "none", "otherJobId": "none"},
    "getEvaluationReport": lambda: {"jobId": "none"},
    "gateFinetuningJob": lambda: {"jobId": "none"},
    "evaluateFinetuningJob": lambda: {"jobId": "none"},
    "startBaselineEvaluation": lambda: {"testSetId": "none", "baseModels": ["us.amazon.nova-lite-v1:0"]},
    "getBaselineEvaluation": lambda: {"testSetId": "none"},
    "listBaselinePages": lambda: {"testSetId": "none"},
    "validateTestSetForFinetuning": lambda: {"testSetId": "none"},
    "listAvailableModels": dict,
    "listTestSets": dict,
    "getTestSet": lambda: {"testSetId": "none"},
    "getFinetuningJobPrompt": lambda: {"jobId": JOB},
    "listConfigVersions": dict,
    "getConfigVersion": lambda: {"name": "claims"},
    "getClassification": lambda: {"classificationId": "none"},
    "getMyProfile": dict,
    "listUsers": dict,
    "startFinetuningJob": lambda: {"input": {**START, "configVersion": "claims"}},
    "createFinetuningJob": lambda: {"input": {**START, "configVersion": "claims"}},
    "stopFinetuningJob": lambda: {"jobId": "none"},
    "retryFinetuningJob": lambda: {"jobId": "none"},
    "deleteFinetuningJob": lambda: {"jobId": "none"},
    "createTestSet": lambda: {"input": {"name": "matrix"}},
    "createTestSetUploads": lambda: {"testSetId": "none", "files": [{"key": "input/a", **FILE}]},
    "completeTestSet": lambda: {"testSetId": "none"},
    "removeTestSetDocuments": lambda: {"testSetId": "none", "paths": ["a.pdf"]},
    "deleteTestSet": lambda: {"testSetId": "none"},
    "createConfigVersion": lambda: {"input": {"name": "claims", "fromJob": JOB}},
    "updateConfigVersion": lambda: {"input": {"name": "claims", "revision": 0}},
    "activateConfigVersion": lambda: {"name": "claims"},
    "rollbackConfigVersion": dict,
    "deleteConfigVersion": lambda: {"name": "claims"},
    "createClassificationUpload": lambda: {"input": {"fileName": "a.pdf", **FILE}},
    "startClassification": lambda: {"input": {"testSetId": "none", "documentPath": "a.pdf", "configVersion": "claims"}},
    "updateUser": lambda: {"input": {"user": "nobody@example.com", "allowedConfigVersions": []}},
}


class FailingTable:
    """Users that cannot be looked up."""

    def find(self, user_id: str) -> None:
        """Fails as a call to AWS does, or as anything may."""
        raise RuntimeError(user_id)


def expected(operation: str, groups: tuple[str, ...], situation: str) -> str:
    """What the two tables of docs/security.md say: yes, no, or which versions are listed."""
    columns = (*GROUPS, "")
    roles = dict(zip(columns, table("security", "operation")[operation], strict=True))
    if "yes" not in {roles[group] for group in (*groups, "") if group in roles}:
        return "no"
    scoped = {re.findall(r"\w+", row)[0]: cells for row, cells in table("security", "within the scope").items()}
    if operation not in scoped:
        return "yes"
    column = 0 if "Admin" in groups else list(SITUATIONS).index(situation)
    return scoped[operation][column]


def services_in(situation: str, users: UserTable) -> Services:
    """Services of a caller with this scope."""
    services = Services()
    names = SITUATIONS[situation]
    if names is None:
        services.__dict__["users"] = FailingTable()
        return services
    services.__dict__["users"] = users
    if situation == "nothing":
        users.delete(SUB)  # and the deployment gives nothing to users without a record
    else:
        users.put(UserRecord(id=SUB, allowed_config_versions=names, updated_at="", updated_by=""))
    return services


def outcome(operation: str, groups: tuple[str, ...], services: Services, listed: set[str]) -> str:
    """What dispatch does; every failure but a refusal means that the caller was let in."""
    identity = Identity(sub=SUB, username="author@example.com", groups=groups)
    try:
        data = respond(ResolverEvent(field=operation, arguments=REQUESTS[operation](), identity=identity), services)
    except Unauthorized:
        return "no"
    except FinetuningError:
        return "yes"
    if operation != "listConfigVersions":
        return "yes"
    shown = {item["name"] for item in data["items"]} & KNOWN
    return "all" if shown == KNOWN else "none" if not shown else "in it" if shown == listed else f"{shown}"


def over_appsync(operation: str, groups: tuple[str, ...], schema: GraphQLSchema) -> bool:
    """Whether the API hands the request to the resolver at all."""
    asked: list[str] = []

    def invoke(event: dict[str, Any]) -> dict[str, Any]:
        asked.append(event["field"])
        return {"result": {"error": {"type": "Asked", "message": ""}}}

    caller = Caller(sub=SUB, username="author@example.com", groups=groups)
    body = execution.execute_request(schema, request(operation), Call(caller, invoke))
    types = [error["errorType"] for error in body["errors"]]
    assert types in (["Asked"], ["Unauthorized"]), (operation, body)
    assert bool(asked) == (types == ["Asked"])
    return bool(asked)


def request(operation: str) -> execution.GraphQLRequest:
    """The request over HTTP."""
    query, mutation = SCHEMA.query_type, SCHEMA.mutation_type
    assert query
    assert mutation
    kind, root = ("query", query) if operation in query.fields else ("mutation", mutation)
    field = root.fields[operation]
    arguments = REQUESTS[operation]()
    declared = ", ".join(f"${name}: {field.args[name].type}" for name in arguments)
    passed = ", ".join(f"{name}: ${name}" for name in arguments)
    text = (
        f"{kind} Q{f'({declared})' if declared else ''} "
        f"{{ {operation}{f'({passed})' if passed else ''} {selection(get_named_type(field.type).name)} }}"
    )
    return execution.GraphQLRequest(query=text, variables=arguments)


@pytest.fixture
def without_token() -> FlaskClient:
    """The API over HTTP, for a caller without a token."""

    def unasked(*_: Any) -> Any:
        pytest.fail("the resolver was asked")

    app = graphql_app(
        executable_schema(SCHEMA_FILE.read_text(encoding="utf-8")),
        verifier=TokenVerifier(
            user_pool_id="us-east-1_x", client_id="c", keys={"keys": [{"kty": "oct", "k": "A" * 32}]}
        ),
        invoke=unasked,
        connection=Connection.model_construct(users=()),
        sign_in=unasked,
    )
    return app.test_client()


@pytest.fixture
def config_versions(environment: dict[str, str], jobs: JobTable, data: DataBucket) -> ConfigVersionTable:
    """Versions claims (active), other and beyond, and a completed job that trained with claims."""
    services = Services()
    admin = Identity(sub="admin", username="admin@example.com", groups=("Admin",))
    for name in ("claims", "other", "beyond"):
        given = {"name": name, "classification": {"classes": [item.to_wire() for item in CLASSES]}}
        event = ResolverEvent(field="createConfigVersion", arguments={"input": given}, identity=admin)
        respond(event, services)
    services.config_versions.activate("claims")
    completed_job(jobs, data, JOB, config_version="claims")
    return services.config_versions


def test_every_role_may_do_in_every_scope_what_the_tables_say_and_nothing_else(
    config_versions: ConfigVersionTable,
    without_token: FlaskClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DEFAULT_SCOPE", "none")
    assert set(REQUESTS) == set(OPERATIONS)
    users = UserTable(client("dynamodb"), "t-users")
    schema = executable_schema(SCHEMA_FILE.read_text(encoding="utf-8"))
    wrong = []
    for operation, groups in itertools.product(OPERATIONS, MEMBERSHIPS):
        admitted = expected(operation, groups, "unrestricted") != "no"
        if over_appsync(operation, groups, schema) != admitted:
            wrong.append((operation, groups, "@aws_auth", f"admits: {not admitted}"))
        for situation in SITUATIONS:
            if operation == "rollbackConfigVersion":
                for name in ("claims", "beyond"):  # the version to go back to is claims
                    config_versions.activate(name)
            said = expected(operation, groups, situation)
            done = outcome(operation, groups, services_in(situation, users), set(SITUATIONS[situation] or ()))
            config_versions.activate("claims")
            if said != done:
                wrong.append((operation, groups, situation, f"said {said}, was {done}"))
    for operation in OPERATIONS:
        answered = without_token.post("/graphql", json=request(operation).model_dump())
        refusal = (answered.status_code, answered.get_json()["errors"][0]["errorType"])
        if refusal != (401, "UnauthorizedException"):
            wrong.append((operation, (), "no token", str(refusal)))
    assert wrong == []
    assert {
        item.name for item in config_versions.page(limit=9, next_token=None, allows=KNOWN.__contains__).items
    } == KNOWN
