"""Settings shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from rehab_pose_lab.datasets.location import data_folder  # before pytest names the folder of its tests like the package
from rehab_pose_sim.stick_figure import FilmMaker, film

if TYPE_CHECKING:
    from collections.abc import Iterator

settings.register_profile("dev", max_examples=30, deadline=None)
settings.register_profile("ci", max_examples=100, deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "dev")

REPOSITORY = Path(__file__).resolve().parent


@pytest.fixture(scope="session", autouse=True)
def empty_exercise_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the developer's added exercises and sessions out of the tests, and of the programs that they start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(tmp_path_factory.mktemp("data")))
        patch.setenv("ROS_HOME", str(tmp_path_factory.mktemp("ros")))  # a session node ends interrupted sessions there
        yield


@pytest.fixture(scope="session")
def repository() -> Path:
    """Return the repository's root."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real recordings, which is not part of the repository; skip where it is absent."""
    folder = data_folder()
    if not folder.is_dir():
        pytest.skip(f"real recordings are not at {folder}; set REHAB_POSE_DATA")
    return folder


@pytest.fixture(scope="session")
def make_film() -> FilmMaker:
    """Return the function that makes joints of a stick figure doing an exercise."""
    return film
