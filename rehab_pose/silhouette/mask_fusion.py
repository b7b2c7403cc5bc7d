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

from rehab_pose.silhouette.depth_surfaces import label_surfaces
from rehab_pose.silhouette.limb_zones import ImageGrid, arm_zones, body_zones, head_zone
from rehab_pose.silhouette.mask_warping import HALF
from rehab_pose.silhouette.watershed import OTHER, PERSON, UNDECIDED, flood

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import ImageJoints, RgbdFrame
    from rehab_pose.silhouette.mask_warping import MaskInBox

__all__ = ["FusedSilhouette", "fuse"]

STRIDE_PX = 4
"""Surfaces are found with every n-th row and column [px]."""
SPLIT_GAP_M = 0.1
"""Neighbouring pixels of the reduced box that differ more than this in depth are on different surfaces; the side of a
trunk changes by less from pixel to pixel [m]."""
BEHIND_M = 0.35
"""A surface of the mask this far behind the person's largest one is the room or furniture, unless its depth is wrong:
the far leg of a step is 0.3 m behind the trunk [m]."""
IN_FRONT_M = 0.9
"""Largest distance of a hand or foot in front of the trunk [m]."""
FOREIGN_IN_FRONT_M = 0.25
"""A surface this far in front of the person is another object's or person's, unless one of its limbs is there [m]."""
MIN_LIMB_FRACTION = 0.25
"""A surface is the person's if at least this fraction of it is near the lines between visible landmarks."""
BORDER_MASK_PX = 0.8
"""Half the width of the undecided band along the mask's border [px of the mask]. On 40 frames of real people the mask
was wrong by less than that; a wider band loses fingers, because depth cameras widen and lose thin parts."""
CARRIED_BORDER, MAX_CARRIED_BORDER_PX = 0.2, 2.0
"""Further half width of the band per pixel that a carried mask has moved, and its limit [px]."""
BLEEDING_M = 0.2
"""A pixel this far behind the person's surface around it shows the background [m]."""
SURROUNDINGS = np.ones((7, 7), np.uint8)
"""Neighbourhood of the reduced box in which the person's depth is looked for: 0.1 m at 2 m."""
NEIGHBOURS = np.ones((3, 3), np.uint8)
FREED_THICKNESS, CORE_THICKNESS = 1.6, 0.4
"""With a carried mask, pixels this near to an arm are undecided, and the person's; factors on the arm's thickness."""
MIN_PIECE_FRACTION = 0.01
"""Detached pieces smaller than this fraction of the silhouette are left out unless they are on a limb."""


@dataclass(frozen=True, eq=False)
class FusedSilhouette:
    """The subject in one frame, from mask and depth."""

    box_px: tuple[int, int, int, int]
    """x, y, width, height in the full image [px]."""
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
    """Return the person's pixels; None where no pixel of the mask has a return."""
    x, y, width, height = mask.box_px
    depth_m = frame.depth_m[y : y + height, x : x + width]
    half = STRIDE_PX // 2
    small_depth_m = np.ascontiguousarray(depth_m[half::STRIDE_PX, half::STRIDE_PX])
    small_mask = mask.level[half::STRIDE_PX, half::STRIDE_PX] > HALF
    with_return = small_mask & np.isfinite(small_depth_m)
    count = int(np.count_nonzero(with_return))
    if count == 0:
        return None
    px_per_m = frame.intrinsics.fx / float(np.median(small_depth_m[with_return]))
    small = ImageGrid((x + half, y + half), 1.0 / STRIDE_PX, small_mask.shape, px_per_m / STRIDE_PX)
    zones, thin = body_zones(joints, small)
    person, foreign = _sorted_surfaces(small_depth_m, with_return, zones, thin)
    farthest_m = cv2.dilate(np.where(person, small_depth_m, np.float32(0.0)), SURROUNDINGS)
    label = _markers(mask, foreign, thin)
    if mask.source is not joints:
        _free_the_arms(label, mask, joints, ImageGrid((x, y), 1.0, (height, width), px_per_m))
    flood(label, np.ascontiguousarray(depth_m), np.ascontiguousarray(frame.color[y : y + height, x : x + width]))
    inside = label == PERSON
    _remove_pieces(inside, zones)
    if not inside.any():
        return None
    limit_m = np.where(farthest_m > 0, farthest_m + np.float32(BLEEDING_M), np.float32(np.inf))
    limit_m = _enlarged(limit_m, (height, width))
    rows, columns = np.nonzero(person)
    full_rows, full_columns = y + half + STRIDE_PX * rows, x + half + STRIDE_PX * columns
    points_m = frame.intrinsics.back_project(
        np.stack([full_columns, full_rows], axis=1), small_depth_m[rows, columns]
    ).astype(np.float32)
    return FusedSilhouette(
        box_px=mask.box_px,
        inside=inside,
        usable_depth=inside & (depth_m < limit_m),
        agreement=len(rows) / count,
        coverage=count / max(1, int(np.count_nonzero(small_mask))),
        confidence=float(mask.level[inside].mean()) / 255.0 * len(rows) / count,
        points_m=points_m,
    )


def _sorted_surfaces(
    depth_m: NDArray[np.float32], inside: NDArray[np.bool_], zones: NDArray[np.uint8], thin: NDArray[np.uint8]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the pixels of the reduced box whose depth is the person's, and those that are not on the person.

    Pixels of the mask in neither image have no usable depth and are on the person nevertheless.

    Args:
        depth_m: (h, w) [m].
        inside: (h, w) pixels of the mask with a return.
        zones: (h, w) 1 near visible landmarks.
        thin: (h, w) 1 near arms, feet and head.
    """
    labels, count = label_surfaces(depth_m, inside, SPLIT_GAP_M)
    flat, depths = labels.ravel(), np.where(inside, depth_m, np.float32(0.0)).ravel()
    sizes = np.bincount(flat, minlength=count).astype(np.float64)
    sizes[0] = 0.0
    on_body = np.bincount(flat, weights=zones.ravel(), minlength=count)
    on_body[0] = 0.0
    means_m = np.bincount(flat, weights=depths, minlength=count) / np.maximum(sizes, 1.0)
    main = int(np.argmax(sizes + on_body))
    offset_m = means_m - means_m[main]
    near_limb = on_body >= MIN_LIMB_FRACTION * np.maximum(sizes, 1.0)
    person = (offset_m < BEHIND_M) & (offset_m > -np.where(near_limb, IN_FRONT_M, FOREIGN_IN_FRONT_M))
    person[main], person[0] = True, False
    foreign = ~person & (sizes > 0)
    # Behind the person, on a thin part: the depth of the background where the sensor missed a hand or the hair.
    missed = foreign & (offset_m > 0)
    return person[labels], foreign[labels] & ~(missed[labels] & (thin > 0))


def _markers(mask: MaskInBox, foreign: NDArray[np.bool_], thin: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the labels from which the border is flooded, in the box of the mask."""
    border_px = max(
        2, round(BORDER_MASK_PX * mask.scale_px + min(CARRIED_BORDER * mask.moved_px, MAX_CARRIED_BORDER_PX))
    )
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


def _free_the_arms(label: NDArray[np.uint8], mask: MaskInBox, joints: ImageJoints, grid: ImageGrid) -> None:
    """Leave the places of the arms then and now to the flooding, in place; lines along the arms are the person's."""
    either = arm_zones(mask.source, grid, FREED_THICKNESS) | arm_zones(joints, grid, FREED_THICKNESS)
    either[(head_zone(joints, grid) > 0) & (label == PERSON)] = 0
    label[either > 0] = UNDECIDED
    label[arm_zones(joints, grid, CORE_THICKNESS) > 0] = PERSON


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
