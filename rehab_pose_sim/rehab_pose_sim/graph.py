"""The simulated camera's row in the table of the graph; rehab_pose finds it by the package's entry points."""

from __future__ import annotations

from rehab_pose.graph import NodeSpec, Section
from rehab_pose.messages import topics

__all__ = ["SIMULATION_SECTION", "SIM_CAMERA"]

SIM_CAMERA = NodeSpec(
    "sim_camera",
    "A simulated person in front of a simulated camera -> the camera's topics.",
    (),
    (),
    (*topics.CAMERA_TOPICS, topics.IMU),
    ("simulation",),
    package="rehab_pose_sim",
)
SIMULATION_SECTION = Section("rehab_pose_sim.settings:SimulationSettings")
