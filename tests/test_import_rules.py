"""Who may import whom: the house rules, over every Python file of the repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.imports import Rule, loaded_by, python_files, rule_for, violations

ROOT = Path(__file__).resolve().parents[1]

# boto3 and what reads documents belong to the adapters alone; Powertools stands where Lambda's events come in.
ADAPTERS_ONLY = ("boto3", "botocore", "pypdfium2", "PIL", "aws_lambda_powertools")

RULES = (
    Rule("app.py", ours=("stacks",)),
    Rule("stacks", ours=("stacks", "idp_finetuning.deployment", "idp_finetuning.nova.base_models")),
    Rule("lambdas", ours=("idp_finetuning",), never=ADAPTERS_ONLY),
    Rule("src/idp_finetuning", ours=("idp_finetuning",), never=ADAPTERS_ONLY),
    Rule("src/idp_finetuning/adapters", ours=("idp_finetuning",)),
    Rule(
        "src/idp_sdk",
        ours=("idp_sdk", "idp_finetuning"),
        but_not=("idp_finetuning.adapters", "idp_finetuning.stages", "idp_finetuning.operations"),
        never=ADAPTERS_ONLY,
    ),
    Rule("src/idp_cli", ours=("idp_cli", "idp_sdk"), never=ADAPTERS_ONLY),
    Rule("src/idp_local", ours=("idp_local", "lambdas", "idp_finetuning", "idp_sdk")),
    Rule("src/idp_local/demo", ours=("idp_local", "idp_finetuning", "idp_sdk", "idp_cli")),
)


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, source in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
    return root


def test_the_repository_keeps_its_import_rules() -> None:
    assert violations(ROOT, RULES) == []


def test_the_rules_see_the_whole_house() -> None:
    places = {rule.place for file in python_files(ROOT) if (rule := rule_for(file, ROOT, RULES))}
    assert {
        "app.py",
        "stacks",
        "lambdas",
        "src/idp_finetuning",
        "src/idp_finetuning/adapters",
        "src/idp_sdk",
        "src/idp_cli",
        "src/idp_local",
        "src/idp_local/demo",
    } <= places


@pytest.mark.parametrize("package", ["idp_sdk", "idp_cli"])
def test_client_packages_load_no_aws_library(package: str) -> None:
    assert loaded_by(package, ROOT).isdisjoint(ADAPTERS_ONLY)


@pytest.mark.parametrize(
    ("file", "source"),
    [
        ("lambdas/end_job.py", "import boto3"),
        ("lambdas/end_job.py", "from idp_local.demo import service"),
        ("lambdas/end_job.py", "from lambdas import complete_job"),
        ("src/idp_finetuning/test_sets/split.py", "def read():\n    import boto3.session"),
        ("src/idp_finetuning/test_sets/split.py", "from botocore.exceptions import ClientError"),
        ("src/idp_finetuning/stages/prepare.py", "from PIL import Image"),
        ("src/idp_finetuning/stages/prepare.py", "import pypdfium2 as pdfium"),
        ("src/idp_finetuning/stages/prepare.py", "from aws_lambda_powertools import Logger"),
        ("src/idp_finetuning/stages/prepare.py", "import importlib\nimportlib.import_module('boto3')"),
        ("src/idp_finetuning/adapters/bedrock.py", "import idp_local"),
        ("src/idp_finetuning/adapters/bedrock.py", "import lambdas.end_job"),
        ("src/idp_finetuning/adapters/bedrock.py", "from stacks import options"),
        ("src/idp_sdk/client.py", "from idp_finetuning.adapters.bedrock import Bedrock"),
        ("src/idp_sdk/client.py", "from idp_finetuning import stages"),
        ("src/idp_sdk/client.py", "import boto3"),
        ("src/idp_cli/main.py", "from idp_finetuning.errors import Conflict"),
        ("src/idp_local/up.py", "from stacks.options import read_options"),
        ("src/idp_local/up.py", "import tests.support.nova_rules"),
        ("src/idp_local/up.py", "from idp_cli.output import table"),
        ("stacks/storage.py", "from idp_finetuning.errors import Conflict"),
        ("stacks/storage.py", "from idp_finetuning import deployment, jobs"),
        ("stacks/storage.py", "import idp_finetuning"),
        ("app.py", "from idp_finetuning.deployment import FUNCTIONS"),
    ],
)
def test_an_import_across_the_house_rules_is_found(tmp_path: Path, file: str, source: str) -> None:
    (found,) = violations(tree(tmp_path, {file: source}), RULES)
    assert found.startswith(f"{file}:")


def test_a_relative_import_counts_as_what_it_means(tmp_path: Path) -> None:
    sources = {
        "src/idp_sdk/__init__.py": "from .client import Client",
        "src/idp_sdk/jobs/waiting.py": "from ..client import Client\nfrom ...idp_local import up",
    }
    assert violations(tree(tmp_path, sources), RULES) == ["src/idp_sdk/jobs/waiting.py:2 imports idp_local.up"]


def test_a_package_without_a_rule_is_found(tmp_path: Path) -> None:
    assert violations(tree(tmp_path, {"src/idp_web/page.py": ""}), RULES) == ["src/idp_web/page.py has no rule"]


def test_what_the_rules_allow_is_not_reported(tmp_path: Path) -> None:
    sources = {
        "app.py": "import aws_cdk\nfrom stacks.options import read_options",
        "stacks/storage.py": "from idp_finetuning import deployment\nfrom idp_finetuning.nova import base_models",
        "lambdas/end_job.py": "from idp_finetuning.adapters.services import Services",
        "src/idp_finetuning/adapters/bedrock.py": "import boto3\nfrom idp_finetuning.errors import Conflict",
        "src/idp_finetuning/jobs/job.py": "import boto3_free_name\nfrom idp_finetuning.wire import WireModel",
        "src/idp_cli/main.py": "from idp_sdk import IDPClient",
        "src/idp_local/up.py": "import boto3\nimport lambdas.end_job\nfrom idp_finetuning import jobs",
    }
    assert violations(tree(tmp_path, sources), RULES) == []


def test_an_aws_library_behind_another_module_of_ours_is_found(tmp_path: Path) -> None:
    sources = {
        "src/idp_sdk/client.py": "from idp_finetuning.stages.read_labels import read",
        "src/idp_finetuning/__init__.py": "",
        "src/idp_finetuning/stages/read_labels.py": "from idp_finetuning.adapters import buckets",
        "src/idp_finetuning/adapters/buckets.py": "import boto3",
    }
    assert loaded_by("idp_sdk", tree(tmp_path, sources)) == {"boto3"}


def test_an_aws_library_that_only_a_call_loads_is_no_matter(tmp_path: Path) -> None:
    sources = {"src/idp_sdk/signing.py": "import json\n\ndef session():\n    import boto3"}
    assert loaded_by("idp_sdk", tree(tmp_path, sources)) == {"json"}
