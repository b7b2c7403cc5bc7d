"""FindingsHistory: streams matched by stamp, late and missing ones, other body models, and moved vertices."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.datatypes import Body, BodyParameters, BodyParts, KeypointFamily, Keypoints
from rehab_pose.exercise.fused_features import VERTEX_COUNT
from rehab_pose.exercise.fused_history import CAPACITY, LATE, NO_PARTS, OTHER_BODY, FindingsHistory
from rehab_pose.exercise.joint_history import JointHistory
from rehab_pose.exercise.window_features import SMPL_INDICES, WINDOW_SAMPLES
from rehab_pose.geometry.rotations import matrices_from_axis_angles

if TYPE_CHECKING:
    from numpy.typing import NDArray

MODEL = "body-1"
VERTICES = np.arange(0, 2 * VERTEX_COUNT, 2)
FRAME_NS = 33_333_333
FRAMES = 150
STREAMS = ("families", "contours_px", "rotations_rad", "vertices_m")


def keypoints(stamp_ns: int, u_px: float) -> Keypoints:
    nothing = np.full(3, np.nan, np.float32)
    pixels = np.array([[u_px - 1.0, 50.0], [u_px, 60.0], [u_px + 1.0, 70.0]], np.float32)
    return Keypoints(stamp_ns, "cam", (KeypointFamily("orb", pixels, nothing, nothing, nothing, nothing, None),))


def parts(stamp_ns: int, u_px: float) -> BodyParts:
    contours = np.full((20, 16, 2), u_px, np.float32)
    return BodyParts(stamp_ns, "cam", (40, 20, 30, 80), np.zeros((80, 30), np.uint8), contours)


NO_VERTICES = np.empty((0, 3), np.float32)


def body(stamp_ns: int, turn_rad: float, vertices_m: NDArray[np.float32] = NO_VERTICES) -> Body:
    rotations = np.full((24, 3), turn_rad)
    parameters = BodyParameters(np.zeros(10), rotations, np.zeros(3))
    eye = np.tile(np.eye(3), (24, 1, 1))
    return Body(stamp_ns, "cam", MODEL, parameters, vertices_m, np.zeros((24, 3)), eye, 0.0, 1, True)


def mesh(value_m: float) -> NDArray[np.float32]:
    return np.full((2 * VERTEX_COUNT, 3), value_m, np.float32)


def filled(
    late_frames: int = 0, *, motion: NDArray[np.float64] | None = None
) -> tuple[FindingsHistory, JointHistory, NDArray[np.int64]]:
    """Return histories of FRAMES frames, whose values are the number of the frame, and the times of the last window."""
    findings, joints = FindingsHistory(VERTICES, MODEL), JointHistory(16.0)
    for index in range(FRAMES):
        stamp_ns = (index + 1) * FRAME_NS
        joints.append_positions(stamp_ns, np.zeros((len(SMPL_INDICES), 3)), *([] if motion is None else [motion]))
        if index < FRAMES - late_frames:
            findings.add_frame(
                stamp_ns, keypoints(stamp_ns, index), parts(stamp_ns, index), body(stamp_ns, index, mesh(index))
            )
    times_ns = FRAMES * FRAME_NS - np.arange(WINDOW_SAMPLES - 1, -1, -1) * 100_000_000
    return findings, joints, times_ns


def test_every_stream_is_resampled_to_the_times_of_the_joints() -> None:
    findings, joints, times_ns = filled()
    window = findings.window(times_ns, joints)
    frames = np.rint(times_ns / FRAME_NS - 1.0)
    np.testing.assert_allclose(window.families[0, :, 3, 0], frames, atol=1e-3)
    np.testing.assert_array_equal(window.contours_px[0, :, 7, 2, 1], frames)
    np.testing.assert_array_equal(window.rotations_rad[0, :, 5, 2], frames)
    np.testing.assert_array_equal(window.vertices_m[0, :, 9, 1], frames)
    assert (window.boxes_px == [40.0, 20.0, 30.0, 80.0]).all()
    assert not findings.dropped


@pytest.mark.parametrize(("step", "complete"), [(7, True), (9, False)], ids=["4.3 Hz", "3.3 Hz"])
def test_a_slow_stream_has_no_gaps_from_4_hz_on(step: int, complete: bool) -> None:
    findings, joints = FindingsHistory(VERTICES, MODEL), JointHistory(16.0)
    for index in range(0, FRAMES, step):
        findings.add_parts((index + 1) * FRAME_NS, parts(0, index))
    times_ns = np.arange(1_000_000_000, 4_000_000_000, 100_000_000)
    assert np.isfinite(findings.window(times_ns, joints).contours_px).all() == complete


def test_the_end_of_a_late_stream_is_missing_and_its_past_is_there() -> None:
    findings, joints, times_ns = filled(late_frames=6)  # 0.2 s
    window = findings.window(times_ns, joints)
    for name in STREAMS:
        known = np.isfinite(getattr(window, name)[0]).reshape(WINDOW_SAMPLES, -1).any(axis=1)
        assert known[:-2].all(), name
        assert not known[-1], name


def test_a_missing_stream_is_missing_and_the_others_are_there() -> None:
    findings, joints = FindingsHistory(VERTICES, MODEL), JointHistory(16.0)
    for index in range(FRAMES):
        joints.append_positions((index + 1) * FRAME_NS, None)
        findings.add_parts((index + 1) * FRAME_NS, parts(0, index))
    window = findings.window(np.arange(2_000_000_000, 4_000_000_000, 100_000_000), joints)
    assert np.isfinite(window.contours_px).all()
    for name in ("families", "rotations_rad", "vertices_m"):
        assert np.isnan(getattr(window, name)).all()


def test_without_findings_all_is_missing() -> None:
    window = FindingsHistory(VERTICES, MODEL).window(np.arange(5) * 100_000_000, JointHistory(16.0))
    assert all(np.isnan(array).all() for array in vars(window).values())


def test_keypoints_wait_for_the_parts_of_their_frame_and_are_counted_without() -> None:
    findings, joints = FindingsHistory(VERTICES, MODEL), JointHistory(16.0)
    for index in range(40):  # the parts come two frames after the keypoints, and only of every second frame
        findings.add_keypoints((index + 1) * FRAME_NS, keypoints((index + 1) * FRAME_NS, index))
        if index >= 2 and index % 2 == 0:
            findings.add_parts((index - 1) * FRAME_NS, parts((index - 1) * FRAME_NS, index - 2))
    window = findings.window(np.array([21, 25, 31]) * FRAME_NS, joints)
    np.testing.assert_allclose(window.families[0, :, 3, 0], [20.0, 24.0, 30.0], atol=1e-3)
    assert 8 <= findings.dropped[NO_PARTS] <= 12


@pytest.mark.parametrize("first", ["parts", "keypoints"])
def test_keypoints_of_a_frame_without_parts_are_counted(first: str) -> None:
    findings = FindingsHistory(VERTICES, MODEL)
    if first == "parts":
        findings.add_parts(FRAME_NS, None)
    findings.add_keypoints(FRAME_NS, keypoints(FRAME_NS, 3.0))
    if first == "keypoints":
        findings.add_parts(FRAME_NS, None)
    assert findings.dropped == {NO_PARTS: 1}
    assert np.isnan(findings.window(np.array([FRAME_NS]), JointHistory(1.0)).families).all()


def test_what_comes_out_of_order_is_dropped_and_counted_and_a_restart_is_not() -> None:
    findings = FindingsHistory(VERTICES, MODEL)
    findings.add_body(5_000_000_000, body(0, 1.0))
    findings.add_body(4_900_000_000, body(0, 2.0))
    assert findings.dropped == {LATE: 1}
    findings.add_body(1_000_000_000, body(0, 3.0))
    window = findings.window(np.array([1_000_000_000]), JointHistory(1.0))
    assert (window.rotations_rad == 3.0).all()
    assert findings.dropped == {LATE: 1}


def test_vertices_of_another_body_model_are_dropped_and_counted() -> None:
    findings = FindingsHistory(VERTICES, MODEL)
    findings.add_vertices(1, mesh(0.0), "smpl-2")
    findings.add_vertices(2, mesh(0.0)[:10], MODEL)
    findings.add_vertices(3, mesh(0.0), f"{MODEL}-limbs")
    assert findings.dropped == {OTHER_BODY: 2}


def test_vertices_follow_the_joints_into_their_frame() -> None:
    turn = matrices_from_axis_angles(np.array([0.0, 0.4, 0.2]))
    motion = np.concatenate([turn, [[0.1], [-0.2], [0.3]]], axis=1)
    findings, joints, times_ns = filled(motion=motion)
    again, shift = matrices_from_axis_angles(np.array([0.3, 0.0, 0.0])), np.array([0.0, 0.5, 0.0])
    joints.move(again, shift)
    window = findings.window(times_ns, joints)
    camera_m = np.repeat(np.rint(times_ns / FRAME_NS - 1.0), 3).reshape(-1, 3)
    expected_m = (camera_m @ turn.T + motion[:, 3]) @ again.T + shift
    np.testing.assert_allclose(window.vertices_m[0, :, 0], expected_m, atol=1e-3)


def test_vertices_of_frames_without_joints_are_missing() -> None:
    findings, joints = FindingsHistory(VERTICES, MODEL), JointHistory(16.0)
    joints.append_positions(1, None)
    findings.add_vertices(FRAME_NS, mesh(1.0), MODEL)
    assert np.isnan(findings.window(np.array([FRAME_NS]), joints).vertices_m).all()


def test_findings_may_be_added_by_another_thread_while_windows_are_taken() -> None:
    findings, joints, times_ns = filled()
    stop = threading.Event()

    def add() -> None:
        # Up to the number that is surely kept: without the window's own frames, the nearest ones are after its end.
        for index in range(FRAMES + 1, CAPACITY // 2):
            if stop.is_set():
                return
            findings.add_body(index * FRAME_NS, body(0, float(index)))

    thread = threading.Thread(target=add)
    thread.start()
    try:
        for _ in range(200):
            window = findings.window(times_ns, joints)
            known = window.rotations_rad[np.isfinite(window.rotations_rad)]
            assert ((known >= 0.0) & (known <= FRAMES)).all()
    finally:
        stop.set()
        thread.join()


@pytest.mark.parametrize("add", ["add_keypoints", "add_parts", "add_body"])
def test_a_frame_without_a_person_is_missing(add: str) -> None:
    findings = FindingsHistory(VERTICES, MODEL)
    getattr(findings, add)(1_000_000_000, None)
    window = findings.window(np.array([1_000_000_000]), JointHistory(1.0))
    assert all(np.isnan(array).all() for array in vars(window).values())


def test_a_reset_discards_all() -> None:
    findings, joints, times_ns = filled()
    findings.reset()
    window = findings.window(times_ns, joints)
    assert all(np.isnan(array).all() for array in vars(window).values())
