"""FrameFiles: the files of a frame with and without a person."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from rehab_pose.body.loader import load_body_model
from rehab_pose.datatypes import ExerciseClassification, ExerciseUpdate, Joints, JointVisibility, RgbdFrame, Silhouette
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.pipeline import PipelineResult
from rehab_pose.results.frame_files import FrameFiles, joints_of
from rehab_pose.results.summary import frame_summary
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from pathlib import Path

CAMERA = CameraIntrinsics(40, 30, 30.0, 30.0, 19.5, 14.5)
FRAME = RgbdFrame(5, "camera", CAMERA, np.full((30, 40, 3), 90, np.uint8), np.full((30, 40), 2.0, np.float32))


def result(*, person: bool) -> PipelineResult:
    probabilities = np.eye(6)[0]
    classification = ExerciseClassification(5, "camera", 0, "none", 1.0, probabilities, False, "exercise-0")
    silhouette = joints = None
    if person:
        inside, color = np.ones((14, 10), np.bool_), np.zeros((14, 10, 3), np.uint8)
        silhouette = Silhouette(5, "camera", CAMERA, (5, 6, 10, 14), inside, color, np.ones((14, 10), np.float32))
        positions_m = np.arange(72, dtype=np.float64).reshape(24, 3) / 7.0
        positions_m[4] = np.nan
        visibility = np.full(24, JointVisibility.OBSERVED, np.uint8)
        visibility[4] = JointVisibility.MISSING
        joints = Joints(5, "camera", SMPL_24, positions_m, np.full(24, 0.8), np.full(24, 0.01), visibility)
    return PipelineResult(
        stamp_ns=5,
        frame_id="camera",
        silhouette=silhouette,
        image_joints=None,
        keypoints=None,
        parts=None,
        joints=joints,
        body=None,
        joint_angles=None,
        bones=None,
        exercise=ExerciseUpdate(classification, None),
        floor_plane=np.full(4, np.nan),
        stage_ms={},
    )


@pytest.mark.parametrize("person", [True, False])
def test_the_silhouette_image_contains_the_person(tmp_path: Path, *, person: bool) -> None:
    FrameFiles(tmp_path, load_body_model()).write("a", FRAME, result(person=person))
    mask = cv2.imread(str(tmp_path / "silhouettes" / "a.png"), cv2.IMREAD_UNCHANGED)
    assert mask is not None
    expected = np.zeros((30, 40), np.uint8)
    if person:
        expected[6:20, 5:15] = 255
    np.testing.assert_array_equal(mask, expected)
    overlay = cv2.imread(str(tmp_path / "overlays" / "a.jpg"))
    assert overlay is not None
    assert overlay.shape == (30, 80, 3)
    assert len(json.loads((tmp_path / "joints" / "a.json").read_text())["joints"]) == (24 if person else 0)


def test_missing_joints_are_null() -> None:
    entries = joints_of(result(person=True))["joints"]
    assert [entry["name"] for entry in entries] == list(SMPL_24.joint_names)
    assert entries[1] == {
        "name": "left_hip",
        "x": 0.4286,
        "y": 0.5714,
        "z": 0.7143,
        "confidence": 0.8,
        "visibility": "observed",
    }
    assert entries[4]["x"] is entries[4]["z"] is None
    assert entries[4]["visibility"] == "missing"


def test_the_summary_of_a_frame_without_a_person_has_no_joints() -> None:
    summary = frame_summary(result(person=False))
    assert (summary["silhouette_area_px"], summary["silhouette_box"], summary["joints"]) == (0, None, None)
    assert json.loads(json.dumps(summary, allow_nan=False)) == summary


def test_the_summary_contains_area_and_box_of_the_silhouette() -> None:
    summary = frame_summary(result(person=True))
    assert (summary["silhouette_area_px"], summary["silhouette_box"]) == (140, [5, 6, 10, 14])
    assert summary["joints"]["left_knee"] == [None, None, None, 0.8]
