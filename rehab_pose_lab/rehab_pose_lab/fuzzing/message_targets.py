"""Targets of the fuzzer: every converter of messages to records."""

from __future__ import annotations

import dataclasses
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from rehab_pose.bags.compressed_images import decompress
from rehab_pose.bags.message_types import BagMessageFactory
from rehab_pose.messages import (
    angles,
    body,
    camera_info,
    exercise,
    floor,
    frames,
    image_joints,
    joints,
    keypoints,
    person,
)
from rehab_pose.messages.images import color_from_message, depth_from_message
from rehab_pose.messages.imu import imu_from_message
from rehab_pose_lab.fuzzing import message_examples as examples
from rehab_pose_lab.fuzzing.mutations import ODD_FLOATS, ODD_INTEGERS, ODD_TEXTS, edited, odd_arrays
from rehab_pose_lab.fuzzing.plausibility import implausible
from rehab_pose_lab.fuzzing.targets import Pace, Prepared, Target

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hypothesis.strategies import DrawFn

__all__ = ["MESSAGE_TARGETS", "odd_messages"]

_UNUSED = "__msgtype__"
_TEXTS = st.sampled_from((*ODD_TEXTS, "rgb8", "16UC1", "32FC1", "mono8", "bgra8", "equidistant"))
_FLOATS = st.one_of(st.sampled_from(ODD_FLOATS), st.floats(width=32))
_CHANGES = st.integers(1, 4)


def _paths(message: Any) -> list[tuple[str, ...]]:  # noqa: ANN401  (a message of rosbags)
    """Return the path of every field that is not itself a message."""
    paths = []
    for item in dataclasses.fields(message):
        value = getattr(message, item.name)
        if item.name == _UNUSED:
            continue
        inner = _paths(value) if dataclasses.is_dataclass(value) else [()]
        paths += [(item.name, *path) for path in inner]
    return paths


def _with(message: Any, path: tuple[str, ...], change: Callable[[Any], Any]) -> Any:  # noqa: ANN401
    name, *rest = path
    value = getattr(message, name)
    return dataclasses.replace(message, **{name: _with(value, tuple(rest), change) if rest else change(value)})


@st.composite
def odd_messages(draw: DrawFn, *messages: Any) -> Any:  # noqa: ANN401
    """Return messages with one to four odd fields; types stay those that a message can have."""
    message = draw(st.sampled_from(messages))
    paths = st.sampled_from(_paths(message))
    for _ in range(draw(_CHANGES)):
        path = draw(paths)
        message = _with(message, path, lambda value: draw(_odd_field(value)))
    return message


def _odd_field(value: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401
    if isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.size > 4:
        return st.one_of(
            odd_arrays(value, same_type=True).map(np.ravel),
            edited(value.tobytes()).map(lambda data: np.frombuffer(data, np.uint8)),
        )
    if isinstance(value, np.ndarray):
        return odd_arrays(value, same_type=True).map(np.ravel)
    if isinstance(value, (bool, int, float)):
        return _odd_number(value)
    if isinstance(value, str):
        return _TEXTS
    if isinstance(value, list):
        return st.sampled_from(([], value[:-1], [*value, "x"], ["x"] * 300, value[::-1], [""] * len(value)))
    return st.just(value)


def _odd_number(value: float) -> st.SearchStrategy[Any]:
    if isinstance(value, bool):
        return st.booleans()
    return _near_or_odd(value) if isinstance(value, int) else _FLOATS


@cache
def _near_or_odd(value: int) -> st.SearchStrategy[int]:
    return st.one_of(st.sampled_from(ODD_INTEGERS), st.integers(0, 255), st.integers(value - 2, value + 2))


def _target(
    name: str,
    make: Callable[[BagMessageFactory], tuple[Any, ...]],
    convert: Callable[[Any], Any],
    *,
    checked: bool = True,
) -> Target:
    def prepare(_: Path) -> Prepared:
        messages = make(BagMessageFactory())

        def read(message: Any) -> str:  # noqa: ANN401
            record = convert(message)
            return implausible(record) if checked else ""

        return Prepared(odd_messages(*messages), read)

    return Target(f"message {name}", prepare, pace=Pace.FAST)


def _view(factory: BagMessageFactory) -> tuple[Any, ...]:
    """Return a silhouette with joints as one message."""
    pair = dataclasses.make_dataclass("Pair", ["silhouette", "joints"], frozen=True)
    return (pair(examples.silhouette(factory)[0], examples.joints(factory)[0]),)


def _view_from(pair: Any) -> Any:  # noqa: ANN401
    view = person.person_view_from_messages(pair.silhouette, pair.joints)
    return None if view is None else (view.silhouette, view.joints)


def _decompressed(message: Any) -> Any:  # noqa: ANN401
    image = decompress(message)
    return (
        depth_from_message(image) if "UC1" in image.encoding or "FC1" in image.encoding else color_from_message(image)
    )


MESSAGE_TARGETS = (
    _target("CameraInfo", examples.camera_info, camera_info.calibration_from_message),
    _target("CameraInfo intrinsics", examples.camera_info, camera_info.intrinsics_from_message),
    _target("Image colour", examples.color, color_from_message, checked=False),
    _target("Image depth", examples.depth, depth_from_message, checked=False),
    _target("CompressedImage", examples.compressed, _decompressed, checked=False),
    _target("Imu", examples.imu, imu_from_message, checked=False),
    _target("RgbdFrame", examples.frame, frames.frame_from_message),
    _target("Silhouette", examples.silhouette, frames.silhouette_from_message),
    _target("Silhouette and Joints", _view, _view_from),
    _target("ImageJoints", examples.image_joints, image_joints.image_joints_from_message),
    _target("Keypoints", examples.keypoints, keypoints.keypoints_from_message),
    _target("BodyParts", examples.parts, keypoints.parts_from_message),
    _target("Joints", examples.joints, joints.joints_from_message),
    _target("Body", examples.body, body.body_from_message),
    _target("MeshVertices", examples.vertices, body.vertices_from_message, checked=False),
    _target("JointAngles", examples.angles, angles.angles_from_message),
    _target("Bones", examples.bones, angles.bones_from_message),
    _target("FloorPlane", examples.floor, floor.floor_plane_from_message),
    _target("ExerciseClassification", examples.classification, exercise.classification_from_message),
    _target("ExerciseList", examples.exercise_list, exercise.labels_from_message, checked=False),
    _target("Repetition", examples.repetition, exercise.repetition_from_message),
    _target("RepetitionProgress", examples.progress, exercise.progress_from_message),
)
