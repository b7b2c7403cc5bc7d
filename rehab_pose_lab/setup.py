"""Build the package for colcon and pip."""

from __future__ import annotations

from setuptools import find_packages, setup

PACKAGE = "rehab_pose_lab"

setup(
    name=PACKAGE,
    version="0.2.0",
    package_dir={"": "."},
    packages=find_packages(include=[PACKAGE, f"{PACKAGE}.*"]),
    package_data={PACKAGE: ["py.typed", "methods/**/*.npz", "methods/**/*.yaml"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
    ],
    python_requires=">=3.10",
    install_requires=[
        *("rehab_pose", "rehab_pose_sim", "numpy", "numba", "opencv-contrib-python-headless<5", "PyYAML", "tqdm"),
        *("torch", "onnx", "onnxscript", "scipy"),  # scipy: linear algebra in numba's compiled functions
        "hypothesis",  # the fuzzer
    ],
    extras_require={"smplx": ["smplx==0.1.28"]},  # non-commercial licence; only the body model's tests use it
    zip_safe=False,
    maintainer="The rehab_pose maintainers",
    maintainer_email="maintainers@rehab-pose.invalid",
    description="Data sets, training, published methods and benchmarks of rehab_pose; not used on a robot",
    license="Apache-2.0",
    entry_points={"console_scripts": [f"rehab-pose-lab = {PACKAGE}.cli.main:main"]},
)
