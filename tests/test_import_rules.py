"""The contracts of import-linter in pyproject.toml: kept by the repository, and each seen to fail when it is broken."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[1]
SETTINGS: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
CONTRACTS: Mapping[str, str] = {contract["name"]: contract["id"] for contract in SETTINGS["contracts"]}
AWS_LIBRARIES = {"boto3", "botocore", "pypdfium2", "PIL", "aws_lambda_powertools"}


class Case(NamedTuple):
    """A module that is added to a copy of the repository: its folder and its only line that matters."""

    folder: str
    source: str
    imported: str


# Each breaks the contract it is listed under, with the module that import-linter names.
FORBIDDEN: Mapping[str, tuple[Case, ...]] = {
    "subjects": (
        Case("src/idp_finetuning/nova", "from ..test_sets import split", "idp_finetuning.test_sets.split"),
        Case("src/idp_finetuning/deployment", "from idp_finetuning.nova import quotas", "idp_finetuning.nova.quotas"),
        Case("src/idp_finetuning/test_sets", "from idp_finetuning.jobs import job", "idp_finetuning.jobs.job"),
        Case(
            "src/idp_finetuning/jobs",
            "from idp_finetuning.training_data.dataset import DatasetReport",
            "idp_finetuning.training_data.dataset",
        ),
        Case(
            "src/idp_finetuning/training_data",
            "import idp_finetuning.classification.scopes",
            "idp_finetuning.classification.scopes",
        ),
        Case(
            "src/idp_finetuning/classification",
            "def read():\n    from idp_finetuning.adapters import buckets",
            "idp_finetuning.adapters.buckets",
        ),
        Case("src/idp_finetuning/adapters", "from idp_finetuning.stages import end", "idp_finetuning.stages.end"),
        Case(
            "src/idp_finetuning/stages",
            "from idp_finetuning.operations import dispatch",
            "idp_finetuning.operations.dispatch",
        ),
    ),
    "aws-libraries": (
        Case("lambdas", "import boto3", "boto3"),
        Case("src/idp_finetuning/test_sets", "def read():\n    import boto3.session", "boto3"),
        Case("src/idp_finetuning/test_sets", "from botocore.exceptions import ClientError", "botocore"),
        Case("src/idp_finetuning/stages", "from PIL import Image", "PIL"),
        Case("src/idp_finetuning/stages", "import pypdfium2 as pdfium", "pypdfium2"),
        Case("src/idp_finetuning/stages", "from aws_lambda_powertools import Logger", "aws_lambda_powertools"),
    ),
    "domain": (
        Case("src/idp_finetuning/adapters", "import idp_local", "idp_local"),
        Case("src/idp_finetuning/adapters", "import lambdas.end_job", "lambdas.end_job"),
        Case("src/idp_finetuning/adapters", "from stacks import options", "stacks.options"),
        Case("src/idp_finetuning/jobs", "from idp_sdk import errors", "idp_sdk.errors"),
    ),
    "lambdas": (Case("lambdas", "from idp_local import runtime", "idp_local.runtime"),),
    "handlers": (Case("lambdas", "from lambdas import complete_job", "lambdas.complete_job"),),
    "sdk": (
        Case("src/idp_sdk", "from idp_finetuning.adapters.bedrock import Bedrock", "idp_finetuning.adapters.bedrock"),
        Case("src/idp_sdk", "from idp_finetuning import stages", "idp_finetuning.stages"),
        Case("src/idp_sdk", "import boto3", "boto3"),
    ),
    "cli": (Case("src/idp_cli", "from idp_finetuning.errors import Conflict", "idp_finetuning.errors"),),
    "local": (
        Case("src/idp_local", "from stacks.options import read_options", "stacks.options"),
        Case("src/idp_local", "from idp_cli import output", "idp_cli.output"),
    ),
    "stacks": (
        Case("stacks", "from idp_finetuning.errors import Conflict", "idp_finetuning.errors"),
        Case("stacks", "from idp_finetuning import deployment, jobs", "idp_finetuning.jobs"),
        Case("stacks", "import idp_finetuning", "idp_finetuning"),
    ),
    "tests": (Case("src/idp_local", "import tests.support.nova_rules", "tests"),),
}

ALLOWED = (
    Case("stacks", "from idp_finetuning import deployment", "idp_finetuning.deployment"),
    Case("stacks", "from idp_finetuning.nova import base_models", "idp_finetuning.nova.base_models"),
    Case("lambdas", "from idp_finetuning.adapters.services import Services", "idp_finetuning.adapters.services"),
    Case("src/idp_finetuning/adapters", "import boto3", "boto3"),
    Case("src/idp_finetuning/adapters", "from idp_finetuning.errors import Conflict", "idp_finetuning.errors"),
    Case("src/idp_finetuning/jobs", "from idp_finetuning.wire import WireModel", "idp_finetuning.wire"),
    Case("src/idp_sdk", "from idp_finetuning.jobs import job", "idp_finetuning.jobs.job"),
    Case("src/idp_cli", "from idp_sdk import IDPClient", "idp_sdk"),
    Case("src/idp_local", "import boto3", "boto3"),
    Case("src/idp_local", "import lambdas.end_job", "lambdas.end_job"),
    Case("src/idp_local/demo", "from idp_cli import output", "idp_cli.output"),
)


CASES = (*(case for cases in FORBIDDEN.values() for case in cases), *ALLOWED)


def _module(case: Case) -> str:
    """Name of the module that is added for a case."""
    return ".".join((*Path(case.folder).parts, f"case_{CASES.index(case)}")).removeprefix("src.")


def _broken_contracts(root: Path) -> dict[str, str]:
    """What import-linter reports of a copy of the repository, by the id of the broken contract."""
    result = subprocess.run(
        [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": f"{root / 'src'}:{root}", "COLUMNS": "300"},
        capture_output=True,
        text=True,
        check=False,
    )
    kept, _, broken = result.stdout.partition("Broken contracts")
    assert "Analyzed" in kept, result.stdout + result.stderr
    headings = "|".join(re.escape(name) for name in CONTRACTS)
    _, *parts = re.split(rf"^({headings})\n-+$", broken, flags=re.MULTILINE)
    return {CONTRACTS[name]: report for name, report in zip(parts[::2], parts[1::2], strict=True)}


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The reports on a copy to which the modules of all cases are added; no other module imports them."""
    root = tmp_path_factory.mktemp("copy")
    for folder in ("src", "stacks", "lambdas"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(ROOT / "pyproject.toml", root)
    modules = {f"{case.folder}/{_module(case).rpartition('.')[2]}.py": case.source for case in CASES} | {
        "src/idp_finetuning/unlayered.py": "",
        "src/idp_sdk/circle_1.py": "from idp_sdk import circle_2",
        "src/idp_sdk/circle_2.py": "from idp_sdk import circle_1",
        "src/idp_sdk/through.py": "from idp_finetuning.nova import hidden",
        "src/idp_finetuning/nova/hidden.py": "import boto3",
    }
    for file, source in modules.items():
        (root / file).write_text(f"{source}\n", encoding="utf-8")
    return _broken_contracts(root)


def test_the_repository_keeps_every_contract() -> None:
    assert _broken_contracts(ROOT) == {}


def test_the_contracts_see_every_package() -> None:
    packages = {path.parent.name for path in (*ROOT.glob("src/*/*.py"), *ROOT.glob("*/__init__.py"))} - {
        "benchmarks",
        "smoke",
    }
    assert packages == set(SETTINGS["root_packages"])
    (nobody,) = (contract for contract in SETTINGS["contracts"] if contract["id"] == "tests")
    assert set(nobody["source_modules"]) == packages


@pytest.mark.parametrize(
    ("contract", "case"), [(contract, case) for contract, cases in FORBIDDEN.items() for case in cases]
)
def test_an_import_that_a_contract_forbids_is_reported(reports: dict[str, str], contract: str, case: Case) -> None:
    assert f"{_module(case)} -> {case.imported} (l." in reports[contract]


@pytest.mark.parametrize("case", ALLOWED)
def test_an_import_that_the_contracts_allow_is_not_reported(reports: dict[str, str], case: Case) -> None:
    assert [contract for contract, report in reports.items() if f"{_module(case)} " in report] == []


def test_a_module_without_a_layer_is_reported(reports: dict[str, str]) -> None:
    assert "- idp_finetuning.unlayered\n" in reports["subjects"]


def test_modules_that_import_each_other_are_reported(reports: dict[str, str]) -> None:
    assert "- .circle_2 -> .circle_1 (1 import)" in reports["circles"]


def test_an_aws_library_behind_another_module_is_reported(reports: dict[str, str]) -> None:
    assert "idp_finetuning.nova.hidden -> boto3 (l.1)" in reports["sdk"]


def test_every_contract_is_seen_to_fail(reports: dict[str, str]) -> None:
    assert set(reports) == set(CONTRACTS.values())


def test_an_import_by_name_is_an_error_of_the_linter() -> None:
    source = "import importlib\n\nimportlib.import_module('boto3')\n"
    ruff = [str(Path(sys.executable).with_name("ruff")), "check", "--output-format=concise"]
    place = ["--stdin-filename", "src/idp_finetuning/stages/case.py", "-"]
    result = subprocess.run([*ruff, *place], input=source, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "case.py:3:1: TID251 `importlib.import_module` is banned" in result.stdout


def test_the_cdk_app_imports_nothing_of_the_repository_but_the_stack() -> None:
    tree = ast.parse((ROOT / "app.py").read_text(encoding="utf-8"))
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    modules |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    own = {*SETTINGS["root_packages"], "tests", "benchmarks"}
    assert {module.split(".")[0] for module in modules} & own == {"stacks"}


@pytest.mark.parametrize("package", ["idp_sdk", "idp_cli"])
def test_a_client_package_loads_no_aws_library(package: str) -> None:
    """Not even when every module of it is imported."""
    source = (
        "import importlib, pkgutil, sys\n"
        f"package = importlib.import_module({package!r})\n"
        f"for module in pkgutil.walk_packages(package.__path__, {package!r} + '.'):\n"
        "    if not module.name.endswith('__main__'):\n"
        "        importlib.import_module(module.name)\n"
        "print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True).stdout.split()
    assert package in loaded
    assert AWS_LIBRARIES & set(loaded) == set()
