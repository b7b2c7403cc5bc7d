"""The silhouette from the image network's mask and the depth image.

The mask finds the person; the depth image decides three things: surfaces in the mask that are not the person's are
taken out (furniture, another person, the room in gaps between the limbs), the border is moved to the edge in depth and
colour that is next to it, and the depth of pixels that show the background is marked as missing. Pixels in the mask
without a usable depth, as hands and hair often are, stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from rehab_pose.silhouette.bounding_box import bounding_box
from rehab_pose.silhouette.carried_label import carried_label
from rehab_pose.silhouette.depth_surfaces import label_surfaces
from rehab_pose.silhouette.limb_zones import BodyZones, ImageGrid, arm_zones, body_zones, head_zone
from rehab_pose.silhouette.mask_warping import HALF
from rehab_pose.silhouette.watershed import OTHER, PERSON, UNDECIDED, flood

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import ImageJoints, RgbdFrame
    from rehab_pose.silhouette.carried_label import PreviousSubject
    from rehab_pose.silhouette.mask_warping import MaskInBox

__all__ = ["FusedSilhouette", "carry", "fuse"]

STRIDE_PX = 4
"""Surfaces are found with every n-th row and column [px]."""
SPLIT_GAP_M = 0.1
"""Neighbouring pixels of the reduced box that differ more than this in depth are on different surfaces; the side of a
trunk changes by less from pixel to pixel [m]."""
BEHIND_M = 0.35
"""A surface of the mask this far behind the person's largest one is the room or furniture, unless its depth is wrong:
the far leg of a step is 0.3 m behind the trunk [m]."""
FAR_LEGS_M, MIN_LEG_FRACTION = 1.3, 0.5
"""Largest distance behind the trunk of a surface of which at least this fraction is on the visible legs: on all fours
in front of the camera they are a trunk and a thigh behind the shoulders [m]."""
IN_FRONT_M = 0.9
"""Largest distance of a hand or foot in front of the trunk [m]."""
FOREIGN_IN_FRONT_M = 0.25
"""A surface this far in front of the person is another object's or person's, unless one of its limbs is there [m]."""
LANDMARK_WEIGHT = 2.0
"""Weight of the pixels near visible landmarks in the choice of the person's largest surface; all others weigh 1."""
MIN_LIMB_FRACTION = 0.25
"""A surface is the person's if at least this fraction of it is near the lines between visible landmarks."""
BORDER_MASK_PX = 0.8
"""Half the width of the undecided band along the mask's border [px of the mask]. On 40 frames of real people the mask
was wrong by less than that; a wider band loses fingers, because depth cameras widen and lose thin parts."""
BLEEDING_M = 0.2
"""A pixel this far behind the person's surface around it shows the background [m]."""
SURROUNDINGS = np.ones((7, 7), np.uint8)
"""Neighbourhood of the reduced box in which the person's depth is looked for: 0.1 m at 2 m."""
NEIGHBOURS = np.ones((3, 3), np.uint8)
HIGHEST_DEPTH_COST = 50.0
"""Limit of the cost of a difference in depth, that of 0.25 m. Depth cameras set the edge of a body some pixels too far
out; an edge in colour beside it is at the right place and costs more, if there is one."""
FIRM = np.ones((5, 5), np.uint8)
"""Narrower new parts of the silhouette are left out in frames without a mask."""
CORE_THICKNESS = 0.5
"""Lines along the arms with this fraction of the arm's thickness are the person's in frames without a mask."""
LEFT_THICKNESS = 1.6
"""Pixels within this many times the thickness of an arm of the previous frame may have been left by it."""
FLESH_M = 0.06
"""Distance of the skin and of clothes from the zones around the landmarks [m]."""
MIN_PIECE_FRACTION = 0.01
"""Detached pieces smaller than this fraction of the silhouette are left out unless they are on a limb."""


@dataclass(frozen=True, eq=False)
class FusedSilhouette:
    """The subject in one frame, from mask and depth."""

    box_px: tuple[int, int, int, int]
    """x, y, width, height of the smallest box around it in the full image [px]."""
    inside: NDArray[np.bool_]
    """(height, width) True on the person."""
    usable_depth: NDArray[np.bool_]
    """(height, width) True where the depth is that of the person."""
    agreement: float
    """Fraction of the mask's pixels with a return whose depth is on the person's surfaces, 0-1."""
    coverage: float
    """Fraction of the mask's pixels with a return, 0-1."""
    confidence: float
    """Mean level of the person's pixels in the mask, times the agreement, 0-1."""
    points_m: NDArray[np.float32]
    """(N, 3) points of the person's surfaces at every `STRIDE_PX`-th pixel, in the camera's frame [m]."""


def fuse(mask: MaskInBox, joints: ImageJoints, frame: RgbdFrame) -> FusedSilhouette | None:
    """Return the person's pixels in a frame with a mask; None where no pixel of the mask has a return."""
    small = _SmallBox.of(frame, mask.box_px, mask.level > HALF, joints)
    if small is None:
        return None
    label = _markers(mask, small.foreign, small.zones.thin)
    _flood(label, frame, mask.box_px)
    inside = label == PERSON
    _remove_pieces(inside, small.zones.body)
    return (
        _result(frame, mask.box_px, inside, small, float(mask.level[inside].mean()) / 255.0) if inside.any() else None
    )


def carry(previous: PreviousSubject, joints: ImageJoints, frame: RgbdFrame) -> FusedSilhouette | None:
    """Return the person's pixels in a frame without a mask; None where no pixel of the person has a return."""
    box_px, label, old_inside = carried_label(previous, joints, frame)
    x, y, width, height = box_px
    grid = ImageGrid((x, y), 1.0, (height, width), frame.intrinsics.fx / previous.distance_m)
    undecided = label == UNDECIDED
    label[(arm_zones(joints, grid, CORE_THICKNESS) > 0) & undecided] = PERSON
    # Where a hand has left the face, hair and face come into view, of which depth cameras miss a part.
    label[(head_zone(joints, grid) > 0) & (old_inside > 0) & undecided] = PERSON
    _leave(label, previous.joints, joints, grid)
    _flood(label, frame, box_px)
    # Pixels that are new have to be on a part that is not a sliver: depth flickers along the border.
    firm = cv2.morphologyEx((label == PERSON).astype(np.uint8), cv2.MORPH_OPEN, FIRM) > 0
    inside = (label == PERSON) & (firm | (old_inside > 0))
    small = _SmallBox.of(frame, box_px, inside, joints)
    if small is None:
        return None
    _remove_pieces(inside, small.zones.body)
    return _result(frame, box_px, inside, small, 1.0) if inside.any() else None


def _leave(label: NDArray[np.uint8], old_joints: ImageJoints, joints: ImageJoints, grid: ImageGrid) -> None:
    """Mark changed pixels that an arm has left as not the person's, in place.

    Between the trunk and an arm that is raised from it no pixel next to them says so.
    """
    half, (height, width) = STRIDE_PX // 2, grid.shape
    shape = (-(-(height - half) // STRIDE_PX), -(-(width - half) // STRIDE_PX))
    origin_px = (grid.origin_px[0] + half, grid.origin_px[1] + half)
    small = ImageGrid(origin_px, 1.0 / STRIDE_PX, shape, grid.px_per_m / STRIDE_PX)
    reach = max(1, round(FLESH_M * small.px_per_m))
    near = cv2.dilate(body_zones(joints, small).body, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8))
    left = (arm_zones(old_joints, small, LEFT_THICKNESS) > 0) & (near == 0)
    label[(label == UNDECIDED) & (_enlarged(left.astype(np.uint8), label.shape) > 0)] = OTHER


@dataclass(frozen=True, eq=False)
class _SmallBox:
    """The box at every STRIDE_PX-th row and column, where the surfaces are found."""

    depth_m: NDArray[np.float32]
    """(h, w) [m]."""
    inside: NDArray[np.bool_]
    """(h, w) pixels of the mask."""
    zones: BodyZones
    """Images of the same size."""
    person: NDArray[np.bool_]
    """(h, w) pixels whose depth is the person's."""
    foreign: NDArray[np.bool_]
    """(h, w) pixels of the mask that are on another surface."""

    @classmethod
    def of(
        cls, frame: RgbdFrame, box_px: tuple[int, int, int, int], inside: NDArray[np.bool_], joints: ImageJoints
    ) -> _SmallBox | None:
        """Return the reduced box of a mask (height, width) in a box; None where no pixel of it has a return."""
        x, y, width, height = box_px
        half = STRIDE_PX // 2
        depth_m = np.ascontiguousarray(
            frame.depth_m[y + half : y + height : STRIDE_PX, x + half : x + width : STRIDE_PX]
        )
        small = inside[half::STRIDE_PX, half::STRIDE_PX]
        with_return = small & np.isfinite(depth_m)
        if not with_return.any():
            return None
        px_per_m = frame.intrinsics.fx / float(np.median(depth_m[with_return]))
        grid = ImageGrid((x + half, y + half), 1.0 / STRIDE_PX, small.shape, px_per_m / STRIDE_PX)
        zones = body_zones(joints, grid)
        person, foreign = _sorted_surfaces(depth_m, with_return, zones)
        return cls(depth_m, small, zones, person, foreign)


def _flood(label: NDArray[np.uint8], frame: RgbdFrame, box_px: tuple[int, int, int, int]) -> None:
    """Decide the undecided pixels of a box, in place."""
    x, y, width, height = box_px
    part = slice(y, y + height), slice(x, x + width)
    flood(label, np.ascontiguousarray(frame.depth_m[part]), np.ascontiguousarray(frame.color[part]), HIGHEST_DEPTH_COST)


def _result(
    frame: RgbdFrame, box_px: tuple[int, int, int, int], inside: NDArray[np.bool_], small: _SmallBox, level: float
) -> FusedSilhouette:
    """Return the silhouette with the measures of its depth.

    Args:
        frame: Colour and depth.
        box_px: x, y, width, height [px].
        inside: (height, width) True on the person.
        small: The reduced box.
        level: Mean level of the person's pixels in the mask, 0-1.
    """
    x, y, _, _ = box_px
    person_m = np.where(small.person, small.depth_m, np.float32(0.0))
    farthest_m = cv2.dilate(person_m, SURROUNDINGS)
    limit_m = np.where(farthest_m > 0, farthest_m, person_m.max()) + np.float32(BLEEDING_M)
    rows, columns = np.nonzero(small.person)
    half = STRIDE_PX // 2
    pixels = np.stack([x + half + STRIDE_PX * columns, y + half + STRIDE_PX * rows], axis=1)
    in_mask = int(np.count_nonzero(small.inside))
    with_return = int(np.count_nonzero(small.inside & np.isfinite(small.depth_m)))
    agreement = len(rows) / with_return
    limit_m = _enlarged(limit_m, inside.shape)
    box = bounding_box(inside)
    top, bottom, left, right = box[0].start, box[0].stop, box[1].start, box[1].stop
    inside = inside[box]
    depth_m = frame.depth_m[y + top : y + bottom, x + left : x + right]
    return FusedSilhouette(
        box_px=(x + left, y + top, right - left, bottom - top),
        inside=inside,
        usable_depth=inside & (depth_m < limit_m[box]),
        agreement=agreement,
        coverage=with_return / in_mask,
        confidence=level * agreement,
        points_m=frame.intrinsics.back_project(pixels, small.depth_m[rows, columns]).astype(np.float32),
    )


def _sorted_surfaces(
    depth_m: NDArray[np.float32], inside: NDArray[np.bool_], zones: BodyZones
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the pixels of the reduced box whose depth is the person's, and those that are not on the person.

    Pixels of the mask in neither image have no usable depth and are on the person nevertheless.

    Args:
        depth_m: (h, w) [m].
        inside: (h, w) pixels of the mask with a return.
        zones: Images of the same size.
    """
    labels, count = label_surfaces(depth_m, inside, SPLIT_GAP_M)
    flat, depths = labels.ravel(), np.where(inside, depth_m, np.float32(0.0)).ravel()
    sizes = np.bincount(flat, minlength=count).astype(np.float64)
    sizes[0] = 0.0
    on_body = np.bincount(flat, weights=zones.body.ravel(), minlength=count)
    on_body[0] = 0.0
    on_legs = np.bincount(flat, weights=(zones.body & ~zones.thin).ravel(), minlength=count)
    means_m = np.bincount(flat, weights=depths, minlength=count) / np.maximum(sizes, 1.0)
    main = int(np.argmax(sizes + LANDMARK_WEIGHT * on_body))
    offset_m = means_m - means_m[main]
    on_limbs = np.bincount(flat, weights=zones.limbs.ravel(), minlength=count)
    near_limb = on_limbs >= MIN_LIMB_FRACTION * np.maximum(sizes, 1.0)
    behind_m = np.where(on_legs >= MIN_LEG_FRACTION * np.maximum(sizes, 1.0), FAR_LEGS_M, BEHIND_M)
    person = (offset_m < behind_m) & (offset_m > -np.where(near_limb, IN_FRONT_M, FOREIGN_IN_FRONT_M))
    person[main], person[0] = True, False
    foreign = ~person & (sizes > 0)
    # Behind the person, on a thin part: the depth of the background where the sensor missed a hand or the hair.
    missed = foreign & (offset_m > 0)
    return person[labels], foreign[labels] & ~(missed[labels] & (zones.thin > 0))


def _markers(mask: MaskInBox, foreign: NDArray[np.bool_], thin: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the labels from which the border is flooded, in the box of the mask."""
    border_px = max(2, round(BORDER_MASK_PX * mask.scale_px))
    kernel = np.ones((2 * border_px + 1, 2 * border_px + 1), np.uint8)
    label = np.full(mask.level.shape, UNDECIDED, np.uint8)
    label[cv2.dilate(mask.level, kernel) <= HALF] = OTHER
    label[cv2.erode(mask.level, kernel, borderType=cv2.BORDER_REPLICATE) > HALF] = PERSON
    # On thin parts the mask decides alone.
    label[(mask.level > HALF) & (_enlarged(thin, label.shape) > 0)] = PERSON
    if foreign.any():
        near = cv2.dilate(foreign.astype(np.uint8), NEIGHBOURS)
        core = cv2.erode(foreign.astype(np.uint8), NEIGHBOURS, borderType=cv2.BORDER_REPLICATE)
        label[(_enlarged(near, label.shape) > 0) & (label == PERSON)] = UNDECIDED
        label[_enlarged(core, label.shape) > 0] = OTHER
    return label


def _enlarged(image: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Return an image of the reduced box at full resolution: each pixel becomes a square around it."""
    height, width = shape
    enlarged = cv2.resize(image, None, fx=STRIDE_PX, fy=STRIDE_PX, interpolation=cv2.INTER_NEAREST)
    below, right = max(0, height - enlarged.shape[0]), max(0, width - enlarged.shape[1])
    if below or right:
        enlarged = cv2.copyMakeBorder(enlarged, 0, below, 0, right, cv2.BORDER_REPLICATE)
    return enlarged[:height, :width]


def _remove_pieces(inside: NDArray[np.bool_], zones: NDArray[np.uint8]) -> None:
    """Remove small pieces away from the limbs, in place."""
    half = STRIDE_PX // 2
    small = inside[half::STRIDE_PX, half::STRIDE_PX].astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(small, connectivity=8)
    if count <= 2:
        return
    areas = stats[:, cv2.CC_STAT_AREA]
    on_limb = np.bincount(labels.ravel(), weights=zones.ravel(), minlength=count) > 0
    dropped = (areas < MIN_PIECE_FRACTION * areas[1:].sum()) & ~on_limb
    dropped[0] = False
    for piece in np.flatnonzero(dropped):
        x, y, width, height = (stats[piece, :4] * STRIDE_PX).tolist()
        inside[max(y - STRIDE_PX, 0) : y + height + STRIDE_PX, max(x - STRIDE_PX, 0) : x + width + STRIDE_PX] = False
