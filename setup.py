from __future__ import annotations

from pathlib import Path

from setuptools import find_packages, setup

PACKAGE = "rehab_pose"
SHARE = f"share/{PACKAGE}"
NODES = (
    "biomechanics",
    "body",
    "exercise",
    "joints",
    "keypoints",
    "markers",
    "parts",
    "pipeline",
    "rep155_bridge",
    "rgbd_sync",
    "session",
    "silhouette",
    "sim_camera",
    "tf_bridge",
)


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
    """Return the package's files that are not Python, also those in folders that are no packages."""
    return sorted(str(path.relative_to(PACKAGE)) for path in Path(PACKAGE).rglob("*") if path.suffix in endings)


setup(
    name=PACKAGE,
    version="0.1.0",
    packages=find_packages(include=[PACKAGE, f"{PACKAGE}.*"]),
    package_data={PACKAGE: package_files(".npz", ".onnx", ".yaml", ".json")},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (SHARE, ["package.xml"]),
        *shared_folders("launch", "config", "rviz"),
    ],
    python_requires=">=3.10",
    install_requires=["setuptools"],
    extras_require={"test": ["pytest"], "smplx": ["smplx==0.1.28"]},  # smplx: non-commercial, never needed
    zip_safe=False,
    maintainer="The rehab_pose maintainers",
    maintainer_email="maintainers@rehab-pose.invalid",
    description="Watches a person do rehabilitation exercises with one RGB-D camera",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            f"rehab-pose = {PACKAGE}.cli.main:main",
            *(f"{node} = {PACKAGE}.nodes.{node}:main" for node in NODES),
        ],
    },
)
