"""Simulated exercises of the product's library: every one is there, rests on its support, and has exact truth."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rehab_pose.body.loader import load_body_model
from rehab_pose.body.skinning import pose_joints, pose_vertices
from rehab_pose.exercise.exercise_library import shipped_library
from rehab_pose.exercise.repetition_signals import body_axes, limb_values, signal_values
from rehab_pose.exercise.window_features import SMPL_INDICES
from rehab_pose_sim.exercise_recording import JointRecording, joint_recording
from rehab_pose_sim.motions import motion_plan
from rehab_pose_sim.posture_motions import RestingExerciseMotion, subject_motion
from rehab_pose_sim.repetition_timing import RepetitionTiming
from rehab_pose_sim.resting_exercises import RESTING_EXERCISES
from rehab_pose_sim.room import world_camera
from rehab_pose_sim.settings import EXERCISE_CHOICES, SimulationSettings
from rehab_pose_sim.supports import support_height_m
from rehab_pose_sim.upright_exercises import UPRIGHT_EXERCISES

NAMES = shipped_library().names
SINGLE = tuple(name for name in NAMES if shipped_library().definition(name).sides == "single")
ALTERNATING = tuple(name for name in NAMES if shipped_library().definition(name).sides == "alternating")


def recorded(exercise: str, **changes: float | str) -> JointRecording:
    values = {"exercise": exercise, "repetitions": 2, "gap_s": 0.5, "sway": 0.0}
    return joint_recording(SimulationSettings.from_mapping({**values, **changes}))


def signal_of(recording: JointRecording) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    joints_m = recording.joints_m[:, SMPL_INDICES]
    return signal_values(recording.label, joints_m, body_axes(joints_m, recording.up))


def at(recording: JointRecording, stamp_ns: int | np.int64) -> int:
    return int(np.searchsorted(recording.stamps_ns, stamp_ns))


def test_every_exercise_of_the_library_is_simulated() -> None:
    assert {"all", "none", *NAMES} == set(EXERCISE_CHOICES)
    assert {*UPRIGHT_EXERCISES, *RESTING_EXERCISES} == set(NAMES)
    assert len(NAMES) >= 21
    for name in NAMES:
        script = RESTING_EXERCISES.get(name) or UPRIGHT_EXERCISES[name]
        # A circle of the pelvis is counted by its swing to both sides, but has no side to stop at.
        assert script.two_sided == (name in ALTERNATING and name != "pelvis_rotation")


@pytest.mark.parametrize("name", NAMES)
def test_the_signal_goes_from_rest_to_the_far_point_in_every_repetition(name: str) -> None:
    definition, recording = shipped_library().definition(name), recorded(name)
    signal = signal_of(recording)
    assert np.isfinite(signal).all()
    rise = definition.signal.typical_range[1] - definition.signal.typical_range[0]
    assert 2.0 * definition.signal.minimum_range < rise
    for (start_ns, end_ns), far_ns in zip(recording.cycles_ns, recording.far_ns, strict=True):
        inside = signal[at(recording, start_ns) : at(recording, end_ns)]
        assert 0.7 * rise < np.ptp(inside) < 1.45 * rise
        if name != "pelvis_rotation":
            far = [signal[at(recording, stamp_ns)] for stamp_ns in far_ns]
            assert far[0] > inside.max() - 0.06 * rise
            assert not definition.two_sided or far[1] < inside.min() + 0.06 * rise
    still = signal[: at(recording, recording.stamps_ns[0] + 400_000_000)]
    assert np.ptp(still) < 0.1 * definition.signal.minimum_range
    first, shortest_s = recording.cycles_ns[0], definition.repetition_s[0]
    assert shortest_s < (first[1] - first[0]) * 1e-9 < definition.repetition_s[1]


@pytest.mark.parametrize("name", SINGLE)
def test_the_limb_tells_the_side(name: str) -> None:
    for side, other in (("left", "right"), ("right", "left")):
        recording = recorded(name, side=side)
        joints_m = recording.joints_m[:, SMPL_INDICES]
        limbs = limb_values(name, joints_m, body_axes(joints_m, recording.up))
        assert limbs is not None
        moving = slice(at(recording, recording.cycles_ns[0, 0]), at(recording, recording.cycles_ns[0, 1]))
        peaks = {"left": limbs[0][moving].max(), "right": limbs[1][moving].max()}
        assert peaks[side] > peaks[other] + 0.05


@pytest.mark.parametrize("name", [name for name in ALTERNATING if name != "pelvis_rotation"])  # a circle has no side
def test_one_side_alone_goes_to_that_side_only(name: str) -> None:
    both = signal_of(recorded(name))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        signal = sign * signal_of(recorded(name, side=side))
        middle = signal[0]
        assert signal.max() - middle > 0.35 * np.ptp(both)
        assert middle - signal.min() < 0.15 * np.ptp(both)


def test_holds_and_rests_are_in_the_truth_and_nothing_moves_in_them() -> None:
    for name in ("squat", "bird_dog", "clamshell"):
        recording = recorded(name, hold_s=3.0, rest_s=2.0)
        signal = signal_of(recording)
        for far_ns in recording.far_ns.ravel():
            held = signal[at(recording, far_ns + 50_000_000) : at(recording, far_ns + 2_950_000_000)]
            assert np.ptp(held) < 0.02 * np.ptp(signal)
        (_, end_ns), (start_ns, _) = recording.cycles_ns
        assert start_ns - end_ns == pytest.approx(2e9, abs=1e7)
        resting = slice(at(recording, end_ns + 20_000_000), at(recording, start_ns))
        assert np.ptp(signal[resting]) < 0.02 * np.ptp(signal)
        assert np.isnan(recording.phase[resting]).all()
        assert set(recording.repetitions[resting]) == {1}
        assert recording.repetitions[-1] == 2


@pytest.mark.parametrize("name", ["squat", "lunge", "seated_trunk_rotation", "prone_press_up", "clamshell"])
def test_interpolated_joints_are_those_of_the_rendered_motion(name: str) -> None:
    settings = SimulationSettings(exercise=name, repetitions=2, gap_s=0.5, sway=0.0, side="right", rate_hz=15.0)
    model, camera = load_body_model(), world_camera(settings)
    motion, recording = subject_motion(settings, model, np.zeros(model.shape_count)), joint_recording(settings)
    for index in range(5, len(recording.stamps_ns) - 1, 9):
        sample = motion.at(index / settings.rate_hz)
        exact = camera.in_camera(pose_joints(model, sample.parameters)[0])
        assert np.linalg.norm(recording.joints_m[index] - exact, axis=1).max() < 0.02  # breath and interpolation
        assert recording.phase[index] == pytest.approx(sample.phase, abs=1e-6, nan_ok=True)
        assert recording.repetitions[index] == sample.repetitions
    labels = {entry.label for entry in motion_plan(settings)}
    assert labels == {"none", name}


@pytest.mark.parametrize("name", RESTING_EXERCISES)
def test_a_lying_body_rests_on_its_support(name: str) -> None:
    settings, model = SimulationSettings(exercise=name, side="right"), load_body_model()
    motion = RestingExerciseMotion(model, np.zeros(model.shape_count), settings)
    for phase in (0.0, 0.5):
        script = RESTING_EXERCISES[name]
        lift = float(phase > 0.0) * (-1.0 if script.two_sided else 1.0)
        vertices = pose_vertices(model, motion.parameters(lift))
        assert vertices[:, 1].min() == pytest.approx(support_height_m(settings), abs=0.02)
        assert vertices[:, 1].max() < 1.1


@pytest.mark.parametrize("name", ["lunge", "marching", "single_leg_stance", "hip_hinge", "sit_to_stand"])
def test_the_standing_foot_stays_on_the_floor(name: str) -> None:
    settings, model = SimulationSettings(exercise=name, repetitions=1, gap_s=0.0), load_body_model()
    motion = subject_motion(settings, model, np.zeros(model.shape_count))
    lowest = [
        pose_vertices(model, motion.at(time_s).parameters)[:, 1].min()
        for time_s in np.arange(0.0, motion.length_s, 0.4)
    ]
    assert np.abs(lowest).max() < 0.025


def test_the_timing_of_a_repetition_has_its_holds() -> None:
    timing = RepetitionTiming.of(two_sided=True, side="both", hold_s=2.0)
    assert timing.length_s(4.0) == 8.0
    np.testing.assert_allclose(
        timing.phase(np.array([0.0, 1.0, 2.9, 4.0, 5.0, 6.5, 8.0]), 8.0), [0, 0.25, 0.25, 0.5, 0.75, 0.75, 1.0]
    )
    assert timing.far_points_s(8.0) == pytest.approx((1.0, 5.0))
    right = RepetitionTiming.of(two_sided=True, side="right", hold_s=1.0)
    np.testing.assert_allclose(right.phase(np.array([0.0, 1.0, 2.0, 3.0]), 3.0), [0.5, 0.75, 0.75, 1.0])
    assert replace(right, hold_s=0.0).length_s(2.0) == 2.0
