"""Labelled result bags are read as clips."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.bags.writer import BagWriter
from rehab_pose.datatypes import Joints, JointVisibility
from rehab_pose.errors import RecordingError
from rehab_pose.messages import topics
from rehab_pose.messages.joints import joints_message
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.datasets.labelled_bags import load_labelled_bags

if TYPE_CHECKING:
    from pathlib import Path

FRAME_NS, FIRST_NS = 100_000_000, 7_000_000_000
HEADINGS = "bag,subject,group,start_s,end_s,label\n"


def joints(index: int) -> Joints:
    positions_m = np.full((24, 3), 0.001 * index)
    positions_m[5] = np.nan
    return Joints(
        stamp_ns=FIRST_NS + index * FRAME_NS,
        frame_id="camera",
        skeleton=SMPL_24,
        positions_m=positions_m,
        confidence=np.ones(24),
        sigma_m=np.full(24, 0.01),
        visibility=np.full(24, JointVisibility.OBSERVED, dtype=np.uint8),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with one bag of 50 frames (five seconds), the first of them without a person."""
    with BagWriter(tmp_path / "monday") as bag:
        for index in range(50):
            frame = joints(index)
            message = joints_message(bag.factory, frame.stamp_ns, "camera", frame if index else None)
            bag.write(topics.JOINTS, frame.stamp_ns, message)
    return tmp_path


def test_each_line_is_a_clip(folder: Path) -> None:
    (folder / "labels.csv").write_text(f"{HEADINGS}monday,P1,patient,0,1.95,squat\nmonday,P1,patient,2,9,none\n")
    squat, none = load_labelled_bags(folder)
    assert (squat.subject, squat.group, squat.label, none.label) == ("P1", "patient", "squat", "none")
    assert len(squat.stamps_ns) == 20
    assert squat.stamps_ns[0] == FIRST_NS + FRAME_NS
    assert np.isnan(squat.positions_m[3, 5]).all()
    assert squat.positions_m[3, 4, 0] == pytest.approx(0.004)
    assert len(none.stamps_ns) == 29


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("monday,P1,,60,70,squat", "there are none"),
        ("monday,P1,,soon,70,squat", "in seconds"),
        ("../elsewhere,P1,,0,1,squat", "leads out of it"),
        ("tuesday,P1,,0,1,squat", "tuesday"),
    ],
)
def test_an_unusable_line_raises_or_is_left_out(folder: Path, line: str, message: str) -> None:
    (folder / "labels.csv").write_text(f"{HEADINGS}{line}\nmonday,P1,,0,1,squat\n")
    with pytest.raises(RecordingError, match=message):
        load_labelled_bags(folder)
    skipped: list[str] = []
    assert len(load_labelled_bags(folder, skipped=skipped)) == 1
    assert len(skipped) == 1


def test_a_folder_without_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"labels\.csv"):
        load_labelled_bags(tmp_path)
