"""Synthesizes the stack in this process."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]

# jsii warns of Node 20 in a box of twelve lines; the variable lists the versions that it does not warn of.
os.environ["JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION"] = "18,20"


def assembled(folder: Path, *checks: Any, **changes: str) -> Path:
    """Synthesize cdk.json's context with changes into an empty folder, and return the folder of the cloud assembly.

    The Lambda bundles are a folder without code; `checks` are aspects of the whole app.
    """
    # Importing CDK starts a Node process and takes seconds, which tests without a template do not need.
    import aws_cdk

    from stacks.bundling import BundleName
    from stacks.finetuning_stack import FinetuningStack
    from stacks.options import read_options

    bundle, assembly = folder / "bundle", folder / "assembly"
    bundle.mkdir()
    (bundle / "handler.py").touch()
    bundles: dict[BundleName, Path] = {"core": bundle, "render": bundle}
    shipped: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    # Tests find unnamed resources by the paths of their constructs; the CDK CLI asks for these too.
    context = {**shipped, "aws:cdk:enable-path-metadata": True, **changes}
    app = aws_cdk.App(context=context, outdir=str(assembly), analytics_reporting=False)
    FinetuningStack(app, options=read_options(context, {}), bundles=bundles)
    for check in checks:
        aws_cdk.Aspects.of(app).add(check)
    app.synth()
    return assembly


def template_in(assembly: Path) -> dict[str, Any]:
    """Return the stack's template in an assembly."""
    (file,) = assembly.glob("*.template.json")
    template: dict[str, Any] = json.loads(file.read_text())
    return template


def shipped_template(base: Path) -> dict[str, Any]:
    """Return the template as it ships, synthesized by the first worker of pytest-xdist that asks for it.

    `base` is the worker's own base folder; it lies in the folder of the test run.
    """
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = shared / "shipped-template"
    with (shared / "shipped-template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            folder.mkdir()
            assembled(folder)
    return template_in(folder / "assembly")
