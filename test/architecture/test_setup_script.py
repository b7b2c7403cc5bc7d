"""`setup.py` compiles the kernels where colcon installs the package in place, and nowhere else."""

from __future__ import annotations

import runpy
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
import setuptools
from setuptools.command.develop import develop
from setuptools.command.install import install

if TYPE_CHECKING:
    from pathlib import Path

# setuptools warns against these commands, but colcon calls them.
pytestmark = pytest.mark.filterwarnings(
    "ignore::setuptools.SetuptoolsDeprecationWarning", "ignore::setuptools.command.develop.DevelopDeprecationWarning"
)

PROGRAM = """import pathlib, sys
pathlib.Path("compiled").write_text(" ".join(sys.argv[1:]))
sys.exit("no numba" if pathlib.Path("broken").exists() else 0)
"""


@pytest.fixture
def setup_script(repository: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Return the names that setup.py defines."""
    monkeypatch.chdir(repository)
    with mock.patch.object(setuptools, "setup"):
        return runpy.run_path("setup.py")


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Return a folder with a program in place of the package's own."""
    program = tmp_path / "rehab_pose" / "cli" / "main.py"
    program.parent.mkdir(parents=True)
    program.write_text(PROGRAM)
    return tmp_path


@pytest.mark.parametrize("root", [None, "wheel"])
def test_kernels_are_compiled_where_the_package_stays(
    setup_script: dict[str, Any], installed: Path, root: str | None
) -> None:
    command = setup_script["Install"](setuptools.Distribution({"name": "rehab_pose"}))
    command.root, command.install_lib = root, str(installed)
    with mock.patch.object(install, "run"):
        command.run()
    assert (installed / "compiled").exists() == (root is None)


def test_an_editable_installation_compiles_in_the_source(setup_script: dict[str, Any], installed: Path) -> None:
    command = setup_script["Develop"](setuptools.Distribution({"name": "rehab_pose"}))
    with mock.patch.object(develop, "run"), mock.patch.dict(setup_script["Develop"].run.__globals__, ROOT=installed):
        command.run()
    assert (installed / "compiled").read_text() == "warm-up"


def test_a_failure_is_told_and_does_not_end_the_installation(
    setup_script: dict[str, Any], installed: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (installed / "broken").touch()
    setup_script["compile_kernels"](installed)
    assert "the kernels are compiled at the first start, not now (no numba)" in capfd.readouterr().err
