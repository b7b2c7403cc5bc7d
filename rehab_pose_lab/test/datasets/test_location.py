"""The folder of the public data sets does not depend on the working directory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose_lab.datasets.location import DATA_VARIABLE, data_folder

if TYPE_CHECKING:
    import pytest


def test_the_default_is_next_to_the_repository(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(DATA_VARIABLE, raising=False)
    monkeypatch.chdir(tmp_path)
    assert data_folder() == repository.parent / "shared" / "data"


def test_the_environment_variable_replaces_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(DATA_VARIABLE, "elsewhere")
    assert data_folder() == Path(tmp_path / "elsewhere")
