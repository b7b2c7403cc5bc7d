"""The movement of a repetition from the frames of its time, and its way through the journal."""

from __future__ import annotations

import json
import math
import tracemalloc
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.datatypes import (
    FloorPlane,
    JointAngles,
    Joints,
    JointVisibility,
    Repetition,
    RepetitionPhase,
    RepetitionProgress,
)
from rehab_pose.session.journal import Journal, read_journal
from rehab_pose.session.journal_content import JournalHeader
from rehab_pose.session.movement import RepetitionMovement
from rehab_pose.session.movement_history import MAX_FRAMES, MovementHistory
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from pathlib import Path

S = 1_000_000_000
NAMES = ("left_knee_flexion", "hip_rotation")


def repetition() -> Repetition:
    return Repetition(
        13 * S, "cam", "squat", 1, 10 * S, 13 * S, "pelvis_drop_m", 0.0, 1.0, 0.5, turn_ns=round(11.5 * S)
    )


def filled() -> MovementHistory:
    """Return 4 s at 10 Hz: the signal rises to 1 in 1 s, stays for 1 s and falls; the knee bends to 90 degrees."""
    history = MovementHistory()
    for index in range(40):
        stamp_ns = 9_500_000_000 + index * S // 10
        signal = float(np.interp(stamp_ns / S, [10.0, 11.0, 12.0, 13.0], [0.0, 1.0, 1.0, 0.0]))
        positions = np.zeros((24, 3))
        positions[:, 2] = 2.0
        positions[1] = (0.1, 0.2, 2.0 + signal)
        positions[5] = np.nan
        visibility = np.full(24, JointVisibility.OBSERVED, dtype=np.uint8)
        visibility[5] = JointVisibility.MISSING
        history.joints(Joints(stamp_ns, "cam", SMPL_24, positions, np.full(24, 0.8), np.zeros(24), visibility))
        angles = np.array([math.radians(90.0 * signal), 1.0])
        history.angles(JointAngles(stamp_ns, "cam", NAMES, angles, np.zeros(2), np.array([0.9, 0.1]), np.zeros(2)))
        progress = RepetitionProgress(stamp_ns, "cam", "squat", 0, RepetitionPhase.OUT, "pelvis_drop_m", signal, 0.0)
        history.progress(progress)
    return history


def test_joints_angles_hold_and_tracking_of_a_repetition() -> None:
    movement = filled().movement(repetition())
    assert movement is not None
    assert movement.joints_cm[1] == (10, -20, 100)
    assert movement.joints_cm[5] is None
    assert movement.angles_deg == (("left_knee_flexion", 0, 90),), "the other one is not certain enough"
    assert movement.hold_s == pytest.approx(1.2, abs=0.11)
    assert movement.tracking == pytest.approx(0.8)


def test_a_tilted_camera_is_levelled_by_the_floor() -> None:
    history = filled()
    history.floor(FloorPlane(1, "cam", np.array([1.0, 0.0, 0.0, 1.0])))  # the camera lies on its side
    movement = history.movement(repetition())
    assert movement is not None
    assert movement.joints_cm[1] == (20, 10, 100)


def test_nothing_received_is_no_movement_and_old_frames_are_forgotten() -> None:
    assert MovementHistory().movement(repetition()) is None
    history = filled()
    for index in range(MAX_FRAMES):
        history.progress(
            RepetitionProgress(20 * S + index, "cam", "squat", 0, RepetitionPhase.OUT, "pelvis_drop_m", 0.0, 0.0)
        )
    movement = history.movement(repetition())
    assert movement is not None
    assert math.isnan(movement.hold_s)
    history.clear()
    assert history.movement(repetition()) is None


def test_the_signal_of_another_exercise_does_not_count() -> None:
    history = filled()
    history.progress(RepetitionProgress(14 * S, "cam", "lunge", 0, RepetitionPhase.OUT, "x", 1.0, 0.0))
    movement = history.movement(replace(repetition(), label="lunge"))
    assert movement is not None
    assert math.isnan(movement.hold_s)
    assert movement.tracking == pytest.approx(0.8)


def test_other_names_replace_earlier_angles() -> None:
    history = filled()
    one = np.ones(1)
    history.angles(JointAngles(13 * S, "cam", ("trunk_flexion",), np.radians(30.0 * one), one, one, one))
    movement = history.movement(repetition())
    assert movement is not None
    assert movement.angles_deg == (("trunk_flexion", 30, 30),)


def test_the_journal_keeps_a_movement_and_reads_lines_without_one(tmp_path: Path) -> None:
    movement = filled().movement(repetition())
    journal = Journal.begin(tmp_path, JournalHeader("s1"))
    journal.add_repetition(repetition(), counted=True, movement=movement)
    journal.close()
    [entry] = read_journal(tmp_path).repetitions
    assert movement is not None
    assert entry.movement is not None
    assert entry.movement.fields() == movement.fields()
    path = tmp_path / "journal.jsonl"
    first, second = path.read_text().splitlines()
    line = json.loads(second)
    assert len(json.dumps(line["movement"])) < 2000
    del line["movement"]
    path.write_text(f"{first}\n{json.dumps(line)}\n")
    [entry] = read_journal(tmp_path).repetitions
    assert entry.movement is None


@pytest.mark.parametrize(
    "fields",
    [
        [],
        {"joints_cm": [[0, 0, 0]], "angles_deg": {}},
        {"joints_cm": [[0, 0, 9999]] * 24, "angles_deg": {}},
        {"joints_cm": [], "angles_deg": {"knee": [1]}},
        {"joints_cm": [], "angles_deg": {}, "tracking": 2.0},
        {"joints_cm": [], "angles_deg": {}, "hold_s": True},
    ],
)
def test_a_damaged_movement_is_refused(fields: object) -> None:
    with pytest.raises(ValueError, match="expected"):
        RepetitionMovement.from_fields(fields)


def test_a_long_session_keeps_little_memory_for_each_repetition(tmp_path: Path) -> None:
    moved = filled().movement(repetition())
    assert moved is not None
    angles = tuple((f"angle_{number}", -number, 300 + number) for number in range(40))
    repetitions = [replace(repetition(), start_ns=number) for number in range(200)]
    journal = Journal.begin(tmp_path, JournalHeader("s1"))
    tracemalloc.start()
    for entry in repetitions:
        movement = RepetitionMovement(moved.joints_cm, angles, moved.hold_s, moved.tracking)
        journal.add_repetition(entry, counted=True, movement=movement)
    kept_bytes = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    journal.close()
    assert kept_bytes / len(repetitions) < 1500
    assert journal.content.repetitions[7].movement is not None
    assert journal.content.repetitions[7].movement.angles_deg == angles


def test_angles_that_no_body_has_are_left_out() -> None:
    history = filled()
    one = np.ones(1)
    history.angles(JointAngles(13 * S, "cam", ("trunk_flexion",), 1e12 * one, one, one, one))
    movement = history.movement(repetition())
    assert movement is not None
    assert movement.angles_deg == ()
