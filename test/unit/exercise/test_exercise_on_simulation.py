"""Label and count on the simulated person's true joints, without rendering."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray

from rehab_pose.body.skinning import pose_joints
from rehab_pose.datatypes import Joints, JointVisibility
from rehab_pose.exercise.catalogue import EXERCISES, NONE
from rehab_pose.exercise.recogniser import ExerciseRecogniser
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.settings import SimulationSettings

RATE_HZ = 30
BIAS_SIGMA_M, NOISE_SIGMA_M = 0.015, 0.010
"""About the errors of a depth joint predictor."""


def frames_of(
    settings: SimulationSettings, seed: int
) -> tuple[list[Joints], list[str], list[float], NDArray[np.float64]]:
    """Return joints with errors, each true label and phase of the repetition (NaN between them), and the floor plane."""
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
                positions_m=camera._room.in_camera(positions) + bias + noise,
                confidence=np.ones(24),
                sigma_m=np.full(24, 0.02),
                visibility=np.full(24, JointVisibility.OBSERVED),
            )
        )
        labels.append(sample.label)
        phases.append(sample.phase)
    return frames, labels, phases, camera.frame(0).truth.floor_plane


def true_count(labels: list[str], phases: list[float], label: str) -> int:
    """Return how many repetitions begin: the phase falls back to 0 at each, and the first comes out of nothing."""
    mine = np.array([phase for phase, said in zip(phases, labels, strict=True) if said == label])
    begun = np.isfinite(mine)
    starts = begun & np.concatenate([[True], ~begun[:-1] | (mine[1:] < mine[:-1])])
    return int(starts.sum())


@pytest.mark.parametrize(("seed", "shape_seed", "yaw_deg", "tempo"), [(1, 0, 0.0, 1.0), (5, 3, 25.0, 1.2)])
def test_five_exercises_in_turn(seed: int, shape_seed: int, yaw_deg: float, tempo: float) -> None:
    settings = SimulationSettings(
        seed=seed, shape_seed=shape_seed, yaw_deg=yaw_deg, tempo=tempo, seconds_per_exercise=10.0
    )
    frames, labels, phases, floor_plane = frames_of(settings, seed)
    recogniser = ExerciseRecogniser()
    recogniser.set_floor_plane(floor_plane)
    updates = [recogniser.recognise(joints.stamp_ns, joints.frame_id, joints) for joints in frames]
    said = [update.recognition.label for update in updates]
    counts = Counter(update.repetition.label for update in updates if update.repetition is not None)
    for label in EXERCISES:
        mine = [index for index, true in enumerate(labels) if true == label]
        in_time = said[mine[0] : mine[0] + 3 * RATE_HZ]
        assert label in in_time, f"{label} was not said within 3 s"
        settled = said[mine[0] + 3 * RATE_HZ : mine[-1] + 1]
        assert settled.count(label) > 0.97 * len(settled), (label, Counter(settled))
        assert counts[label] == true_count(labels, phases, label), label
    assert set(said[: 2 * RATE_HZ]) == {NONE}


def test_standing_is_none_and_counts_nothing() -> None:
    frames, _, _, floor_plane = frames_of(SimulationSettings(exercise="none", sway=1.5), 3)
    recogniser = ExerciseRecogniser()
    recogniser.set_floor_plane(floor_plane)
    updates = [recogniser.recognise(joints.stamp_ns, joints.frame_id, joints) for joints in frames]
    assert {update.recognition.label for update in updates} == {NONE}
    assert not any(update.repetition for update in updates)
