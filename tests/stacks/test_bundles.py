"""The Lambda bundles as they are shipped: complete, small, of the right machine, and the same every time."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import pytest

from idp_finetuning.settings import FUNCTIONS
from stacks import bundling
from stacks.bundling import BundleName, BundleTarget, build_bundles, zipped_bytes

AARCH64 = 183  # e_machine of the ELF header
LARGEST: dict[BundleName, int] = {"core": 10_000_000, "render": 25_000_000}


@pytest.fixture(scope="session")
def shipped() -> dict[BundleName, Path]:
    """The bundles of the default architecture, built where a lock or a source has changed."""
    return build_bundles(BundleTarget.for_lambda("arm64"))


@pytest.fixture(scope="session")
def native() -> dict[BundleName, Path]:
    """The same for the interpreter that runs this test."""
    return build_bundles(BundleTarget.for_this_machine())


@pytest.mark.parametrize("name", ["core", "render"])
def test_a_bundle_is_small_enough_to_start_quickly(shipped: dict[BundleName, Path], name: BundleName) -> None:
    size = zipped_bytes(shipped[name])
    print(f"{name}: {size / 1e6:.1f} MB zipped")
    assert size < LARGEST[name]


@pytest.mark.parametrize("name", ["core", "render"])
def test_wheels_and_libraries_are_of_lambdas_python_and_architecture(
    shipped: dict[BundleName, Path], name: BundleName
) -> None:
    tags = [
        line.removeprefix("Tag: ")
        for file in shipped[name].glob("*.dist-info/WHEEL")
        for line in file.read_text().splitlines()
        if line.startswith("Tag: ")
    ]
    assert len(tags) > 10
    for tag in tags:
        python, _, platform = tag.split("-")
        assert platform == "any" or platform.endswith("aarch64"), tag
        assert python in ("py2", "py3", "cp313"), tag
    libraries = [path for path in shipped[name].rglob("*") if ".so" in path.suffixes]
    assert libraries
    for library in libraries:
        header = library.read_bytes()[:20]
        assert header[:4] == b"\x7fELF"
        assert struct.unpack("<H", header[18:20])[0] == AARCH64, library
        assert "cpython" not in library.name or "cpython-313-aarch64" in library.name


def test_only_the_render_bundle_carries_pdfium_and_pillow(shipped: dict[BundleName, Path]) -> None:
    for package in ("PIL", "pypdfium2"):
        assert not (shipped["core"] / package).exists()
        assert (shipped["render"] / package).is_dir()


@pytest.mark.parametrize("name", ["core", "render"])
def test_a_bundle_holds_no_trace_of_the_machine_that_built_it(
    shipped: dict[BundleName, Path], name: BundleName
) -> None:
    left = [path for path in shipped[name].rglob("*") if path.suffix == ".pyc" or path.name in ("bin", "RECORD")]
    assert left == []
    assert {path.stat().st_mode & 0o777 for path in shipped[name].rglob("*")} == {0o644, 0o755}


@pytest.mark.parametrize("name", ["core", "render"])
def test_boto3_is_ours_and_cut_to_the_services_that_are_called(
    shipped: dict[BundleName, Path], name: BundleName
) -> None:
    data = shipped[name] / "botocore" / "data"
    services = {path.name for path in data.iterdir() if path.is_dir()}
    assert services == bundling.AWS_SERVICES
    assert {"endpoints.json", "partitions.json", "sdk-default-configuration.json"} <= {p.name for p in data.iterdir()}


def test_a_change_of_the_domain_changes_the_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "idp_finetuning"
    source.mkdir()
    (source / "split.py").write_text("SHARE = 0.9\n")
    monkeypatch.setattr(bundling, "ROOT", tmp_path)
    before = bundling._digest([source / "split.py"])
    assert bundling._digest([source / "split.py"]) == before
    (source / "split.py").write_text("SHARE = 0.8\n")
    assert bundling._digest([source / "split.py"]) != before


# Names every service that a client is made of: making one reads botocore's data.
IMPORT_ALL = """
import importlib, sys
sys.path[:0] = [sys.argv[1]]
for module in sys.argv[2].split(","):
    importlib.import_module(module)
import boto3
for service in sys.argv[3].split(","):
    boto3.client(service, region_name="us-east-1")
outside = {m.__name__ for m in list(sys.modules.values()) if "site-packages" in (getattr(m, "__file__", "") or "")}
sys.exit(f"imported from outside the bundle: {sorted(outside)}" if outside else 0)
"""


@pytest.mark.parametrize("name", ["core", "render"])
def test_every_handler_of_a_bundle_imports_with_nothing_but_the_bundle(
    native: dict[BundleName, Path], name: BundleName
) -> None:
    modules = ",".join(spec.handler.removesuffix(".handler") for spec in FUNCTIONS if spec.bundle == name)
    services = ",".join(sorted(bundling.AWS_SERVICES))
    command = [sys.executable, "-I", "-S", "-B", "-c", IMPORT_ALL, str(native[name]), modules, services]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
