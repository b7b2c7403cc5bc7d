from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.develop import develop
from setuptools.command.install import install

PACKAGE = "rehab_pose"
SHARE = f"share/{PACKAGE}"
ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))  # a build backend does not put the project's folder on the path

from rehab_pose.graph import NODES  # noqa: E402  (the table of the nodes, which loads no stage)

REQUIREMENTS = [
    'backports.zstd; python_version < "3.14"',  # it and lz4: chunks of bags
    "lz4",
    "numpy",
    "opencv-contrib-python-headless<5",  # OpenCV 5 moves AKAZE and BRISK
    "numba",
    "onnxruntime",
    "PyYAML",
    "rosbags>=0.11",
    "scipy",
    "tqdm",
]
"""Imported by the offline commands; ROS 2 itself comes from its distribution or from the ros-* wheels on PyPI."""
EXTRAS = {
    "batch": ["ray", "pandas", "pyarrow"],
    "completion": ["shtab"],
    "encryption": ["pyrage"],
    "exports": ["ezc3d", "imageio-ffmpeg", "pandas", "pyarrow", "xarray"],
    "reports": ["Jinja2", "weasyprint"],
    "torch": ["torch"],  # only for public checkpoints (DeepLabV3+, Single-Human-Parsing)
    "view": ["Jinja2", "starlette", "uvicorn", "websockets"],
}
"""Imported where they are used; a command whose extra is missing names it."""
MESSAGES = "rehab_pose_msgs"


def shared_folders(*roots: str) -> list[tuple[str, list[str]]]:
    """Return data_files entries that keep the folders' structure under share/."""
    entries = []
    for root in roots:
        for folder in [Path(root), *(path for path in sorted(Path(root).rglob("*")) if path.is_dir())]:
            files = sorted(str(path) for path in folder.iterdir() if path.is_file())
            if files:
                entries.append((f"{SHARE}/{folder}", files))
    return entries


def package_files(*endings: str) -> list[str]:
    """Return the package's files that are not Python, also those in folders that are not packages."""
    return sorted(str(path.relative_to(PACKAGE)) for path in Path(PACKAGE).rglob("*") if path.suffix in endings)


def compile_kernels(folder: Path) -> None:
    """Compile the kernels of an installed package beside its modules; otherwise the first launch does it.

    Args:
        folder: It contains the package.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", f"{PACKAGE}.cli.main", "warm-up"]
    done = subprocess.run(  # noqa: S603  (our own module, no shell)
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        reason = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]
        sys.stderr.write(f"{PACKAGE}: the kernels are compiled at the first start, not now ({reason})\n")


class Install(install):  # type: ignore[misc]
    """Installation by colcon, which installs in place; into the folder of a wheel nothing is compiled."""

    def run(self) -> None:
        """Install the package, then compile its kernels."""
        super().run()
        if self.root is None:
            compile_kernels(Path(self.install_lib).resolve())


class Develop(develop):  # type: ignore[misc]
    """Installation by `colcon build --symlink-install`."""

    def run(self) -> None:
        """Install the package, then compile its kernels."""
        super().run()
        compile_kernels(ROOT)


setup(
    name=PACKAGE,
    cmdclass={"install": Install, "develop": Develop},
    version="0.2.0",
    packages=find_packages(include=[PACKAGE, f"{PACKAGE}.*"]),
    package_data={PACKAGE: package_files(".npz", ".onnx", ".yaml", ".json", ".html", ".css", ".js", ".txt")},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (SHARE, ["package.xml", "NOTICE"]),
        *shared_folders("launch", "config", "rviz"),
        # Bags with our messages are written and read without ROS, from the definitions.
        (f"{SHARE}/msg", [str(path) for path in sorted(Path(MESSAGES, "msg").glob("*.msg"))]),
    ],
    python_requires=">=3.10",
    install_requires=REQUIREMENTS,
    extras_require=EXTRAS,
    zip_safe=False,
    maintainer="The rehab_pose maintainers",
    maintainer_email="maintainers@rehab-pose.invalid",
    description="Watches a person do rehabilitation exercises with one RGB-D camera",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            f"rehab-pose = {PACKAGE}.cli.main:main",
            *(f"{node.name} = {node.module}:main" for node in NODES),
        ],
    },
)
