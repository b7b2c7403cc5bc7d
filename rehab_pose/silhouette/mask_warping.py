"""The person's mask of the image network in the full image, also in frames in which it was not computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import ImageJoints, PersonMask

__all__ = ["HALF", "MaskCarrier", "MaskInBox"]

MAX_AGE_NS = 250_000_000
"""Largest age of a mask that is carried along: at 3 m/s a hand moves 0.75 m in this time, and the displacement of the
landmarks no longer describes the outline [ns]."""
MARGIN_MASK_PX = 6
"""Margin around the person's pixels of the mask, for the flooding of its border [px of the mask]."""
HALF = 127
"""A pixel is a person's above this level of the mask, which is stored as 0 to 255."""
GRID_PX = 8
"""Distance of the points at which the displacement of a carried mask is computed; it is interpolated between [px of the
mask]."""
SOFTENING_PX = 3.0
"""Distance to a bone below which its displacement applies unchanged [px of the mask]."""
LEVELS_PER_LOGIT = 32.0
"""Levels of the mask for a logit of 1: it is clipped at logits of 4, a probability of 0.98."""
CARRIED_BONES = (
    (0, 0), (0, 11), (0, 12), (11, 12), (11, 23), (12, 24), (23, 24),
    (23, 25), (25, 27), (27, 31), (24, 26), (26, 28), (28, 32),
)  # fmt: skip
"""Pairs of landmarks; the displacement of the mask follows points along the lines between them. The arms are left out,
because they move in front of the trunk and would drag its outline along; the flooding finds them at their new place."""
ARMS = slice(11, 23)
"""Landmarks of shoulders, elbows, wrists and fingers."""
HAND_MASK_PX = 6
"""Margin around the landmarks of an arm that has left the box of a carried mask [px of the mask]."""
MIN_VISIBILITY = 0.5
"""Landmarks that are visible with a lower probability do not move the mask; outside the image they are unsteady."""
POINTS_ON_BONE = (0.0, 0.34, 0.67, 1.0)
"""Positions of these points as fractions of a line."""


@dataclass(frozen=True, eq=False)
class MaskInBox:
    """The mask in a box of the full image."""

    box_px: tuple[int, int, int, int]
    """x, y, width, height [px]."""
    level: NDArray[np.uint8]
    """(height, width) 0 to 255; above HALF where the person is more likely than the rest."""
    scale_px: float
    """Size of a pixel of the mask in the full image [px]."""
    moved_px: float
    """Largest displacement of the trunk and legs of a carried mask; 0 = computed in this frame [px]."""
    source: ImageJoints
    """The landmarks of the frame in which the mask was computed."""


class MaskCarrier:
    """Keeps the newest mask and warps it into the image, moved with the landmarks since it was computed."""

    def __init__(self) -> None:
        self._source: ImageJoints | None = None
        self._level: NDArray[np.uint8] | None = None
        self._box: tuple[int, int, int, int] = (0, 0, 0, 0)

    def reset(self) -> None:
        """Forget the mask."""
        self._source = None

    def warp(self, joints: ImageJoints, width_px: int, height_px: int) -> MaskInBox | None:
        """Return the mask in the person's box of the image; None where no recent mask has a person's pixel.

        Args:
            joints: Landmarks of this frame, with or without a mask.
            width_px: Width of the image [px].
            height_px: Height of the image [px].
        """
        if joints.mask is not None:
            self._remember(joints, joints.mask)
        source = self._source
        if source is None or source.mask is None or self._level is None or not self._box[2]:
            return None
        if not 0 <= joints.stamp_ns - source.stamp_ns <= MAX_AGE_NS:
            return None
        image_from_mask = source.mask.image_from_mask
        scale_px = float(np.sqrt(abs(np.linalg.det(image_from_mask[:, :2]))))
        box, level, moved_px = self._box, self._level, 0.0
        if joints.mask is None:
            old, new = _bone_points(source), _bone_points(joints)
            known = np.isfinite(old).all(axis=1) & np.isfinite(new).all(axis=1)
            if not known.any():
                return None
            moved_px = float(np.abs(new[known] - old[known]).max())
            inverse = np.linalg.inv(image_from_mask[:, :2])
            old, new = ((points[known] - image_from_mask[:, 2]) @ inverse.T for points in (old, new))
            box = _grown(box, round(moved_px / scale_px), level.shape)
            level = _moved(level, box, old.astype(np.float32), new.astype(np.float32))
            visible = joints.pixels[ARMS][joints.visibility[ARMS] >= MIN_VISIBILITY]
            box = _around(box, (visible - image_from_mask[:, 2]) @ inverse.T)
        box_px = _image_box(box, image_from_mask, (width_px, height_px))
        if box_px is None:
            return None
        return MaskInBox(box_px, _warped(level, image_from_mask, box_px), scale_px, moved_px, source)

    def _remember(self, joints: ImageJoints, mask: PersonMask) -> None:
        """Store a mask as levels, with the box of its person's pixels (x, y, width, height)."""
        scaled = mask.logits * np.float32(LEVELS_PER_LOGIT) + np.float32(HALF + 0.5)
        self._level = np.clip(scaled, 0.0, 255.0).astype(np.uint8)
        inside = self._level > HALF
        rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
        self._box = (0, 0, 0, 0)
        if len(rows):
            left, top, right, bottom = (int(edge) for edge in (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1))
            self._box = (left, top, right - left, bottom - top)
        self._source = joints


def _grown(box: tuple[int, int, int, int], margin: int, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return a box (x, y, width, height) with a margin, inside an array of the given shape."""
    left, top = max(box[0] - margin, 0), max(box[1] - margin, 0)
    right, bottom = min(box[0] + box[2] + margin, shape[1]), min(box[1] + box[3] + margin, shape[0])
    return left, top, right - left, bottom - top


def _around(box: tuple[int, int, int, int], points: NDArray[np.float64]) -> tuple[int, int, int, int]:
    """Return the smallest box (x, y, width, height) that contains a box and points (N, 2) with a hand around them."""
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        return box
    low = np.minimum(np.floor(points.min(axis=0)).astype(int) - HAND_MASK_PX, box[:2])
    high = np.maximum(np.ceil(points.max(axis=0)).astype(int) + HAND_MASK_PX, (box[0] + box[2], box[1] + box[3]))
    left, top, right, bottom = (int(edge) for edge in (*low, *high))
    return left, top, right - left, bottom - top


def _image_box(
    box: tuple[int, int, int, int], image_from_mask: NDArray[np.float64], size_px: tuple[int, int]
) -> tuple[int, int, int, int] | None:
    """Return the box [px] of the image that contains a box of the mask with a margin; None where it is outside."""
    x, y, width, height = box
    left, right = x - MARGIN_MASK_PX, x + width + MARGIN_MASK_PX
    top, bottom = y - MARGIN_MASK_PX, y + height + MARGIN_MASK_PX
    corners = np.array([(left, top, 1), (right, top, 1), (left, bottom, 1), (right, bottom, 1)], dtype=np.float64)
    pixels = corners @ image_from_mask.T
    low = np.clip(np.floor(pixels.min(axis=0)).astype(int), 0, size_px)
    high = np.clip(np.ceil(pixels.max(axis=0)).astype(int) + 1, 0, size_px)
    width_px, height_px = (high - low).tolist()
    return (int(low[0]), int(low[1]), width_px, height_px) if width_px > 2 and height_px > 2 else None


def _mask_from_box(image_from_mask: NDArray[np.float64], box_px: tuple[int, int, int, int]) -> NDArray[np.float64]:
    """Return the affine map (2, 3) from a pixel of the box to a pixel of the mask."""
    inverse = np.linalg.inv(image_from_mask[:, :2])
    return np.column_stack([inverse, inverse @ (np.asarray(box_px[:2], dtype=np.float64) - image_from_mask[:, 2])])


def _warped(
    level: NDArray[np.uint8], image_from_mask: NDArray[np.float64], box_px: tuple[int, int, int, int]
) -> NDArray[np.uint8]:
    """Return the mask resampled in a box of the image."""
    return cv2.warpAffine(
        level,
        _mask_from_box(image_from_mask, box_px),
        (box_px[2], box_px[3]),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=0,
    ).astype(np.uint8, copy=False)


def _moved(
    level: NDArray[np.uint8],
    box: tuple[int, int, int, int],
    old: NDArray[np.float32],
    new: NDArray[np.float32],
) -> NDArray[np.uint8]:
    """Return the mask after displacing each pixel of a box with the bones near it; 0 outside the box.

    Args:
        level: The mask.
        box: x, y, width, height that contain the person before and after [px of the mask].
        old: (N, 2) points on the bones when the mask was computed [px of the mask].
        new: (N, 2) the same points now [px of the mask].
    """
    x, y, width, height = box
    columns = np.arange(0, width + GRID_PX, GRID_PX, dtype=np.float32)
    rows = np.arange(0, height + GRID_PX, GRID_PX, dtype=np.float32)
    nodes = np.stack(np.meshgrid(columns + x, rows + y), axis=-1).reshape(-1, 2)
    squared = np.square(nodes[:, :1] - new[:, 0]) + np.square(nodes[:, 1:] - new[:, 1])
    weight = 1.0 / np.square(squared + np.float32(SOFTENING_PX**2))
    weight /= weight.sum(axis=1, keepdims=True)
    source = (nodes + weight @ (old - new)).reshape(len(rows), len(columns), 2)
    # An affine map of the grid's nodes onto the box's pixels: resizing would add an offset of half a pixel.
    enlarge = np.array([[1.0 / GRID_PX, 0.0, 0.0], [0.0, 1.0 / GRID_PX, 0.0]])
    lookup = cv2.warpAffine(
        source,
        enlarge,
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    moved = np.zeros_like(level)
    moved[y : y + height, x : x + width] = cv2.remap(
        level, lookup, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0
    )
    return moved


def _bone_points(joints: ImageJoints) -> NDArray[np.float64]:
    """Return points (N, 2) along the bones [px]; NaN where an end of the bone is not visible."""
    first, second = np.array(CARRIED_BONES).T
    pixels = np.where(joints.visibility[:, None] >= MIN_VISIBILITY, joints.pixels, np.nan)
    fractions = np.array(POINTS_ON_BONE)[:, None, None]
    points: NDArray[np.float64] = ((1.0 - fractions) * pixels[first] + fractions * pixels[second]).reshape(-1, 2)
    return points
