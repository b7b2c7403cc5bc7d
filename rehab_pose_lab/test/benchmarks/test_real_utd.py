"""The comparison with a Kinect's joints, on recordings and methods with known errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.benchmarks.depth_estimators import DepthEstimate
from rehab_pose_lab.benchmarks.real_utd import (
    RUN_FRAMES,
    STILL_FRAMES,
    arms_turned,
    drawn_runs,
    jitter_mm,
    still_runs,
    utd_errors,
    utd_metrics,
)
from rehab_pose_lab.datasets.utd_mhad import FRAME_NS, UTD_JOINTS, load_utd_mhad

if TYPE_CHECKING:
    from pathlib import Path

    from rehab_pose.datatypes import Silhouette

FRAMES, SIDE_PX = 40, 40
MOVING_FROM = 25
"""First frame with joints that move, as they belong to depth frames."""


def write_subjects(folder: Path) -> None:
    """Write two subjects who rest and then move, in front of a plate."""
    joints_m = np.zeros((FRAMES, len(UTD_JOINTS), 3), np.float32)
    joints_m[:, :, 1] = np.linspace(0.8, -0.8, len(UTD_JOINTS))
    joints_m[:, :, 2] = 2.5
    joints_m[MOVING_FROM - 2 :, :, 0] = 0.02 * np.arange(FRAMES - MOVING_FROM + 2)[:, None]
    depth_mm = np.zeros((FRAMES, SIDE_PX, SIDE_PX), np.uint16)
    depth_mm[0, 5:-5, 5:-5] = 2500
    arrays = {"depth": depth_mm, "box": np.array([80, 120], np.int16), "joints": joints_m}
    for subject in ("s2", "s7"):
        named = {f"a1_t1_{name}": array for name, array in arrays.items()}
        np.savez_compressed(folder / f"{subject}.npz", **named)  # type: ignore[arg-type]


class Recorded:
    """Returns the joints of the recording with an error, and counts what it is asked for."""

    def __init__(self, offset_m: np.ndarray, left_wrist_m: float, sigma_m: float) -> None:
        self.resets, self.pauses = 0, 0
        self.stamps_ns: list[int] = []
        self._offset_m, self._left_wrist_m, self._sigma_m = offset_m, left_wrist_m, sigma_m
        self._sign = 1.0

    def reset(self) -> None:
        self.resets += 1

    def pause(self) -> None:
        self.pauses += 1

    def estimate(self, silhouette: Silhouette) -> DepthEstimate:
        self.stamps_ns.append(silhouette.stamp_ns)
        self._sign = -self._sign
        positions_m = np.tile([0.0, 0.0, 2.5], (24, 1)) + self._offset_m
        positions_m[SMPL_24.index("left_wrist"), 1] += self._sign * self._left_wrist_m
        return DepthEstimate(positions_m, np.full(24, self._sigma_m), np.ones(24))


def test_runs_are_drawn_from_the_inner_frames_and_always_the_same(tmp_path: Path) -> None:
    write_subjects(tmp_path)
    recordings = list(load_utd_mhad(tmp_path))[:1]
    runs = drawn_runs(recordings, 10, np.random.default_rng(1))
    assert [run.last for run in runs] == [run.last for run in drawn_runs(recordings, 10, np.random.default_rng(1))]
    assert len({run.last for run in runs}) == 10
    assert min(run.last for run in runs) >= 4
    assert max(run.last for run in runs) < 36
    assert all(run.last - run.first == RUN_FRAMES - 1 for run in runs)
    assert len(drawn_runs(recordings, 1000, np.random.default_rng(1))) == 32


def test_runs_at_rest_end_before_the_movement_begins(tmp_path: Path) -> None:
    write_subjects(tmp_path)
    runs = still_runs(list(load_utd_mhad(tmp_path))[:1])
    ends = [run.last for run in runs]
    assert len(runs) == 3
    assert max(ends) <= MOVING_FROM
    assert (np.diff(ends) >= STILL_FRAMES).all()


def test_constant_offsets_do_not_count_but_other_errors_do(tmp_path: Path) -> None:
    write_subjects(tmp_path)
    offset_m = np.random.default_rng(3).normal(0.0, 0.05, (24, 3))
    method = Recorded(offset_m, 0.0, 0.04)
    errors = utd_errors(tmp_path, {"recorded": method}, frames=20)["recorded"]
    assert errors.subjects == ("s2",) * 10 + ("s7",) * 10
    # The joints' heights differ by a constant; only the movement along x remains, the same for all joints.
    errors_mm = errors.errors_mm()
    known = np.isfinite(errors_mm).all(axis=0)
    assert known.sum() == 20
    np.testing.assert_allclose(errors_mm[:, known], errors_mm[:, known][:, :1] @ np.ones((1, 20)), atol=0.01)
    metrics = utd_metrics(errors)
    assert metrics["utd_mm_mean"] == pytest.approx(errors_mm[:, 0].mean())
    assert metrics["utd_heldout_mm_mean"] == pytest.approx(errors_mm[10:, 0].mean())
    assert metrics["utd_missing_pct"] == 0.0
    assert metrics["still_utd_rms_mm"] == pytest.approx(0.0, abs=1e-9)


def test_jitter_and_errors_of_one_joint_are_measured(tmp_path: Path) -> None:
    write_subjects(tmp_path)
    calm = utd_metrics(utd_errors(tmp_path, {"x": Recorded(np.zeros(3), 0.0, 0.04)}, frames=20)["x"])
    restless = utd_metrics(utd_errors(tmp_path, {"x": Recorded(np.zeros(3), 0.03, 0.04)}, frames=20)["x"])
    assert restless["still_utd_rms_mm"] > calm["still_utd_rms_mm"]
    assert restless["utd_elbow_mm"] == pytest.approx(calm["utd_elbow_mm"])


def test_subjects_are_reset_and_runs_are_paused(tmp_path: Path) -> None:
    write_subjects(tmp_path)
    method = Recorded(np.zeros(3), 0.0, 0.04)
    utd_errors(tmp_path, {"x": method}, frames=4)
    assert method.resets == 2
    assert method.pauses == 2 * (2 + 3)
    steps_ns = np.diff(method.stamps_ns)
    assert set(steps_ns[np.abs(steps_ns) < 10 * FRAME_NS]) == {FRAME_NS}
    assert np.count_nonzero(steps_ns < 0) == 1, "the stamps begin again with the second subject"


def test_an_upper_arm_that_turns_quickly_is_noticed() -> None:
    joints_m = np.zeros((3, len(UTD_JOINTS), 3))
    joints_m[:, [UTD_JOINTS.index("left_elbow"), UTD_JOINTS.index("right_elbow")], 1] = 0.3
    angle = np.radians(11.0)
    joints_m[2, UTD_JOINTS.index("right_elbow")] = (0.3 * np.sin(angle), 0.3 * np.cos(angle), 0.0)
    np.testing.assert_array_equal(arms_turned(joints_m), [[False, False], [False, True]])


def test_jitter_is_the_root_mean_square_around_the_mean() -> None:
    joints_m = np.zeros((4, 2, 3))
    joints_m[:, 1, 2] = (0.002, -0.002, 0.002, -0.002)
    joints_m[:, :, 0] = 5.0
    np.testing.assert_allclose(jitter_mm(joints_m), [0.0, 2.0], atol=1e-9)
