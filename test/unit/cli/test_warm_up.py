"""`rehab-pose warm-up` compiles every kernel that live frames need."""

import subprocess
import sys

PROGRAM = """
import argparse
import sys

from numba.core.dispatcher import Dispatcher

from rehab_pose.cli.warm_up import run


def signatures():
    modules = [module for name, module in list(sys.modules.items()) if name.startswith("rehab_pose.")]
    kernels = [entry for module in modules for entry in vars(module).values() if isinstance(entry, Dispatcher)]
    return {f"{entry.py_func.__module__}.{entry.py_func.__name__}{key}" for entry in kernels for key in entry.overloads}


run(argparse.Namespace())
from rehab_pose.pipeline import Pipeline
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.settings import SimulationSettings

before = signatures()
pipeline, camera = Pipeline(), SimulatedCamera(SimulationSettings(exercise="squat"))
for index in range(0, 100, 2):
    pipeline.process(camera.frame(index).frame)
assert len(before) > 30, "expected the kernels of all stages"
print(*sorted(signatures() - before), sep="\\n", end="")
"""


def test_frames_of_a_moving_person_need_no_other_kernel() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    compiled = [line for line in done.stdout.splitlines() if line.startswith("rehab_pose.")]
    assert compiled == []
