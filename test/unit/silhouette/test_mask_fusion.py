"""Fusion of a mask with depth on drawn scenes: a person 2 m away in front of a wall."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.datatypes import RgbdFrame
from rehab_pose.geometry.camera import CameraIntrinsics
from rehab_pose.silhouette.carried_label import PreviousSubject, kept_fraction
from rehab_pose.silhouette.mask_fusion import FusedSilhouette, carry, fuse
from rehab_pose.silhouette.mask_warping import mask_in_box

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from rehab_pose.datatypes import ImageJoints

CAMERA = CameraIntrinsics(320, 240, 240.0, 240.0, 159.5, 119.5)
TRUNK, ARM, HAND, HEAD = np.s_[70:200, 140:190], np.s_[90:104, 190:230], np.s_[90:104, 230:246], np.s_[36:70, 152:178]
PERSON_M, WALL_M = 2.0, 3.2
ARM_LANDMARKS = {12: (190.0, 97.0), 14: (210.0, 97.0), 16: (232.0, 97.0), 20: (244.0, 97.0), 0: (165.0, 55.0)}
"""Shoulder, elbow, wrist, index finger and nose."""


@dataclass
class Scene:
    """Depth and colour, and the person's pixels."""

    depth_m: NDArray[np.float32] = field(default_factory=lambda: np.full((240, 320), WALL_M, np.float32))
    color: NDArray[np.uint8] = field(default_factory=lambda: np.full((240, 320, 3), 90, np.uint8))
    person: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((240, 320), np.bool_))

    def frame(self, stamp_ns: int = 1) -> RgbdFrame:
        return RgbdFrame(stamp_ns, "camera", CAMERA, self.color, self.depth_m)


@pytest.fixture
def scene() -> Scene:
    drawn = Scene()
    columns = np.arange(320, dtype=np.float32)
    for part in (TRUNK, ARM, HAND, HEAD):
        drawn.person[part] = True
    relief = PERSON_M + 0.1 * np.square((columns - 165.0) / 25.0)
    drawn.depth_m = np.where(drawn.person, np.minimum(relief, PERSON_M + 0.15)[None, :], drawn.depth_m)
    drawn.color[drawn.person] = (160, 60, 50)
    return drawn


def full(fused: FusedSilhouette | None, *, usable: bool = False) -> NDArray[np.bool_]:
    """Return the silhouette in the full image, or the pixels whose depth is the person's."""
    assert fused is not None
    x, y, width, height = fused.box_px
    image = np.zeros((240, 320), np.bool_)
    image[y : y + height, x : x + width] = fused.usable_depth if usable else fused.inside
    return image


def fused_in(frame: RgbdFrame, joints: ImageJoints) -> FusedSilhouette | None:
    assert joints.mask is not None
    mask = mask_in_box(joints.mask, 320, 240)
    assert mask is not None
    return fuse(mask, joints, frame)


def test_the_border_is_moved_to_the_edge_next_to_it(scene: Scene, joints_with_mask: Callable[..., ImageJoints]) -> None:
    shifted = np.roll(scene.person, 1, axis=1)
    inside = full(fused_in(scene.frame(), joints_with_mask(scene.frame(), shifted)))
    assert np.count_nonzero(inside ^ scene.person) < 0.3 * np.count_nonzero(shifted ^ scene.person)


@pytest.mark.parametrize("missing", [np.nan, WALL_M])
def test_a_hand_and_hair_without_a_usable_depth_stay(
    scene: Scene, joints_with_mask: Callable[..., ImageJoints], missing: float
) -> None:
    scene.depth_m[HAND] = missing
    scene.depth_m[36:46, 152:178] = missing
    frame = scene.frame()
    fused = fused_in(frame, joints_with_mask(frame, scene.person, visible=ARM_LANDMARKS))
    assert full(fused)[HAND].mean() > 0.9
    assert full(fused)[36:46, 152:178].mean() > 0.9
    assert full(fused, usable=True)[HAND].mean() < 0.3
    assert full(fused, usable=True)[TRUNK].mean() > 0.95


def test_the_room_in_a_gap_of_the_body_is_taken_out(scene: Scene, joints_with_mask: Callable[..., ImageJoints]) -> None:
    gap = np.s_[150:200, 158:172]
    scene.depth_m[gap], scene.color[gap] = WALL_M, 90
    inside = full(fused_in(scene.frame(), joints_with_mask(scene.frame(), scene.person)))
    assert inside[gap].mean() < 0.1
    assert inside[70:145, 140:190].mean() > 0.95


def test_furniture_and_a_person_in_front_are_taken_out(
    scene: Scene, joints_with_mask: Callable[..., ImageJoints]
) -> None:
    sofa, other = np.s_[120:200, 60:140], np.s_[60:200, 178:230]
    scene.depth_m[sofa] = PERSON_M + 0.6
    scene.depth_m[other] = PERSON_M - 0.6
    scene.color[sofa], scene.color[other] = (40, 40, 80), (200, 200, 40)
    mask = scene.person.copy()
    mask[sofa], mask[other] = True, True
    trunk = {12: (144.0, 76.0), 11: (186.0, 76.0), 24: (148.0, 150.0), 23: (182.0, 150.0)}
    inside = full(fused_in(scene.frame(), joints_with_mask(scene.frame(), mask, visible=trunk)))
    assert inside[sofa].mean() < 0.1
    assert inside[other].mean() < 0.1
    assert inside[70:200, 142:176].mean() > 0.95


def test_an_own_arm_in_front_stays(scene: Scene, joints_with_mask: Callable[..., ImageJoints]) -> None:
    scene.depth_m[ARM], scene.depth_m[HAND] = PERSON_M - 0.5, PERSON_M - 0.6
    frame = scene.frame()
    inside = full(fused_in(frame, joints_with_mask(frame, scene.person, visible=ARM_LANDMARKS)))
    assert inside[ARM].mean() > 0.9


def test_far_legs_stay_where_landmarks_show_them(scene: Scene, joints_with_mask: Callable[..., ImageJoints]) -> None:
    legs = np.s_[150:200, 140:190]
    scene.depth_m[legs] = PERSON_M + 0.8
    knees = {23: (152.0, 150.0), 25: (152.0, 196.0), 24: (178.0, 150.0), 26: (178.0, 196.0)}
    frame = scene.frame()
    assert full(fused_in(frame, joints_with_mask(frame, scene.person, visible=knees)))[legs].mean() > 0.9
    assert full(fused_in(frame, joints_with_mask(frame, scene.person)))[legs].mean() < 0.1


def test_agreement_and_coverage_measure_mask_and_depth(
    scene: Scene, joints_with_mask: Callable[..., ImageJoints]
) -> None:
    frame = scene.frame()
    fused = fused_in(frame, joints_with_mask(frame, scene.person))
    assert fused is not None
    assert fused.agreement > 0.95
    assert fused.coverage > 0.99
    assert np.median(fused.points_m[:, 2]) == pytest.approx(PERSON_M, abs=0.1)
    scene.depth_m[100:200, :] = np.nan
    half = fused_in(scene.frame(), joints_with_mask(scene.frame(), scene.person))
    assert half is not None
    assert half.coverage < 0.5
    scene.depth_m[:] = np.nan
    assert fused_in(scene.frame(), joints_with_mask(scene.frame(), scene.person)) is None


def previous(scene: Scene, joints_with_mask: Callable[..., ImageJoints]) -> PreviousSubject:
    """Return the subject of a frame with a mask."""
    rows, columns = np.flatnonzero(scene.person.any(axis=1)), np.flatnonzero(scene.person.any(axis=0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    inside = scene.person[top:bottom, left:right]
    frame = RgbdFrame(1, "camera", CAMERA, scene.color.copy(), scene.depth_m.copy())
    joints = joints_with_mask(frame, None, visible=ARM_LANDMARKS)
    return PreviousSubject(
        frame, joints, (int(left), int(top), int(right - left), int(bottom - top)), inside, PERSON_M, 1
    )


def moved(scene: Scene, down_px: int) -> Scene:
    """Return the scene with arm and hand moved down."""
    later = replace(scene, depth_m=scene.depth_m.copy(), color=scene.color.copy(), person=scene.person.copy())
    for part in (ARM, HAND):
        later.depth_m[part], later.color[part], later.person[part] = WALL_M, 90, False
    for part in (ARM, HAND):
        lower = (slice(part[0].start + down_px, part[0].stop + down_px), part[1])
        later.depth_m[lower], later.color[lower] = scene.depth_m[part], scene.color[part]
        later.person[lower] = True
    return later


def test_without_a_mask_a_still_person_keeps_every_pixel_even_if_landmarks_jump(
    scene: Scene, joints_with_mask: Callable[..., ImageJoints]
) -> None:
    frame = scene.frame(33_000_000)
    jumped = joints_with_mask(frame, None, visible={11: (30.0, 30.0), 13: (60.0, 200.0), 15: (280.0, 20.0)})
    np.testing.assert_array_equal(full(carry(previous(scene, joints_with_mask), jumped, frame)), scene.person)


def test_without_a_mask_an_arm_is_found_where_its_landmarks_are(
    scene: Scene, joints_with_mask: Callable[..., ImageJoints]
) -> None:
    later = moved(scene, 24)
    frame = later.frame(33_000_000)
    lower = {index: (u, v + 24.0) for index, (u, v) in ARM_LANDMARKS.items() if index}
    inside = full(carry(previous(scene, joints_with_mask), joints_with_mask(frame, None, visible=lower), frame))
    assert np.count_nonzero(inside ^ later.person) < 0.03 * np.count_nonzero(later.person)


def test_without_a_mask_depth_that_bleeds_around_a_moving_hand_is_left_out(
    scene: Scene, joints_with_mask: Callable[..., ImageJoints]
) -> None:
    later = moved(scene, 20)
    bleeding = np.s_[124:134, 200:250]
    later.depth_m[bleeding] = PERSON_M
    frame = later.frame(33_000_000)
    lower = {index: (u, v + 20.0) for index, (u, v) in ARM_LANDMARKS.items() if index}
    inside = full(carry(previous(scene, joints_with_mask), joints_with_mask(frame, None, visible=lower), frame))
    assert inside[bleeding].mean() < 0.1


def test_a_person_who_stays_keeps_unchanged_pixels_and_another_one_does_not(
    scene: Scene, joints_with_mask: Callable[..., ImageJoints]
) -> None:
    frame = scene.frame(33_000_000)
    before = previous(scene, joints_with_mask)
    assert kept_fraction(before, frame, before.box_px, before.inside) == 1.0
    x, y, width, height = before.box_px
    other = np.zeros_like(before.inside)
    other[:, width // 2 + 20 :] = True
    assert kept_fraction(before, frame, before.box_px, other) < 0.4
    assert kept_fraction(before, frame, (x + width, y, 20, height), np.ones((height, 20), np.bool_)) == 0.0
    changed = RgbdFrame(33_000_000, "camera", CAMERA, scene.color, scene.depth_m - 0.5)
    assert kept_fraction(before, changed, before.box_px, other) == 1.0


def test_without_a_mask_the_room_between_trunk_and_a_raised_arm_is_left(
    scene: Scene, joints_with_mask: Callable[..., ImageJoints]
) -> None:
    # The arm hangs beside the trunk, then it is raised to the side; the depth of the gap still shows the arm.
    hanging = np.s_[84:180, 190:202]
    for part in (ARM, HAND):
        scene.depth_m[part], scene.color[part], scene.person[part] = WALL_M, 90, False
    scene.depth_m[hanging], scene.color[hanging], scene.person[hanging] = PERSON_M, (160, 60, 50), True
    before = previous(scene, joints_with_mask)
    before = replace(
        before,
        joints=joints_with_mask(
            before.frame, None, visible={12: (192.0, 90.0), 14: (196.0, 130.0), 16: (196.0, 160.0), 20: (196.0, 178.0)}
        ),
    )
    later = moved(scene, 0)
    gap = np.s_[112:176, 192:202]
    for part in (ARM, HAND):
        later.depth_m[part], later.color[part] = PERSON_M, (160, 60, 50)
    later.color[gap] = 90
    frame = later.frame(33_000_000)
    fused = carry(before, joints_with_mask(frame, None, visible=ARM_LANDMARKS), frame)
    # Directly under the arm and beside the trunk the pixels could be on clothes.
    assert full(fused)[124:176, 196:202].mean() < 0.1
    assert full(fused)[ARM].mean() > 0.9
