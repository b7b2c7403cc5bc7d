"""Recogniser on the joints of the simulated person with noise, without rendering."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.body.skinning import pose_joints
from rehab_pose.datatypes import Joints, JointVisibility
from rehab_pose.exercise.catalogue import EXERCISES, NONE
from rehab_pose.exercise.recogniser import ExerciseRecogniser
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

RATE_HZ = 30
BIAS_SIGMA_M, NOISE_SIGMA_M = 0.015, 0.010
"""Constant and random error of a joint, about those of the joint network [m]."""


def frames_of(
    settings: SimulationSettings, seed: int
) -> tuple[list[Joints], list[str], list[float], NDArray[np.float64]]:
    """Return joints with errors, the true label and phase of each frame (NaN = no repetition), and the floor plane."""
    camera, rng = SimulatedCamera(settings), np.random.default_rng(seed)
    bias = rng.normal(0.0, BIAS_SIGMA_M, (24, 3))
    frames, labels, phases = [], [], []
    for index in range(camera.length_frames):
        sample = camera.motion_at(index)
        positions, _ = pose_joints(camera.model, sample.parameters)
        noise = rng.normal(0.0, NOISE_SIGMA_M, (24, 3))
        frames.append(
            Joints(
                stamp_ns=round(index * 1e9 / RATE_HZ),
                frame_id="camera_color_optical_frame",
                skeleton=SMPL_24,
                positions_m=camera._room.camera.in_camera(positions) + bias + noise,
                confidence=np.ones(24),
                sigma_m=np.full(24, 0.02),
                visibility=np.full(24, JointVisibility.OBSERVED),
            )
        )
        labels.append(sample.label)
        phases.append(sample.phase)
    return frames, labels, phases, camera.frame(0).truth.floor_plane


def true_count(labels: list[str], phases: list[float], label: str) -> int:
    """Return the number of repetitions that begin: the phase appears, or falls back to 0."""
    phase = np.array([phase for phase, true in zip(phases, labels, strict=True) if true == label])
    begun = np.isfinite(phase)
    starts = begun & np.concatenate([[True], ~begun[:-1] | (phase[1:] < phase[:-1])])
    return int(starts.sum())


@pytest.mark.parametrize(("seed", "shape_seed", "yaw_deg", "tempo"), [(1, 0, 0.0, 1.0), (5, 3, 25.0, 1.2)])
def test_five_exercises_in_sequence_are_recognised_and_counted(
    seed: int, shape_seed: int, yaw_deg: float, tempo: float
) -> None:
    settings = SimulationSettings(
        seed=seed, shape_seed=shape_seed, yaw_deg=yaw_deg, tempo=tempo, seconds_per_exercise=10.0
    )
    frames, labels, phases, floor_plane = frames_of(settings, seed)
    recogniser = ExerciseRecogniser()
    recogniser.set_floor_plane(floor_plane)
    updates = [recogniser.recognise(joints.stamp_ns, joints.frame_id, joints) for joints in frames]
    reported = [update.classification.label for update in updates]
    counts = Counter(update.repetition.label for update in updates if update.repetition is not None)
    for label in EXERCISES:
        frames_of_label = [index for index, true in enumerate(labels) if true == label]
        first, last = frames_of_label[0], frames_of_label[-1]
        assert label in reported[first : first + 3 * RATE_HZ], f"{label} was not reported within 3 s"
        later = reported[first + 3 * RATE_HZ : last + 1]
        assert later.count(label) > 0.97 * len(later), (label, Counter(later))
        assert counts[label] == true_count(labels, phases, label), label
    assert set(reported[: 2 * RATE_HZ]) == {NONE}


def test_standing_is_none_without_repetitions() -> None:
    frames, _, _, floor_plane = frames_of(SimulationSettings(exercise="none", sway=1.5), 3)
    recogniser = ExerciseRecogniser()
    recogniser.set_floor_plane(floor_plane)
    updates = [recogniser.recognise(joints.stamp_ns, joints.frame_id, joints) for joints in frames]
    assert {update.classification.label for update in updates} == {NONE}
    assert not any(update.repetition for update in updates)
