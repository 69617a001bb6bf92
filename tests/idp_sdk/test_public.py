from __future__ import annotations

import subprocess
import sys
import tomllib

import pytest
from pydantic import BaseModel, ValidationError

import idp_sdk
from idp_sdk import public
from idp_sdk.jobs import JobEvent
from tests.support.docs_pages import ROOT

HEAVY = ("boto3", "botocore", "aws_cdk", "flask", "PIL", "pypdfium2")


def loaded_after(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(answer.stdout.split())


def test_a_client_loads_no_aws_library() -> None:
    assert loaded_after("from idp_sdk import *; IDPClient").isdisjoint(HEAVY)


def test_errors_load_nothing_of_others() -> None:
    assert loaded_after("import idp_sdk.errors").isdisjoint({*HEAVY, "httpx", "pydantic"})


def test_every_public_name_can_be_imported_and_no_other() -> None:
    assert sorted(dir(idp_sdk)) == sorted(public.__all__)
    assert all(getattr(idp_sdk, name) is getattr(public, name) for name in public.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = idp_sdk.Nothing


def test_type_checkers_of_others_read_our_types() -> None:
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    for package in ("idp_sdk", "idp_finetuning"):
        assert "py.typed" in packages[package]
        assert (ROOT / "src" / package / "py.typed").is_file()


def test_results_are_frozen() -> None:
    models = [value for value in vars(public).values() if isinstance(value, type) and issubclass(value, BaseModel)]
    assert len(models) > 15
    assert all(model.model_config.get("frozen") for model in models)
    event = JobEvent.model_validate({"at": "2026-11-22T10:00:00Z", "type": "TRAINING", "message": "m"})
    with pytest.raises(ValidationError, match="frozen"):
        event.message = "other"
