"""The two Lambda bundles, built by pip without Docker: `core` for most functions, `render` with PDFium and Pillow."""

from __future__ import annotations

import fcntl
import hashlib
import io
import platform
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from stacks import bytecode
from stacks.bytecode import COMPILER_VARIABLE, Compiler, find_compiler

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "lambda"

BundleName = Literal["core", "render"]
LOCKS: Mapping[BundleName, Path] = {
    "core": ROOT / "locks" / "lambda.lock",
    "render": ROOT / "locks" / "lambda-render.lock",
}
SOURCES: Mapping[str, Path] = {"idp_finetuning": ROOT / "src" / "idp_finetuning", "lambdas": ROOT / "lambdas"}

_FONTS = ROOT / "src" / "idp_finetuning" / "adapters" / "drawing" / "fonts"  # with their licences

LAMBDA_PYTHON = "3.13"
# Pillow publishes manylinux_2_28 wheels only, pypdfium2 older ones only; Amazon Linux 2023 has glibc 2.34.
_MANYLINUX = ("manylinux2014", "manylinux_2_17", "manylinux_2_28")
_MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}

# The services the functions call; the rest of botocore's models is 15 MB of every bundle.
AWS_SERVICES = frozenset(
    {
        "bedrock",
        "bedrock-runtime",
        "cognito-idp",
        "dynamodb",
        "lambda",
        "s3",
        "service-quotas",
        "sesv2",
        "stepfunctions",
        "sts",
    }
)
# What pip records about the installation; without it equal inputs make equal bundles.
_INSTALL_NOTES = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")


@dataclass(frozen=True)
class BundleTarget:
    """The machine a bundle runs on: AWS Lambda, or (`native`) this one."""

    architecture: str
    python: str
    native: bool = False

    @classmethod
    def for_lambda(cls, architecture: str) -> Self:
        """Return the target of AWS Lambda's Python runtime on arm64 or x86_64."""
        return cls(architecture=architecture, python=LAMBDA_PYTHON)

    @classmethod
    def for_this_machine(cls) -> Self:
        """Return the target of this interpreter, whose bundles a test can run."""
        architecture = {"aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "x86_64")
        return cls(architecture=architecture, python=f"{sys.version_info[0]}.{sys.version_info[1]}", native=True)

    @property
    def name(self) -> str:
        """Name of the folder with the target's bundles, for example arm64-3.13."""
        return f"{self.architecture}-{self.python}{'-native' if self.native else ''}"

    def pip_arguments(self) -> tuple[str, ...]:
        """Return the arguments that make pip choose the target's wheels."""
        if self.native:
            return ()
        machine = _MACHINES[self.architecture]
        platforms = [f"--platform={tag}_{machine}" for tag in _MANYLINUX]
        return (*platforms, f"--python-version={self.python}", "--implementation=cp")


def build_bundles(target: BundleTarget) -> dict[BundleName, Path]:
    """Return the folders of the bundles, built again if a lock, a source file or this module has changed."""
    (BUILD / target.name).mkdir(parents=True, exist_ok=True)
    compiler = find_compiler(target.python)
    if compiler is None:
        print(
            f"No Python {target.python} was found: the Lambda bundles hold no bytecode, and functions start 0.8 s "
            f"later. Install one, or name it with {COMPILER_VARIABLE}.",
            file=sys.stderr,
        )
    with (BUILD / target.name / "lock").open("w") as lock:
        # Two processes would write to the same folders.
        fcntl.flock(lock, fcntl.LOCK_EX)
        return {name: _build(name, target, compiler) for name in LOCKS}


def _build(name: BundleName, target: BundleTarget, compiler: Compiler | None) -> Path:
    bundle = BUILD / target.name / name
    compiled_by = compiler.version if compiler else ""
    packages_digest = _digest([Path(__file__), Path(bytecode.__file__), LOCKS[name]]) + compiled_by
    sources_digest = _digest([path for source in SOURCES.values() for path in _source_files(source)])
    packages_stamp, sources_stamp = (bundle.with_name(f"{name}.{part}") for part in ("packages", "sources"))
    if not _is_current(packages_stamp, packages_digest):
        for stamp in (packages_stamp, sources_stamp):
            stamp.unlink(missing_ok=True)
        shutil.rmtree(bundle, ignore_errors=True)
        _install_packages(bundle, LOCKS[name], target)
        if compiler:
            compiler.compile(bundle, bundle)
        packages_stamp.write_text(packages_digest)
    if not _is_current(sources_stamp, sources_digest):
        _copy_sources(bundle)
        if compiler:
            for source in SOURCES:
                compiler.compile(bundle / source, bundle)
        _make_readable(bundle)
        sources_stamp.write_text(sources_digest)
        print(f"Lambda bundle {target.name}/{name}: {zipped_bytes(bundle) / 1e6:.1f} MB zipped", file=sys.stderr)
    return bundle


def _is_current(stamp: Path, digest: str) -> bool:
    return stamp.is_file() and stamp.read_text() == digest


def _digest(files: list[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file.relative_to(ROOT)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def _source_files(source: Path) -> Iterator[Path]:
    return (path for path in sorted(source.rglob("*")) if path.suffix in (".py", ".json") or path.parent == _FONTS)


def _install_packages(bundle: Path, lock: Path, target: BundleTarget) -> None:
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"),
            *("--target", str(bundle), "--no-compile", "--no-deps", "--only-binary=:all:", "--require-hashes"),
            *target.pip_arguments(),
            *("-r", str(lock)),
        ],
        check=True,
    )
    # Scripts contain the path of the interpreter that installed them.
    shutil.rmtree(bundle / "bin", ignore_errors=True)
    for note in _INSTALL_NOTES:
        for path in bundle.glob(f"*.dist-info/{note}"):
            path.unlink()
    for package in ("boto3", "botocore"):
        for service in (bundle / package / "data").iterdir():
            if service.is_dir() and service.name not in AWS_SERVICES:
                shutil.rmtree(service)


def _copy_sources(bundle: Path) -> None:
    for name, source in SOURCES.items():
        shutil.rmtree(bundle / name, ignore_errors=True)
        for path in _source_files(source):
            if path.parent == _FONTS and bundle.name != "render":
                continue
            copy = bundle / name / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)


def _make_readable(bundle: Path) -> None:
    """Undo a strict umask of this machine: Lambda runs as another user."""
    for path in (bundle, *bundle.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def zipped_bytes(bundle: Path) -> int:
    """Return the size of the zip file that Lambda gets."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for path in sorted(bundle.rglob("*")):
            if path.is_file():
                target.write(path, path.relative_to(bundle))
    return archive.tell()
