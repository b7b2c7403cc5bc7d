"""Run all stages on a simulated person without ROS; print the exercise and a joint angle once a second.

python examples/process_frames.py --frames 450
"""

from __future__ import annotations

import argparse

import numpy as np

from rehab_pose.pipeline import Pipeline
from rehab_pose_sim.camera import SimulatedCamera

FRAMES_PER_S = 30
ANGLE = "left_shoulder_elevation"

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=300, help="number of frames to process (default: %(default)s)")
    camera, pipeline = SimulatedCamera(), Pipeline()
    for index in range(parser.parse_args().frames):
        result = pipeline.process(camera.frame(index).frame)
        if index % FRAMES_PER_S == 0:
            angles = result.joint_angles
            angle_rad = angles.angles_rad[angles.names.index(ANGLE)] if angles else np.nan
            label = result.exercise.classification.label
            print(f"{index / FRAMES_PER_S:5.1f} s  {label:20s} {ANGLE} {np.degrees(angle_rad):6.1f} deg")
