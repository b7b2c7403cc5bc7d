"""A bag of results with a known movement, written without running any stage: 40 frames, three without a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.bags.writer import BagWriter
from rehab_pose.datatypes import (
    Body,
    BodyParameters,
    ExerciseClassification,
    FloorPlane,
    JointAngles,
    Joints,
    Repetition,
    Side,
)
from rehab_pose.geometry.rotations import matrices_from_axis_angles
from rehab_pose.messages import topics
from rehab_pose.messages.angles import angles_message
from rehab_pose.messages.body import body_message
from rehab_pose.messages.exercise import classification_message, repetition_message
from rehab_pose.messages.floor import floor_plane_message
from rehab_pose.messages.joints import joints_message
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["write_known_results"]

FRAMES, RATE_HZ, START_NS = 40, 25, 5 * NS_PER_S
MISSING_FRAMES = (12, 13, 14)
"""Frames without a person."""
FRAME_ID = "camera"
TILT_RAD = 0.2
"""The camera looks down by this angle."""
HEIGHT_M = 1.3
JOINTS_BEHIND_BODY_M = np.array([0.0, 0.0, 0.01])
"""The published joints are so far from those of the fitted body, so that both are told apart."""
ANGLES = ("trunk_flexion", "left_hip_abduction", "right_knee_flexion", "pelvis_rotation")


def body_at(frame: int) -> Body:
    """Return a body of constant lengths whose joints all move."""
    phase = 2.0 * np.pi * frame / FRAMES
    random = np.random.default_rng(1)
    offsets = random.normal(0.0, 0.15, (24, 3))
    rotations_rad = random.normal(0.0, 0.4, (24, 3)) * np.sin(phase + random.uniform(0, 6, (24, 1)))
    rotations_rad[0] += (np.pi, 0.0, 0.0)  # upright: y of the body is against y of the camera
    local = matrices_from_axis_angles(rotations_rad)
    positions, world = np.zeros((24, 3)), np.zeros((24, 3, 3))
    for joint, parent in enumerate(SMPL_24.parents):
        if parent < 0:
            positions[joint], world[joint] = (0.1 * np.sin(phase), 0.2, 2.5), local[joint]
        else:
            positions[joint] = positions[parent] + world[parent] @ offsets[joint]
            world[joint] = world[parent] @ local[joint]
    return Body(
        stamp_ns=stamp(frame),
        frame_id=FRAME_ID,
        model_id="test-model",
        parameters=BodyParameters(
            betas=np.array([0.5, -0.25]), rotations_rad=rotations_rad, translation_m=positions[0] - (0.0, 0.9, 0.0)
        ),
        vertices_m=np.empty((0, 3), np.float32),
        joint_positions_m=positions,
        joint_rotations=world,
        residual_m=0.01,
        iterations=1,
        converged=True,
    )


def stamp(frame: int) -> int:
    """Return the stamp of a frame [ns]."""
    return START_NS + frame * NS_PER_S // RATE_HZ


def write_known_results(folder: Path) -> None:
    """Write the bag to a new folder."""
    up = np.array([0.0, -np.cos(TILT_RAD), -np.sin(TILT_RAD)])
    with BagWriter(folder) as bag:
        factory = bag.factory
        plane = FloorPlane(START_NS, FRAME_ID, np.array([*up, HEIGHT_M]))
        bag.write(topics.FLOOR_PLANE, START_NS, floor_plane_message(factory, plane))
        for frame in range(FRAMES):
            time_ns, missing = stamp(frame), frame in MISSING_FRAMES
            body = body_at(frame)
            joints = Joints(
                stamp_ns=time_ns,
                frame_id=FRAME_ID,
                skeleton=SMPL_24,
                positions_m=body.joint_positions_m + JOINTS_BEHIND_BODY_M,
                confidence=np.full(24, 0.75),
                sigma_m=np.full(24, 0.02),
                visibility=np.ones(24, np.uint8),
            )
            values = np.array([0.1, 0.2, 0.3, np.pi - 0.05 + 0.1 * (frame % 2)]) + 0.01 * frame
            values[3] = (values[3] + np.pi) % (2.0 * np.pi) - np.pi
            angles = JointAngles(time_ns, FRAME_ID, ANGLES, values, values, np.full(4, 0.5), np.full(4, 0.01))
            classification = ExerciseClassification(
                time_ns, FRAME_ID, time_ns, "squat", 0.9, np.array([0.1, 0.9]), out_of_distribution=False, model_id="m"
            )
            bag.write(topics.JOINTS, time_ns, joints_message(factory, time_ns, FRAME_ID, None if missing else joints))
            bag.write(topics.BODY, time_ns, body_message(factory, time_ns, FRAME_ID, None if missing else body))
            found = None if missing else angles
            bag.write(topics.JOINT_ANGLES, time_ns, angles_message(factory, time_ns, FRAME_ID, found))
            bag.write(topics.EXERCISE, time_ns, classification_message(factory, classification))
        for count in (1, 2):
            repetition = Repetition(
                stamp_ns=stamp(20 * count - 1),
                frame_id=FRAME_ID,
                label="squat",
                count=count,
                start_ns=stamp(20 * count - 20),
                end_ns=stamp(20 * count - 1),
                signal_name="trunk_flexion_rad",
                signal_minimum=0.0,
                signal_maximum=np.pi / 4,
                quality=float("nan"),
                side=Side.LEFT,
                quality_withheld="too few frames",
            )
            bag.write(topics.REPETITION, repetition.stamp_ns, repetition_message(factory, repetition))
