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

from idp_finetuning.deployment import find_function
from stacks.bundling import BUILD, LOCKS, ROOT, BundleName, BundleTarget
from stacks.definitions import called_functions

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


def _versions(template: Template) -> dict[str, dict[str, Any]]:
    """The published versions by their logical ids."""
    return {name: r for name, r in template["Resources"].items() if r["Type"] == "AWS::Lambda::Version"}


def _called(template: Template) -> dict[str, str]:
    """The logical ids that the tasks of all state machines call, by placeholder."""
    return {
        f"{machine}: {placeholder}": value["Ref"]
        for machine, resource in template["Resources"].items()
        if resource["Type"] == "AWS::StepFunctions::StateMachine"
        for placeholder, value in resource["Properties"]["DefinitionSubstitutions"].items()
        if placeholder.endswith("Arn")
    }


def test_other_code_is_published_as_new_versions_which_executions_call_from_then_on(
    templates: dict[str, Template],
) -> None:
    before, edited = _versions(templates["first"]), _versions(templates["edited"])
    assert before.keys().isdisjoint(edited)
    assert len(before) == len(edited)
    assert set(_called(templates["first"]).values()) == before.keys()
    assert set(_called(templates["edited"]).values()) == edited.keys()
    assert _called(templates["first"]).keys() == _called(templates["edited"]).keys()


def test_versions_stay_when_others_take_their_place(templates: dict[str, Template]) -> None:
    """All but those of a deployment that failed, whose next try publishes the same code again."""
    for version in _versions(templates["first"]).values():
        assert (version["DeletionPolicy"], version["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_what_is_invoked_without_waiting_has_no_version_because_its_retries_belong_to_the_latest(
    templates: dict[str, Template],
) -> None:
    resources = templates["first"]["Resources"]
    versioned = {version["Properties"]["FunctionName"]["Ref"] for version in _versions(templates["first"]).values()}
    invoked = [r["Properties"] for r in resources.values() if r["Type"] == "AWS::Lambda::EventInvokeConfig"]
    assert {config["Qualifier"] for config in invoked} == {"$LATEST"}
    assert not versioned & {config["FunctionName"]["Ref"] for config in invoked}
    assert {resources[name]["Properties"]["FunctionName"] for name in resources if name in versioned} == {
        find_function(name).function_name("idp-finetuning") for name in called_functions()
    }
