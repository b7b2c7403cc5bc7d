"""The arrows of docs/architecture.md: who may import whom."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "rehab_pose"
VOCABULARY = {"errors", "arrays", "datatypes", "settings", "geometry", "skeletons", "smoothing"}
FILE_READERS = {"weights", "checkpoints", "restricted_pickle"}
"""Our networks, other people's, and other people's arrays."""
STAGES = {
    "capture",
    "silhouette",
    "keypoints",
    "parts",
    "joints",
    "body",
    "biomechanics",
    "anatomy",
    "exercise",
}
ABOVE = {"pipeline", "training", "recordings", "simulation", "reports", "cli"}
ROS = {"ros", "nodes"}
ROS_PACKAGES = {
    "rclpy",
    "sensor_msgs",
    "std_msgs",
    "geometry_msgs",
    "visualization_msgs",
    "diagnostic_msgs",
    "builtin_interfaces",
    "rcl_interfaces",
    "rosgraph_msgs",
    "rehab_pose_msgs",
    "message_filters",
    "cv_bridge",
    "launch",
    "launch_ros",
    "ament_index_python",
}
TORCH_ALLOWED = ("network", "build", "checkpoint", "checkpoints", "torch")
"""A file may import torch when its name is one of these or ends with one: `deeplab_network`, `energy_torch`."""
VAGUE_NAMES = {"utils", "util", "common", "misc", "helpers", "helper", "tools"}
LINE_LIMIT = 400


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def unit_of(path: Path) -> str:
    relative = path.relative_to(PACKAGE)
    return relative.parts[0].removesuffix(".py")


def imported_by(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
    return names


def own_units(path: Path) -> set[str]:
    return {
        name.split(".")[1] for name in imported_by(path) if name.startswith("rehab_pose.") and len(name.split(".")) > 1
    }


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_follow_the_arrows(path: Path) -> None:
    unit = unit_of(path)
    used = own_units(path) - {unit}
    if unit in VOCABULARY or unit in {"weights", "restricted_pickle"}:
        assert used <= VOCABULARY
    elif unit == "checkpoints":
        # The same for networks that exist as PyTorch files.
        assert used <= VOCABULARY | {"weights"}
    elif unit == "messages":
        # Records of the stages and of the pipeline, made into messages: above them, below everything else.
        assert used <= VOCABULARY | STAGES | {"pipeline"}
    elif unit in STAGES:
        assert used <= VOCABULARY | FILE_READERS, "stages meet in datatypes, they never import each other"
    elif unit in ABOVE:
        # The command line starts nodes, so it alone may name the ROS side.
        assert not used & ROS or unit == "cli"
    elif unit == "ros":
        assert "nodes" not in used


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_the_ros_side_imports_ros(path: Path) -> None:
    packages = {name.split(".")[0] for name in imported_by(path)}
    if unit_of(path) not in ROS:
        assert not packages & ROS_PACKAGES


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_torch_stays_where_networks_are_trained(path: Path) -> None:
    packages = {name.split(".")[0] for name in imported_by(path)}
    if "torch" in packages:
        assert unit_of(path) == "training" or path.stem.rsplit("_", maxsplit=1)[-1] in TORCH_ALLOWED


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_are_named_for_a_concept_and_stay_small(path: Path) -> None:
    assert path.stem not in VAGUE_NAMES
    assert len(path.read_text().splitlines()) <= LINE_LIMIT


def test_the_pipeline_loads_with_ros_and_torch_blocked() -> None:
    program = f"""
import sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {sorted(ROS_PACKAGES | {"torch"})!r}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Block())
import rehab_pose.pipeline
rehab_pose.pipeline.Pipeline()
"""
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_importing_the_package_loads_nothing_heavy() -> None:
    program = (
        "import sys, rehab_pose; print([m for m in ('numpy', 'cv2', 'torch', 'rclpy', 'numba') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
