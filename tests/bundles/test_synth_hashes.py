"""The same sources synthesize to the same template; an edit in the domain changes the code of every function."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from stacks.bundling import BUILD, LOCKS, ROOT, BundleName, BundleTarget

# What a synthesis reads.
CHECKOUT = ("cdk.json", "graphql", "locks", "lambdas", "stacks", "statemachines", "src/idp_finetuning")
EDITED = "src/idp_finetuning/test_sets/split.py"
LAMBDA = BundleTarget.for_lambda("arm64").name

# As app.py does it, in one process: CDK takes seconds to load.
SYNTHESIZE = """
import json, os, sys
from pathlib import Path
import aws_cdk
from stacks import bundling
from stacks.finetuning_stack import FinetuningStack
from stacks.options import read_options

def synthesize(name):
    context = json.loads(Path("cdk.json").read_text())["context"]
    app = aws_cdk.App(context=context, outdir=f"{sys.argv[1]}/{name}", analytics_reporting=False)
    target = bundling.BundleTarget.for_lambda("arm64")
    FinetuningStack(app, options=read_options(context, os.environ), bundles=bundling.build_bundles(target))
    app.synth()

assert Path(bundling.__file__).is_relative_to(Path.cwd())
synthesize("first")
for stamp in Path("build").rglob("*.sources"):
    stamp.unlink()
synthesize("again")
with open(sys.argv[2], "a") as source:
    source.write("\\n# A line more.\\n")
synthesize("edited")
"""

Template = dict[str, Any]


@pytest.fixture(scope="module")
def checkout(shipped: dict[BundleName, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository with the bundles it has built."""
    root = tmp_path_factory.mktemp("checkout")
    ignored = shutil.ignore_patterns("__pycache__")
    for name in CHECKOUT:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, root / name, ignore=ignored)
        else:
            shutil.copy(ROOT / name, root / name)
    shutil.copytree(BUILD / LAMBDA, root / (BUILD / LAMBDA).relative_to(ROOT))
    return root


def _code(template: Template) -> dict[str, str]:
    """Key of the code in the assets' bucket, which is its hash, by function."""
    return {
        resource["Properties"]["FunctionName"]: resource["Properties"]["Code"]["S3Key"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::Lambda::Function"
    }


@pytest.fixture(scope="module")
def templates(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Template]:
    """What the checkout synthesizes to: first, again with all sources copied anew, and with an edit in the domain."""
    output = tmp_path_factory.mktemp("assemblies")
    environment = {
        **os.environ,
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "18,20",
        "PYTHONPATH": f"{checkout}:{checkout / 'src'}",
    }
    command = [sys.executable, "-c", SYNTHESIZE, str(output), EDITED]
    subprocess.run(command, cwd=checkout, env=environment, check=True)
    return {
        name: json.loads(next((output / name).glob("*.template.json")).read_text(encoding="utf-8"))
        for name in ("first", "again", "edited")
    }


def test_what_has_not_changed_synthesizes_to_the_same_template(templates: dict[str, Template]) -> None:
    assert templates["first"] == templates["again"]


def test_an_edit_in_the_domain_changes_the_code_of_every_function(templates: dict[str, Template]) -> None:
    before, edited = _code(templates["first"]), _code(templates["edited"])
    assert before.keys() == edited.keys()
    assert len(before) > len(set(before.values())) == len(LOCKS)
    assert [name for name in before if before[name] == edited[name]] == []
