"""All that the product imports is in package.xml, under a key that rosdep knows in every supported distribution."""

from __future__ import annotations

import ast
import sys
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEYS = {
    "backports": "python3-rosbags-pip",  # rosbags requires backports.zstd and lz4
    "cv2": "python3-opencv",
    "lz4": "python3-rosbags-pip",
    "numba": "python3-numba",
    "numpy": "python3-numpy",
    "onnxruntime": "python3-onnxruntime-pip",
    "rosbags": "python3-rosbags-pip",
    "scipy": "python3-scipy",
    "torch": "python3-torch",
    "tqdm": "python3-tqdm",
    "typing_extensions": "python3-typing-extensions",
    "yaml": "python3-yaml",
}
"""Key of rosdep by the module that is imported; a package of ROS has its own name as key."""
EXTRAS = {
    "ezc3d",
    "imageio_ffmpeg",
    "jinja2",
    "pandas",
    "pyarrow",
    "pyrage",
    "ray",
    "starlette",
    "uvicorn",
    "weasyprint",
    "xarray",
}
"""Packages of the extras of setup.py, which rosdep does not install: Ubuntu has none, or only other versions."""
STANDARD_LATER = {"compression"}
"""In the standard library from Python 3.14 on; `backports` before."""
UBUNTU = {"humble": "jammy", "jazzy": "noble", "kilted": "noble"}
APT, PIP = "apt", "pip"
ROSDEP = {
    "python3-numba": APT,
    "python3-numpy": APT,
    "python3-onnxruntime-pip": PIP,
    "python3-opencv": APT,
    "python3-pytest": APT,
    "python3-rosbags-pip": PIP,
    "python3-scipy": APT,
    "python3-torch": APT,
    "python3-tqdm": APT,
    "python3-typing-extensions": APT,
    "python3-yaml": APT,
}
"""Installer of each key on jammy and noble, as rosdistro's rosdep/python.yaml had them in August 2026."""
ROS_PACKAGES = {
    "action_msgs": set(UBUNTU),
    "ament_index_python": set(UBUNTU),
    "builtin_interfaces": set(UBUNTU),
    "cv_bridge": set(UBUNTU),
    "diagnostic_msgs": set(UBUNTU),
    "geometry_msgs": set(UBUNTU),
    "launch": set(UBUNTU),
    "launch_ros": set(UBUNTU),
    "message_filters": set(UBUNTU),
    "rcl_interfaces": set(UBUNTU),
    "rclpy": set(UBUNTU),
    "rosgraph_msgs": set(UBUNTU),
    "sensor_msgs": set(UBUNTU),
    "std_msgs": set(UBUNTU),
    "tf2_msgs": set(UBUNTU),
    "tf2_ros_py": set(UBUNTU),
    "visualization_msgs": set(UBUNTU),
}
"""Distributions in which a package was released, as rosdistro's distribution.yaml had them in August 2026."""
OPTIONAL_ROS = {"hri_msgs"}
"""Released for Humble and Jazzy only; the node that needs it says so."""


def imported_modules(folder: Path) -> Iterator[str]:
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name.partition(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                yield node.module.partition(".")[0]


@pytest.fixture
def dependencies(repository: Path) -> set[str]:
    root = ET.parse(repository / "package.xml").getroot()  # noqa: S314  (our own file)
    return {str(entry.text) for entry in root if entry.tag.endswith("depend")}


def test_every_import_is_a_dependency(repository: Path, dependencies: set[str]) -> None:
    ignored = set(sys.stdlib_module_names) | EXTRAS | STANDARD_LATER | OPTIONAL_ROS | {"rehab_pose", "rehab_pose_msgs"}
    imported = set(imported_modules(repository / "rehab_pose")) - ignored
    missing = {name for name in imported if KEYS.get(name, name) not in dependencies}
    assert not missing


def test_rosdep_and_the_distributions_know_every_dependency(dependencies: set[str]) -> None:
    unknown = dependencies - set(ROSDEP) - set(ROS_PACKAGES) - {"rehab_pose_msgs"}
    assert not unknown
    for package, released in ROS_PACKAGES.items():
        assert released == set(UBUNTU), f"{package} is not in every distribution"


def test_dependencies_of_setup_and_manifest_are_the_same(repository: Path, dependencies: set[str]) -> None:
    text = (repository / "setup.py").read_text()
    listed = ast.literal_eval(text[text.index("REQUIREMENTS = ") + len("REQUIREMENTS = ") : text.index("]\n") + 1])
    names = {entry.replace("<", " ").replace(">", " ").replace(";", " ").split()[0] for entry in listed}
    modules = {
        "PyYAML": "yaml",
        "opencv-contrib-python-headless": "cv2",
        "backports.zstd": "backports",
        "typing-extensions": "typing_extensions",
    }
    for name in names:
        assert KEYS[modules.get(name, name)] in dependencies, name
