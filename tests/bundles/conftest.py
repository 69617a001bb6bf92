"""Bundles for this machine and for Lambda, and one story of all functions for the tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from stacks.bundling import BundleName, BundleTarget, build_bundles
from tests.support.bundles.account import local_account
from tests.support.bundles.isolated import link_runtime_client
from tests.support.bundles.story import Story, tell


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups, whatever folders are given
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests that share the story, or the folder of bundles, in one worker of pytest-xdist."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.xdist_group("bundles"))


@pytest.fixture(scope="session")
def shipped() -> dict[BundleName, Path]:
    """The bundles of the default architecture, built if a lock or a source file has changed."""
    return build_bundles(BundleTarget.for_lambda("arm64"))


@pytest.fixture(scope="session")
def native() -> dict[BundleName, Path]:
    """The same for the interpreter that runs this test."""
    return build_bundles(BundleTarget.for_this_machine())


@pytest.fixture(scope="session")
def runtime_client(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with AWS's runtime interface client and its own dependencies only."""
    return link_runtime_client(tmp_path_factory.mktemp("runtime-client"))


@pytest.fixture(scope="session")
def story(native: dict[BundleName, Path], runtime_client: Path, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Every function of the bundles run on real events."""
    with local_account() as account:
        return tell(account, native, runtime_client, tmp_path_factory.mktemp("functions"))
