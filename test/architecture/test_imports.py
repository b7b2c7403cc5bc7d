"""The import rules of docs/architecture.md."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parents[2]
PRODUCT, SIMULATOR, LABORATORY = "rehab_pose", "rehab_pose_sim", "rehab_pose_lab"
ROOTS = {PRODUCT: REPOSITORY, SIMULATOR: REPOSITORY / SIMULATOR, LABORATORY: REPOSITORY / LABORATORY}
MAY_IMPORT = {
    PRODUCT: {PRODUCT},
    SIMULATOR: {PRODUCT, SIMULATOR},
    LABORATORY: {PRODUCT, SIMULATOR, LABORATORY},
}
VOCABULARY = {
    "arrays",
    "datatypes",
    "errors",
    "filters",
    "geometry",
    "optimisation",
    "optional_packages",
    "output_file",
    "settings",
    "skeletons",
    "stage",
    "suggestions",
    "units",
}
FILE_READERS = {"array_file", "checkpoints", "onnx_content", "residual_network", "restricted_pickle", "weights"}
"""Readers of our networks, of public networks, and of arrays in pickles and in files of users."""
STAGES = {
    "biomechanics",
    "body",
    "bones",
    "capture",
    "exercise",
    "image_joints",
    "joints",
    "keypoints",
    "parts",
    "silhouette",
}
LAYERS: tuple[set[str], ...] = (
    VOCABULARY,
    FILE_READERS,
    STAGES,
    {"stage_groups"},
    {"pipeline"},
    {"messages"},
    {"graph"},
    {"launching"},
    {"bags", "drawing", "session"},
    {"results"},
    {"recording"},
    {"batch", "exports"},
    {"view"},
    {"ros"},
    {"nodes"},
    {"cli"},
)
"""Each unit of the product imports only units of its own and of lower layers; stages never import each other."""
ROS_UNITS = {"ros", "nodes"}
ROS_PACKAGES = {
    "action_msgs",
    "ament_index_python",
    "builtin_interfaces",
    "cv_bridge",
    "diagnostic_msgs",
    "geometry_msgs",
    "hri_msgs",
    "launch",
    "launch_ros",
    "message_filters",
    "rcl_interfaces",
    "rclpy",
    "rehab_pose_msgs",
    "rosgraph_msgs",
    "sensor_msgs",
    "std_msgs",
    "tf2_msgs",
    "visualization_msgs",
}
TORCH_FILES = ("network", "checkpoint", "checkpoints", "torch")
"""A file of the product may import torch when its name is one of these or ends with one, as in `deeplab_network`."""
MODULE_REFERENCE = re.compile(r"rehab_pose(?:_sim|_lab)(?:\.\w+)+(?::\w+)?")
VAGUE_NAMES = {"utils", "util", "common", "misc", "helpers", "helper", "tools"}
LINE_LIMIT = 400


class Module(NamedTuple):
    """A module of one of the three packages."""

    package: str
    name: str
    path: Path

    @property
    def unit(self) -> str:
        """First part of its name below the package; empty for the package itself."""
        return self.name.split(".")[1] if "." in self.name else ""


def modules() -> list[Module]:
    found = []
    for package, root in ROOTS.items():
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            found.append(Module(package, ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path))
    return found


MODULES = modules()
NAMES = {module.name for module in MODULES}
every_module = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)


def imported_names(tree: ast.AST, importer: Module) -> Iterator[str]:
    """Yield every module that is imported, also `from package import module` and relative imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                is_package = importer.path.name == "__init__.py"
                parents = importer.name.split(".")[: None if is_package and node.level == 1 else -node.level]
                base = ".".join([*parents, *([base] if base else [])])
            submodules = [f"{base}.{alias.name}" for alias in node.names if f"{base}.{alias.name}" in NAMES]
            yield from submodules or [base]


def without_type_checking(tree: ast.Module) -> ast.Module:
    """Return the tree without blocks that only type checkers read: those imports do not run."""
    body = [
        node
        for node in tree.body
        if not (isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"})
    ]
    return ast.Module(body=body, type_ignores=[])


def imports(module: Module, *, running_only: bool = False) -> set[str]:
    tree = ast.parse(module.path.read_text(encoding="utf-8"))
    return set(imported_names(without_type_checking(tree) if running_only else tree, module))


def layer(unit: str) -> int:
    """Return the layer of a unit of the product."""
    [place] = [index for index, units in enumerate(LAYERS) if unit in units]
    return place


@every_module
def test_packages_import_only_what_lies_below_them(module: Module) -> None:
    used = {name.split(".")[0] for name in imports(module)} & set(ROOTS)
    assert used <= MAY_IMPORT[module.package]


@pytest.mark.parametrize("module", [m for m in MODULES if m.package == PRODUCT], ids=lambda module: module.name)
def test_the_product_names_no_module_of_the_other_packages_in_a_string(module: Module) -> None:
    strings = [
        node.value
        for node in ast.walk(ast.parse(module.path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    assert not [text for text in strings if MODULE_REFERENCE.fullmatch(text)]


@pytest.mark.parametrize("module", [m for m in MODULES if m.package == PRODUCT], ids=lambda module: module.name)
def test_the_product_imports_downwards(module: Module) -> None:
    if not module.unit:
        return
    used = {name.split(".")[1] for name in imports(module) if name.startswith(f"{PRODUCT}.")} - {module.unit}
    for unit in used:
        assert layer(unit) <= layer(module.unit), f"{module.name} imports {unit}, which lies above it"
    if module.unit in STAGES:
        assert not used & STAGES, "stages meet in datatypes, they never import each other"


def test_every_unit_of_the_product_has_one_layer() -> None:
    units = {module.unit for module in MODULES if module.package == PRODUCT and module.unit}
    assert sorted(unit for units_of_layer in LAYERS for unit in units_of_layer) == sorted(units)


def test_no_import_cycles() -> None:
    graph = {module.name: imports(module, running_only=True) & NAMES - {module.name} for module in MODULES}
    state: dict[str, int] = {}

    def visit(name: str, path: list[str]) -> None:
        state[name] = 1
        for other in sorted(graph[name]):
            if state.get(other) == 1:
                cycle = [*path[path.index(other) :], other] if other in path else [name, other]
                pytest.fail(" -> ".join(cycle))
            if other not in state:
                visit(other, [*path, other])
        state[name] = 2

    for name in sorted(graph):
        if name not in state:
            visit(name, [name])


@every_module
def test_only_the_ros_side_imports_ros(module: Module) -> None:
    packages = {name.split(".")[0] for name in imports(module)} & ROS_PACKAGES
    ros_side = module.unit in ROS_UNITS or module.name in {
        f"{SIMULATOR}.graph_watch",
        f"{LABORATORY}.benchmarks.markers",
        f"{LABORATORY}.benchmarks.running_graph",
        f"{LABORATORY}.benchmarks.session_kills",
    }
    assert not packages or ros_side


@every_module
def test_torch_stays_in_the_laboratory_and_in_files_named_for_it(module: Module) -> None:
    if "torch" in {name.split(".")[0] for name in imports(module)}:
        assert module.package == LABORATORY or module.path.stem.rsplit("_", maxsplit=1)[-1] in TORCH_FILES


@every_module
def test_files_are_named_for_a_concept_and_stay_small(module: Module) -> None:
    assert module.path.stem not in VAGUE_NAMES
    assert len(module.path.read_text(encoding="utf-8").splitlines()) <= LINE_LIMIT


def test_the_resolver_finds_each_form_of_import() -> None:
    source = (
        "import rehab_pose.ros\nfrom rehab_pose import nodes\nfrom rehab_pose.errors import InputError\nfrom . import x"
    )
    importer = Module(PRODUCT, "rehab_pose.cli.run", REPOSITORY / "rehab_pose/cli/run.py")
    found = set(imported_names(ast.parse(source), importer))
    assert found == {"rehab_pose.ros", "rehab_pose.nodes", "rehab_pose.errors", "rehab_pose.cli"}


def run_python(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


def test_the_pipeline_loads_without_ros_torch_and_the_other_packages() -> None:
    blocked = sorted(ROS_PACKAGES | {"torch", SIMULATOR, LABORATORY})
    result = run_python(f"""
import sys

class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ModuleNotFoundError(name)

sys.meta_path.insert(0, Block())
import rehab_pose.pipeline
rehab_pose.pipeline.Pipeline()
""")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("name", ["rehab_pose", "rehab_pose.graph"])
def test_importing_the_package_or_its_table_loads_nothing_heavy(name: str) -> None:
    heavy = ("numpy", "cv2", "torch", "rclpy", "numba", "onnxruntime")
    result = run_python(f"import sys, {name}; print([m for m in {heavy!r} if m in sys.modules])")
    assert result.stdout.strip() == "[]", result.stderr
