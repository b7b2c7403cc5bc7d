"""Every record is recovered from its serialised message, with rosbags and with rclpy."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rehab_pose.bags.message_types import BagMessageFactory, type_store
from rehab_pose.datatypes import (
    Body,
    BodyParameters,
    BodyParts,
    Bones,
    ExerciseClassification,
    FloorPlane,
    ImageJoints,
    JointAngles,
    Joints,
    KeypointFamily,
    Keypoints,
    Repetition,
    RgbdFrame,
    Silhouette,
    unknown_plane,
)
from rehab_pose.exercise.catalogue import LABELS, UNLISTED_ID
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.geometry.rotations import matrices_from_axis_angles
from rehab_pose.messages.angles import angles_from_message, angles_message, bones_from_message, bones_message
from rehab_pose.messages.body import body_from_message, body_message, vertices_from_message, vertices_message
from rehab_pose.messages.exercise import (
    classification_from_message,
    classification_message,
    exercise_list_message,
    labels_from_message,
    repetition_from_message,
    repetition_message,
)
from rehab_pose.messages.floor import FloorPlaneChanges, floor_plane_from_message, floor_plane_message
from rehab_pose.messages.frames import (
    frame_from_message,
    frame_message,
    no_silhouette_message,
    silhouette_from_message,
    silhouette_message,
)
from rehab_pose.messages.image_joints import image_joints_from_message, image_joints_message
from rehab_pose.messages.joints import joints_from_message, joints_message
from rehab_pose.messages.keypoints import (
    keypoints_from_message,
    keypoints_message,
    parts_from_message,
    parts_message,
)
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from collections.abc import Callable

STAMP_NS = 1_700_000_000_123_456_789
FRAME_ID = "camera_color_optical_frame"
CAMERA = CameraIntrinsics(width_px=48, height_px=32, fx=40.5, fy=41.5, cx=23.25, cy=15.75)
BOX_PX = (5, 3, 11, 17)


class BagSerialisation:
    """Serialisation and deserialisation by rosbags."""

    def __init__(self) -> None:
        self.factory: Any = BagMessageFactory()

    @staticmethod
    def round_trip(message: Any) -> Any:  # noqa: ANN401
        store, name = type_store(), message.__msgtype__
        return store.deserialize_cdr(store.serialize_cdr(message, name), name)


class RosSerialisation:
    """Serialisation and deserialisation by rclpy."""

    def __init__(self) -> None:
        pytest.importorskip("rclpy", reason="ROS is not installed")
        pytest.importorskip("rehab_pose_msgs", reason="the message package is not built")
        from rehab_pose.ros.io.message_factory import RosMessageFactory  # noqa: PLC0415

        self.factory: Any = RosMessageFactory()

    @staticmethod
    def round_trip(message: Any) -> Any:  # noqa: ANN401
        from rclpy.serialization import deserialize_message, serialize_message  # noqa: PLC0415

        return deserialize_message(serialize_message(message), type(message))


@pytest.fixture(params=[BagSerialisation, RosSerialisation], ids=["rosbags", "rclpy"])
def library(request: pytest.FixtureRequest) -> Any:  # noqa: ANN401
    return request.param()


def assert_same(left: Any, right: Any, tolerance: float = 0.0) -> None:  # noqa: ANN401
    """Compare two records field by field; NaN equals NaN."""
    assert type(left) is type(right)
    for field in dataclasses.fields(left):
        a, b = getattr(left, field.name), getattr(right, field.name)
        if isinstance(a, np.ndarray):
            assert a.dtype == b.dtype, field.name
            np.testing.assert_allclose(a, b, rtol=0, atol=tolerance, err_msg=field.name)
        elif dataclasses.is_dataclass(a) and not isinstance(a, type):
            assert_same(a, b, tolerance)
        elif isinstance(a, tuple) and a and dataclasses.is_dataclass(a[0]):
            for one, other in zip(a, b, strict=True):
                assert_same(one, other, tolerance)
        elif isinstance(a, float):
            assert a == pytest.approx(b, abs=max(tolerance, 1e-7), nan_ok=True), field.name
        else:
            assert a == b, field.name


def single(values: Any) -> Any:  # noqa: ANN401
    """Round to single precision, so that a round trip through a float32 field must be exact."""
    return np.asarray(values, np.float32).astype(np.float64)


def frame() -> RgbdFrame:
    random = np.random.default_rng(1)
    depth = random.uniform(0.5, 4.0, (32, 48)).astype(np.float32)
    depth[::3] = np.nan
    color = random.integers(0, 256, (32, 48, 3), dtype=np.uint8)
    return RgbdFrame(STAMP_NS, FRAME_ID, CAMERA, color, depth)


def silhouette() -> Silhouette:
    random = np.random.default_rng(2)
    inside = random.random((17, 11)) > 0.4
    color = random.integers(0, 256, (17, 11, 3), dtype=np.uint8) * inside[..., None]
    depth = np.where(inside, 2.0, np.nan).astype(np.float32)
    return Silhouette(STAMP_NS, FRAME_ID, CAMERA, BOX_PX, inside, color, depth, 0.75)


def keypoints() -> Keypoints:
    random = np.random.default_rng(3)

    def family(detector: str, count: int, descriptors: Any) -> KeypointFamily:  # noqa: ANN401
        columns = random.random((4, count)).astype(np.float32)
        columns[0] = np.nan
        pixels = random.random((count, 2)).astype(np.float32)
        size, angle, response, depth = columns
        return KeypointFamily(detector, pixels, size, angle, response, depth, descriptors)

    return Keypoints(
        STAMP_NS,
        FRAME_ID,
        (
            family("contour", 7, None),
            family("orb", 4, random.integers(0, 256, (4, 32), dtype=np.uint8)),
            family("harris", 0, None),
            family("sift", 3, random.random((3, 128)).astype(np.float32)),
        ),
    )


def parts() -> BodyParts:
    random = np.random.default_rng(4)
    contours = random.random((20, 6, 2)).astype(np.float32)
    contours[3] = np.nan
    return BodyParts(STAMP_NS, FRAME_ID, BOX_PX, random.integers(0, 20, (17, 11), dtype=np.uint8), contours)


def joints() -> Joints:
    random = np.random.default_rng(5)
    positions = single(random.random((24, 3)))
    positions[4] = np.nan
    visibility = random.integers(0, 4, 24, dtype=np.uint8)
    confidence, sigma = single(random.random(24)), single(random.random(24))
    return Joints(STAMP_NS, FRAME_ID, SMPL_24, positions, confidence, sigma, visibility)


def body() -> Body:
    random = np.random.default_rng(6)
    parameters = BodyParameters(
        single(random.random(10)), single(random.normal(0, 0.4, (24, 3))), single(random.random(3))
    )
    rotations = matrices_from_axis_angles(random.normal(0, 1.0, (24, 3)))
    vertices = random.random((9, 3)).astype(np.float32)
    joint_positions = single(random.random((24, 3)))
    return Body(
        STAMP_NS,
        FRAME_ID,
        "free-abc",
        parameters,
        vertices,
        joint_positions,
        rotations,
        0.01,
        5,
        True,
        single(random.random(24)),
    )


def image_joints() -> ImageJoints:
    random = np.random.default_rng(6)
    pixels, relative = single(random.uniform(-20.0, 660.0, (33, 2))), single(random.normal(size=(33, 3)))
    pixels[3] = np.nan
    return ImageJoints(STAMP_NS, FRAME_ID, pixels, single(random.random(33)), relative, 0.75)


RECORDS: list[tuple[Any, Callable[..., Any], Callable[..., Any]]] = [
    (keypoints(), keypoints_message, keypoints_from_message),
    (parts(), parts_message, parts_from_message),
    (joints(), joints_message, joints_from_message),
    (image_joints(), image_joints_message, image_joints_from_message),
    (
        JointAngles(
            STAMP_NS,
            FRAME_ID,
            ("left_a", "right_a"),
            single([0.1, np.nan]),
            single([np.nan, 2.0]),
            single([0.5, 0.25]),
            single([0.01, np.nan]),
        ),
        angles_message,
        angles_from_message,
    ),
]


@pytest.mark.parametrize(("record", "to_message", "from_message"), RECORDS, ids=lambda entry: type(entry).__name__)
def test_a_record_is_recovered_exactly(library: Any, record: Any, to_message: Any, from_message: Any) -> None:  # noqa: ANN401
    message = library.round_trip(to_message(library.factory, STAMP_NS, FRAME_ID, record))
    assert_same(record, from_message(message))


@pytest.mark.parametrize(("record", "to_message", "from_message"), RECORDS, ids=lambda entry: type(entry).__name__)
def test_none_gives_an_empty_message_that_is_read_as_none(
    library: Any,  # noqa: ANN401
    record: Any,  # noqa: ANN401
    to_message: Any,  # noqa: ANN401
    from_message: Any,  # noqa: ANN401
) -> None:
    message = library.round_trip(to_message(library.factory, STAMP_NS, FRAME_ID, None))
    assert from_message(message) is None
    assert message.header.stamp.sec == STAMP_NS // 10**9
    assert message.header.frame_id == record.frame_id


def test_a_frame_is_recovered_exactly(library: Any) -> None:  # noqa: ANN401
    assert_same(frame(), frame_from_message(library.round_trip(frame_message(library.factory, frame()))))


def test_a_silhouette_is_recovered_exactly_and_an_empty_one_is_none(library: Any) -> None:  # noqa: ANN401
    assert_same(
        silhouette(), silhouette_from_message(library.round_trip(silhouette_message(library.factory, silhouette())))
    )
    empty = library.round_trip(no_silhouette_message(library.factory, frame()))
    assert silhouette_from_message(empty) is None
    assert (empty.camera_info.width, empty.camera_info.height) == (48, 32)


def test_a_body_is_recovered_to_single_precision_and_its_mesh_exactly(library: Any) -> None:  # noqa: ANN401
    given = body()
    message = library.round_trip(body_message(library.factory, STAMP_NS, FRAME_ID, given))
    mesh = library.round_trip(vertices_message(library.factory, STAMP_NS, FRAME_ID, given))
    assert_same(given, body_from_message(message, vertices_from_message(mesh)), tolerance=3e-7)


def test_a_message_without_a_body_is_read_as_none_and_contains_only_nan(library: Any) -> None:  # noqa: ANN401
    message = library.round_trip(body_message(library.factory, STAMP_NS, FRAME_ID, None))
    assert body_from_message(message) is None
    assert np.isnan(np.asarray(message.joint_positions)).all()
    assert (
        len(vertices_from_message(library.round_trip(vertices_message(library.factory, STAMP_NS, FRAME_ID, None)))) == 0
    )


def test_bones_are_recovered_to_single_precision(library: Any) -> None:  # noqa: ANN401
    random = np.random.default_rng(7)
    poses = np.tile(np.eye(4), (3, 1, 1))
    poses[:, :3, :3] = matrices_from_axis_angles(random.normal(0, 1.0, (3, 3)))
    poses[:, :3, 3] = random.random((3, 3))
    given = Bones(STAMP_NS, FRAME_ID, ("a", "b", "c"), poses, single([0.1, 0.2, 0.3]), single([0.01, 0.02, 0.03]))
    assert_same(
        given,
        bones_from_message(library.round_trip(bones_message(library.factory, STAMP_NS, FRAME_ID, given))),
        tolerance=3e-7,
    )
    assert bones_from_message(library.round_trip(bones_message(library.factory, STAMP_NS, FRAME_ID, None))) is None


def test_classification_and_repetition_are_recovered_exactly(library: Any) -> None:  # noqa: ANN401
    probabilities = single([0.1, 0.2, 0.3, 0.2, 0.1, 0.1])
    classification = ExerciseClassification(STAMP_NS, FRAME_ID, STAMP_NS - 5, "squat", 0.5, probabilities, True, "m-1")
    assert_same(
        classification,
        classification_from_message(library.round_trip(classification_message(library.factory, classification))),
    )
    repetition = Repetition(STAMP_NS, FRAME_ID, "squat", 3, STAMP_NS - 9, STAMP_NS - 1, "knee_rad", 0.5, 1.5, np.nan)
    assert_same(
        repetition, repetition_from_message(library.round_trip(repetition_message(library.factory, repetition)))
    )
    assessed = dataclasses.replace(
        repetition, quality=0.5, quality_low=0.25, quality_high=0.75, reasons=("repetition 3: slow",)
    )
    withheld = dataclasses.replace(repetition, quality_withheld="not assessed: 5 frames/s, at least 8 are needed")
    for given in (assessed, withheld):
        assert_same(given, repetition_from_message(library.round_trip(repetition_message(library.factory, given))))


def test_the_list_of_exercises_has_the_id_of_every_label(library: Any) -> None:  # noqa: ANN401
    labels = (*LABELS, "bridge")
    message = library.round_trip(exercise_list_message(library.factory, labels))
    assert labels_from_message(message) == labels
    assert list(message.ids) == [*range(len(LABELS)), UNLISTED_ID]


def test_a_floor_plane_is_recovered_exactly(library: Any) -> None:  # noqa: ANN401
    floor = FloorPlane(STAMP_NS, FRAME_ID, np.array([0.28, -0.96, 0.0, 1.3]))
    assert_same(floor_plane_from_message(library.round_trip(floor_plane_message(library.factory, floor))), floor)


def test_a_floor_plane_is_sent_when_it_changes(library: Any) -> None:  # noqa: ANN401
    changes, plane = FloorPlaneChanges(), np.array([0.0, -1.0, 0.0, 1.2])

    def count(value: Any) -> int:  # noqa: ANN401
        return len(list(changes.messages(library.factory, frame(), value)))

    assert [count(unknown_plane()), count(unknown_plane())] == [1, 0], "an unknown floor is sent once"
    assert [count(plane), count(plane.copy()), count(np.append(plane[:3], 1.21))] == [1, 0, 1]
