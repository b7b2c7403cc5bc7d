"""Build the package for colcon and pip."""

from __future__ import annotations

from setuptools import find_packages, setup

PACKAGE = "rehab_pose_sim"

setup(
    name=PACKAGE,
    version="0.2.0",
    package_dir={"": "."},
    packages=find_packages(include=[PACKAGE, f"{PACKAGE}.*"]),
    package_data={PACKAGE: ["py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
    ],
    python_requires=">=3.10",
    install_requires=["rehab_pose", "numpy", "numba", "opencv-contrib-python-headless<5"],
    zip_safe=False,
    maintainer="The rehab_pose maintainers",
    maintainer_email="maintainers@rehab-pose.invalid",
    description="Simulated people in front of a simulated RGB-D camera, with ground truth, and the demo of rehab_pose",
    license="Apache-2.0",
    entry_points={
        "console_scripts": [
            f"rehab-pose-sim = {PACKAGE}.cli.main:main",
            f"sim_camera = {PACKAGE}.nodes.sim_camera:main",
        ],
        "rehab_pose.nodes": [f"sim_camera = {PACKAGE}.graph:SIM_CAMERA"],
        "rehab_pose.sections": [f"simulation = {PACKAGE}.graph:SIMULATION_SECTION"],
    },
)
