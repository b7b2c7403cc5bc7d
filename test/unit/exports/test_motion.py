"""The world of exported files, constant rates, and gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.errors import RecordingError
from rehab_pose.exports.motion import held_over_gaps, motion_of, world_from_camera
from rehab_pose.geometry.rotations import is_rotation
from rehab_pose.recording.recording import Recording
from rehab_pose_sim.known_results import HEIGHT_M, MISSING_FRAMES, TILT_RAD, body_at

if TYPE_CHECKING:
    from pathlib import Path


def test_the_world_is_right_handed_with_the_floor_at_zero_and_the_camera_above_it() -> None:
    up = np.array([0.0, -np.cos(TILT_RAD), -np.sin(TILT_RAD)])
    transform = world_from_camera(np.array([*up, HEIGHT_M]))
    assert is_rotation(transform[:3, :3], 1e-9)
    assert transform[:3, :3] @ up == pytest.approx([0.0, 1.0, 0.0])
    assert transform[:3, 3] == pytest.approx([0.0, HEIGHT_M, 0.0])
    towards_person = transform[:3, :3] @ np.array([0.0, 0.0, 1.0])
    assert towards_person[0] < -0.9  # the person is on the negative x axis and faces along x
    level = world_from_camera(np.full(4, np.nan))
    assert level[:3, :3] @ np.array([0.0, -1.0, 0.0]) == pytest.approx([0.0, 1.0, 0.0])


def test_frames_that_lie_on_the_grid_are_not_changed_and_gaps_are_missing(known_results: Path) -> None:
    motion = motion_of(Recording(known_results), "walk")
    assert (np.flatnonzero(~motion.present) == MISSING_FRAMES).all()
    transform = world_from_camera(Recording(known_results).floor_plane)
    expected = body_at(20).joint_positions_m @ transform[:3, :3].T + transform[:3, 3]
    assert motion.body_joints_m()[20] == pytest.approx(expected, abs=1e-5)


def test_values_between_frames_are_interpolated_and_angles_pass_half_a_turn(
    known_results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording = Recording(known_results)
    exact = motion_of(recording, "walk")
    monkeypatch.setattr(Recording, "rate_hz", property(lambda _: 50.0))
    doubled = motion_of(Recording(known_results), "walk")
    assert len(doubled.times_s) == 2 * len(exact.times_s) - 1
    assert doubled.joint_positions_m[::2] == pytest.approx(exact.joint_positions_m, nan_ok=True)
    middle = 0.5 * (exact.joint_positions_m[4] + exact.joint_positions_m[5])
    assert np.isnan(doubled.joint_positions_m[9]).all()  # at 50 a second, frames of 25 a second are two periods apart
    assert np.isfinite(middle).all()


def test_a_motion_without_gaps_starts_and_ends_with_a_person(known_results: Path) -> None:
    motion = motion_of(Recording(known_results), "walk")
    rotations, pelvis_m = held_over_gaps(motion)
    assert np.isfinite(rotations).all()
    assert pelvis_m[13] == pytest.approx(motion.pelvis_m[11])


def test_a_recording_without_a_person_is_refused(known_results: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Recording, "rate_hz", property(lambda _: float("nan")))
    with pytest.raises(RecordingError, match="expected a person in two frames or more, walk has 40 frames"):
        motion_of(Recording(known_results), "walk")
