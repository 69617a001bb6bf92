"""The bundles as they are shipped: small, of Lambda's Python and architecture, and free of what is not needed."""

from __future__ import annotations

import re
import shutil
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from stacks import bundling
from stacks.bundling import BundleName, zipped_bytes
from stacks.bytecode import find_compiler

AARCH64 = 183  # e_machine of the ELF header
GLIBC = 34  # Amazon Linux 2023 has 2.34
LARGEST: dict[BundleName, int] = {"core": 10_000_000, "render": 25_000_000}
BY_NAME = pytest.mark.parametrize("name", ["core", "render"])

Bundles = dict[BundleName, Path]


def _tags(bundle: Path) -> Iterator[tuple[str, str, str]]:
    """Python, ABI and platform of every wheel that was installed."""
    for file in bundle.glob("*.dist-info/WHEEL"):
        for line in file.read_text(encoding="utf-8").splitlines():
            if line.startswith("Tag: "):
                python, abi, platform = line.removeprefix("Tag: ").split("-")
                yield python, abi, platform


@BY_NAME
def test_a_bundle_is_small_enough_to_start_quickly(
    shipped: Bundles, name: BundleName, capsys: pytest.CaptureFixture[str]
) -> None:
    size = zipped_bytes(shipped[name])
    with capsys.disabled():
        print(f"\n{name} bundle: {size / 1e6:.1f} MB zipped")
    assert size < LARGEST[name]


@BY_NAME
def test_every_wheel_is_for_lambdas_python_architecture_and_c_library(shipped: Bundles, name: BundleName) -> None:
    tags = list(_tags(shipped[name]))
    assert len(tags) >= len(list(shipped[name].glob("*.dist-info"))) > 10
    for python, abi, platform in tags:
        assert (python, abi) == ("cp313", "cp313") or (python in ("py2", "py3") and abi == "none")
        glibc = re.fullmatch(r"manylinux_2_(\d+)_aarch64", platform)
        assert platform in ("any", "manylinux2014_aarch64") or (glibc and int(glibc[1]) <= GLIBC), platform


@BY_NAME
def test_every_library_is_for_lambdas_python_and_architecture(shipped: Bundles, name: BundleName) -> None:
    libraries = [path for path in shipped[name].rglob("*") if re.search(r"\.so(\.|$)", path.name)]
    assert any("pydantic_core" in library.name for library in libraries)
    for library in libraries:
        header = library.read_bytes()[:20]
        assert header[:4] == b"\x7fELF", library
        assert struct.unpack("<H", header[18:20])[0] == AARCH64, library
        if made_for := re.search(r"\.(cpython-\d+|abi3|pypy)[^.]*", library.name):
            assert made_for[1] in ("cpython-313", "abi3"), library


def test_only_the_render_bundle_carries_pdfium_and_pillow(shipped: Bundles) -> None:
    for package in ("PIL", "pypdfium2", "pypdfium2_raw", "pillow.libs"):
        assert not (shipped["core"] / package).exists()
        assert (shipped["render"] / package).is_dir()


@BY_NAME
def test_a_bundle_holds_no_tests_or_trace_of_the_machine_that_built_it(shipped: Bundles, name: BundleName) -> None:
    unwanted = {"bin", "tests", "test", "RECORD", "INSTALLER", "direct_url.json"}
    paths = list(shipped[name].rglob("*"))
    assert [path for path in paths if path.name in unwanted] == []
    assert {path.stat().st_mode & 0o777 for path in paths} == {0o644, 0o755}


@BY_NAME
def test_all_modules_are_compiled_for_lambdas_python_or_none_if_there_is_no_such_python(
    shipped: Bundles, name: BundleName
) -> None:
    compiled = list(shipped[name].rglob("*.pyc"))
    if find_compiler(bundling.LAMBDA_PYTHON) is None:
        assert compiled == []
        return
    modules = {path.with_suffix("") for path in shipped[name].rglob("*.py")}
    assert {path.parent.parent / path.name.removesuffix(".cpython-313.pyc") for path in compiled} == modules
    for path in compiled:
        content = path.read_bytes()
        assert int.from_bytes(content[4:8], "little") == 1, path  # by hash, and never checked (PEP 552)
        assert str(shipped[name]).encode() not in content


def test_equal_sources_make_equal_bytecode_wherever_they_are(tmp_path: Path) -> None:
    compiler = find_compiler(f"{sys.version_info[0]}.{sys.version_info[1]}")
    assert compiler
    made = []
    for folder in (tmp_path / "a", tmp_path / "b/c"):
        shutil.copytree(
            bundling.SOURCES["idp_finetuning"], folder / "idp_finetuning", ignore=lambda *_: ["__pycache__"]
        )
        compiler.compile(folder, folder)
        made.append({path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.pyc")})
    assert made[0] == made[1]
    assert len(made[0]) > 100


def test_a_machine_without_lambdas_python_builds_without_bytecode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAMBDA_PYTHON", "/nowhere/python3.13")
    assert find_compiler("3.13") is None
    monkeypatch.setenv("LAMBDA_PYTHON", sys.executable)
    assert find_compiler("2.7") is None


@BY_NAME
def test_boto3_is_ours_and_cut_to_the_services_that_are_called(shipped: Bundles, name: BundleName) -> None:
    data = shipped[name] / "botocore" / "data"
    assert {path.name for path in data.iterdir() if path.is_dir()} == bundling.AWS_SERVICES
    assert {"endpoints.json", "partitions.json", "sdk-default-configuration.json"} <= {p.name for p in data.iterdir()}


@BY_NAME
def test_what_is_shipped_and_what_is_run_here_are_the_same_packages_and_sources(
    shipped: Bundles, native: Bundles, name: BundleName
) -> None:
    assert {p.name for p in shipped[name].glob("*.dist-info")} == {p.name for p in native[name].glob("*.dist-info")}
    for source in ("idp_finetuning", "lambdas"):
        found = [path for path in (shipped[name] / source).rglob("*") if path.is_file() and path.suffix != ".pyc"]
        files = [path.relative_to(shipped[name]) for path in found]
        assert files
        assert all((shipped[name] / file).read_bytes() == (native[name] / file).read_bytes() for file in files)
