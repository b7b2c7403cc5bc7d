"""Metrics of a clip from results with known errors."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np
import pytest

from rehab_pose.body.loader import load_body_model
from rehab_pose.datatypes import (
    Body,
    BodyParameters,
    ImageJoints,
    JointAngles,
    Joints,
    JointVisibility,
    RgbdFrame,
    Silhouette,
)
from rehab_pose.drawing.rasteriser import render_person
from rehab_pose.errors import RecordingError
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.benchmarks.real_clip import (
    ClipRun,
    Marks,
    PlaneSteps,
    load_marks,
    mark_metrics,
    mesh_overlap,
    mesh_wrist_ok_pct,
    plane_steps,
    read_clip,
    segment_metrics,
)
from rehab_pose_lab.benchmarks.real_pictures import check_new_folder, write_contact_sheets

if TYPE_CHECKING:
    from pathlib import Path

    from rehab_pose.pipeline import PipelineResult

CAMERA = CameraIntrinsics(160, 120, 100.0, 100.0, 79.5, 59.5)
LEFT_WRIST, RIGHT_WRIST = SMPL_24.index("left_wrist"), SMPL_24.index("right_wrist")


def frame() -> RgbdFrame:
    return RgbdFrame(1, "camera", CAMERA, np.zeros((120, 160, 3), np.uint8), np.full((120, 160), 2.0, np.float32))


def joints(positions_m: np.ndarray, confidence: float = 0.9, sigma_m: float = 0.05) -> Joints:
    count = len(SMPL_24)
    return Joints(
        stamp_ns=1,
        frame_id="camera",
        skeleton=SMPL_24,
        positions_m=positions_m,
        confidence=np.full(count, confidence),
        sigma_m=np.full(count, sigma_m),
        visibility=np.full(count, JointVisibility.OBSERVED, np.uint8),
    )


def result(
    published: Joints | None,
    wrist_offset_m: float = 0.0,
    *,
    box: tuple[int, int, int, int] = (40, 20, 80, 90),
    marks: ImageJoints | None = None,
) -> PipelineResult:
    """Return a result whose mesh has all joints moved along x by an offset."""
    body, silhouette = None, None
    if published is not None:
        model = load_body_model()
        size = (box[3], box[2])
        silhouette = Silhouette(
            1, "camera", CAMERA, box, np.ones(size, np.bool_), np.zeros((*size, 3), np.uint8),
            np.full(size, 2.0, np.float32),
        )  # fmt: skip
        body = Body(
            stamp_ns=1,
            frame_id="camera",
            model_id=model.model_id,
            parameters=BodyParameters(np.zeros(model.shape_count), np.zeros((24, 3)), np.zeros(3)),
            vertices_m=(model.v_template + np.array([0.0, 0.0, 2.0])).astype(np.float32),
            joint_positions_m=published.positions_m + np.array([wrist_offset_m, 0.0, 0.0]),
            joint_rotations=np.tile(np.eye(3), (24, 1, 1)),
            residual_m=0.0,
            iterations=1,
            converged=True,
        )
    return cast(
        "PipelineResult", SimpleNamespace(silhouette=silhouette, joints=published, body=body, image_joints=marks)
    )


def run_of(*results: PipelineResult) -> ClipRun:
    names = tuple(f"{number:05d}" for number in range(len(results)))
    return ClipRun(names, tuple(frame() for _ in results), results)


def at_pixel(u: float, v: float) -> np.ndarray:
    """Return joints (24, 3) [m] that all project to a pixel."""
    return np.tile([(u - 79.5) * 0.02, (v - 59.5) * 0.02, 2.0], (24, 1))


def test_distances_from_marks_are_in_pixels() -> None:
    run = run_of(result(joints(at_pixel(70.0, 50.0))), result(joints(at_pixel(70.0, 50.0))), result(None))
    marks = Marks(5.0, {"00000": {LEFT_WRIST: (73.0, 54.0)}, "00001": {RIGHT_WRIST: (100.0, 50.0)}})
    metrics = mark_metrics(run, marks)
    assert metrics["marks_px_mean"] == pytest.approx((5.0 + 30.0) / 2.0)
    assert metrics["marks_over_20px_pct"] == 50.0
    assert metrics["marks_missing"] == 0.0
    assert metrics["marks_followed_pct"] == 100.0


def test_a_missing_joint_is_over_the_limit_but_not_part_of_the_mean() -> None:
    run = run_of(result(joints(at_pixel(70.0, 50.0))), result(None))
    marks = Marks(5.0, {"00000": {LEFT_WRIST: (70.0, 50.0)}, "00001": {LEFT_WRIST: (70.0, 50.0)}})
    metrics = mark_metrics(run, marks)
    assert metrics["marks_px_mean"] == pytest.approx(0.0, abs=1e-9)
    assert metrics["marks_over_20px_pct"] == 50.0
    assert metrics["marks_missing"] == 1.0


def test_another_person_is_noticed() -> None:
    run = run_of(result(joints(at_pixel(20.0, 50.0)), box=(0, 10, 40, 90)))
    metrics = mark_metrics(run, Marks(5.0, {"00000": {LEFT_WRIST: (130.0, 50.0), RIGHT_WRIST: (120.0, 60.0)}}))
    assert metrics["marks_followed_pct"] == 0.0


def test_without_marked_frames_nothing_is_known() -> None:
    metrics = mark_metrics(run_of(result(None)), Marks(5.0, {"99999": {LEFT_WRIST: (1.0, 1.0)}}))
    assert np.isnan(list(metrics.values())).all()


def test_lengths_that_change_have_their_standard_deviation() -> None:
    joints_m = np.zeros((4, 24, 3))
    for side, sign in (("left", 1.0), ("right", -1.0)):
        wrist = SMPL_24.index(f"{side}_wrist")
        joints_m[:, wrist, 0] = sign * np.array([0.24, 0.26, 0.24, 0.26])
    metrics = segment_metrics(joints_m)
    assert metrics["forearm_sd_mm"] == pytest.approx(10.0)
    assert metrics["thigh_sd_mm"] == 0.0
    joints_m[2] = np.nan
    assert segment_metrics(joints_m)["forearm_sd_mm"] == pytest.approx(1e3 * np.std([0.24, 0.26, 0.26]))
    assert np.isnan(segment_metrics(np.full((4, 24, 3), np.nan))["shank_sd_mm"])


def test_the_mesh_agrees_with_confident_wrists_near_it() -> None:
    published = joints(at_pixel(70.0, 50.0))
    unsure = joints(at_pixel(70.0, 50.0), confidence=0.4)
    assert mesh_wrist_ok_pct(run_of(result(published, 0.059), result(published, 0.061))) == 50.0
    assert np.isnan(mesh_wrist_ok_pct(run_of(result(unsure, 0.5), result(None))))


def test_the_mesh_overlaps_the_silhouette_that_it_fills() -> None:
    model = load_body_model()
    found = result(joints(at_pixel(70.0, 50.0)))
    assert found.body is not None
    _, triangle_id = render_person(model, found.body.vertices_m, CAMERA)
    rows, columns = np.nonzero(triangle_id >= 0)
    x, y = int(columns.min()), int(rows.min())
    box = (x, y, int(columns.max()) - x + 1, int(rows.max()) - y + 1)
    # The silhouettes of these results fill their boxes.
    share = len(rows) / (box[2] * box[3])
    tight = result(joints(at_pixel(70.0, 50.0)), box=box)
    assert mesh_overlap(run_of(tight, result(None)), model) == pytest.approx(share)
    assert np.isnan(mesh_overlap(run_of(result(None)), model))


def landmarks(u: float, visibility: float) -> ImageJoints:
    """Return landmarks that all are at a column of row 50."""
    pixels = np.tile([u, 50.0], (33, 1))
    return ImageJoints(1, "camera", pixels, np.full(33, visibility), np.zeros((33, 3)), 1.0)


def test_the_mesh_agrees_with_visible_landmarks_as_well() -> None:
    published = joints(at_pixel(70.0, 50.0))
    near, far = landmarks(89.0, 0.95), landmarks(91.0, 0.95)
    assert mesh_wrist_ok_pct(run_of(result(published, marks=near), result(published, marks=far))) == 50.0
    assert mesh_wrist_ok_pct(run_of(result(published, marks=landmarks(150.0, 0.8)))) == 100.0
    assert mesh_wrist_ok_pct(run_of(result(None, marks=near))) == 0.0


def angles(plane_deg: float, confidence: float = 0.9) -> JointAngles:
    names = ("left_shoulder_elevation", "left_shoulder_elevation_plane", "right_shoulder_elevation_plane")
    values = np.radians([70.0, plane_deg, np.nan])
    return JointAngles(1, "camera", names, values, np.zeros(3), np.full(3, confidence), np.full(3, 0.1))


def test_steps_of_the_plane_are_counted_around_the_circle() -> None:
    assert plane_steps([angles(0.0), angles(14.0), angles(30.0)]) == PlaneSteps(1, 2, 1, 2)
    assert plane_steps([angles(175.0), angles(-175.0)]) == PlaneSteps(0, 1, 0, 1)


def test_steps_without_confidence_are_counted_apart() -> None:
    assert plane_steps([angles(0.0), angles(60.0, 0.4), None, angles(0.0)]) == PlaneSteps(0, 0, 1, 1)
    assert PlaneSteps(1, 2, 3, 4, 5) + PlaneSteps(4, 3, 2, 1, 0) == PlaneSteps(5, 5, 5, 5, 5)


def test_steps_of_arms_that_really_turn_are_counted_apart() -> None:
    turned = np.array([[True, False], [False, True]])
    assert plane_steps([angles(0.0), angles(20.0), angles(40.0)], turned) == PlaneSteps(1, 2, 1, 2, 1)


def write_clip(folder: Path) -> None:
    for name, picture in (("color", frame().color), ("depth", np.full((120, 160), 2000, np.uint16))):
        (folder / name).mkdir(parents=True)
        for number in (7, 8):
            cv2.imwrite(str(folder / name / f"{number:05d}.png"), picture)
    camera = {"width": 160, "height": 120, "fx": 100.0, "fy": 100.0, "cx": 79.5, "cy": 59.5}
    (folder / "camera.json").write_text(json.dumps(camera), encoding="utf-8")


def test_a_clip_has_the_stamps_of_its_rate(tmp_path: Path) -> None:
    write_clip(tmp_path / "clip")
    names, frames = read_clip(tmp_path / "clip")
    assert names == ("00007", "00008")
    assert frames[1].stamp_ns - frames[0].stamp_ns == 66_666_667
    assert frames[0].intrinsics == CAMERA


def test_a_folder_that_is_no_clip_is_refused(tmp_path: Path) -> None:
    write_clip(tmp_path / "clip")
    (tmp_path / "clip" / "camera.json").unlink()
    with pytest.raises(RecordingError, match=r"one \.json with the intrinsics"):
        read_clip(tmp_path / "clip")


def test_marks_are_read_by_joint(tmp_path: Path) -> None:
    file = tmp_path / "marks.json"
    file.write_text('{"tolerance_px": 5, "frames": {"00007": {"left_wrist": [3, 4.5]}}}', encoding="utf-8")
    assert load_marks(file).frames == {"00007": {LEFT_WRIST: (3.0, 4.5)}}


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{",
        '{"tolerance_px": 5, "frames": {"1": {"left_thumb": [1, 2]}}}',
        '{"tolerance_px": 5, "frames": {"1": {"left_wrist": [1, NaN]}}}',
        '{"tolerance_px": 5, "frames": [1]}',
    ],
)
def test_damaged_marks_are_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "marks.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(RecordingError, match="expected"):
        load_marks(file)


def test_contact_sheets_show_every_frame(tmp_path: Path) -> None:
    found = result(joints(at_pixel(70.0, 50.0)))
    paths = write_contact_sheets(run_of(*[found] * 8, result(None)), load_body_model(), tmp_path / "new", "clip")
    assert [path.name for path in paths] == ["clip_01.png", "clip_02.png"]
    picture = cv2.imread(str(paths[0]))
    assert picture is not None
    assert picture.any()


def test_pictures_never_go_into_a_folder_with_files(tmp_path: Path) -> None:
    check_new_folder(tmp_path)
    check_new_folder(tmp_path / "new")
    (tmp_path / "file.txt").write_text("text", encoding="utf-8")
    for folder in (tmp_path, tmp_path / "file.txt"):
        with pytest.raises(RecordingError, match="new or empty"):
            check_new_folder(folder)
