"""The subject of the previous frame as markers for the flooding of this one, for frames without a mask.

A pixel whose depth and colour have not changed keeps its label. Where they have, the flooding decides from the
neighbours. Landmarks are not needed for that: they may jump where the body has not moved at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numba
import numpy as np

from rehab_pose.silhouette.limb_zones import ImageGrid, draw_limbs
from rehab_pose.silhouette.watershed import LABELS, OTHER, PERSON, READ_COLOR, READ_DEPTH, UNDECIDED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.datatypes import ImageJoints, RgbdFrame

    Box = tuple[int, int, int, int]

__all__ = ["PreviousSubject", "carried_label", "kept_fraction"]

MAX_MASK_AGE_NS = 400_000_000
"""Largest age of a mask whose silhouette is carried from frame to frame [ns]."""
MAX_SPEED_M_S, MIN_REACH_M = 1.0, 0.03
"""The silhouette grows by at most this between two frames, except along the limbs that the landmarks show [m/s, m]."""
LIMB_THICKNESS = 1.4
"""The silhouette can be within this many times the thickness of a visible limb."""
CORE_PX = 7
"""The part of the previous silhouette that is farther than this from its border keeps its label even if its colour
changes, because clothes move with the body [px]."""
CORE_CHANGE_M = 0.12
"""Largest change of depth within the core for that [m]."""
CHANGED_M, CHANGED_RATIO = 0.03, 0.015
"""A change of depth by more than the sum of the first and the second times the depth is not noise [m]."""
CHANGED_LEVELS = 36
"""A change of colour, summed over the three channels, by more than this is not noise."""
SAME_LEVELS, BRIGHT_LEVELS = 14, 150
"""A pixel next to the person with a smaller change of colour and more than this brightness, both summed over the three
channels, shows the same surface as before, even if its depth has changed: depth cameras widen moving hands. A dark
sleeve in front of a dark sofa changes the colour as little, so dark pixels are left to the flooding."""
KEPT_STRIDE_PX, MIN_UNCHANGED = 4, 40
"""Unchanged pixels are compared at every n-th row and column, if there are at least this many [px]."""
HAND_M = 0.12
"""Margin around the landmarks of the arms [m]."""
ARMS = slice(11, 23)
"""Landmarks of shoulders, elbows, wrists and fingers."""
MIN_VISIBILITY = 0.5
"""Landmarks that are visible with a lower probability are not used."""


@dataclass(frozen=True, eq=False)
class PreviousSubject:
    """The subject of the previous frame."""

    frame: RgbdFrame
    joints: ImageJoints
    """Its landmarks."""
    box_px: Box
    """x, y, width, height of the box around it [px]."""
    inside: NDArray[np.bool_]
    """(height, width) True on the person."""
    distance_m: float
    """Median depth [m]."""
    mask_stamp_ns: int
    """Stamp of the frame whose mask it goes back to [ns]."""

    def precedes(self, frame: RgbdFrame) -> bool:
        """Return whether a frame of the same camera follows while the mask is not too old."""
        return (
            self.frame.intrinsics == frame.intrinsics
            and self.frame.stamp_ns < frame.stamp_ns <= self.mask_stamp_ns + MAX_MASK_AGE_NS
        )


def carried_label(
    previous: PreviousSubject, joints: ImageJoints, frame: RgbdFrame
) -> tuple[Box, NDArray[np.uint8], NDArray[np.uint8]]:
    """Return a box (x, y, width, height) [px], the markers (height, width) in it, and the previous silhouette in it.

    Args:
        previous: The subject in the previous frame.
        joints: Landmarks of this frame; the box contains the arms.
        frame: Colour and depth, of the same size as the previous frame.
    """
    px_per_m = frame.intrinsics.fx / previous.distance_m
    elapsed_s = 1e-9 * (frame.stamp_ns - previous.frame.stamp_ns)
    reach_px = max(2, round((MIN_REACH_M + MAX_SPEED_M_S * elapsed_s) * px_per_m))
    box_px = _grown(previous.box_px, reach_px, joints, round(HAND_M * px_per_m), frame.depth_m.shape)
    x, y, width, height = box_px
    old_x, old_y, old_width, old_height = previous.box_px
    inside = np.zeros((height, width), np.uint8)
    inside[old_y - y : old_y - y + old_height, old_x - x : old_x - x + old_width] = previous.inside
    core = cv2.erode(inside, np.ones((2 * CORE_PX + 1, 2 * CORE_PX + 1), np.uint8), borderType=cv2.BORDER_REPLICATE)
    reachable = cv2.dilate(inside, np.ones((2 * reach_px + 1, 2 * reach_px + 1), np.uint8)).astype(np.uint8, copy=False)
    draw_limbs(reachable, joints, ImageGrid((x, y), 1.0, (height, width), px_per_m), LIMB_THICKNESS)
    label = np.empty((height, width), np.uint8)
    old = previous.frame
    _mark(frame.depth_m, old.depth_m, frame.color, old.color, (x, y), inside + core, reachable, label)
    return box_px, label, inside


def kept_fraction(previous: PreviousSubject, frame: RgbdFrame, box_px: Box, inside: NDArray[np.bool_]) -> float:
    """Return the fraction of the previous subject's unchanged pixels that are on the subject in this frame.

    A person who goes on being followed keeps them; another person who has come in front of it does not. 1 if there are
    hardly any unchanged pixels.

    Args:
        previous: The subject in the previous frame.
        frame: Colour and depth, of the same size as the previous frame.
        box_px: Box around the subject in this frame (x, y, width, height) [px].
        inside: (height, width) True on the subject.
    """
    x, y, width, height = previous.box_px
    part = slice(y, y + height, KEPT_STRIDE_PX), slice(x, x + width, KEPT_STRIDE_PX)
    depth_m, old_depth_m = frame.depth_m[part], previous.frame.depth_m[part]
    levels = np.abs(frame.color[part].astype(np.int16) - previous.frame.color[part]).sum(axis=2)
    with np.errstate(invalid="ignore"):
        same = np.abs(depth_m - old_depth_m) < CHANGED_M + CHANGED_RATIO * old_depth_m
    same &= previous.inside[::KEPT_STRIDE_PX, ::KEPT_STRIDE_PX] & (levels <= CHANGED_LEVELS)
    rows, columns = np.nonzero(same)
    if len(rows) < MIN_UNCHANGED:
        return 1.0
    rows, columns = y + KEPT_STRIDE_PX * rows - box_px[1], x + KEPT_STRIDE_PX * columns - box_px[0]
    in_box = (rows >= 0) & (rows < box_px[3]) & (columns >= 0) & (columns < box_px[2])
    return float(np.count_nonzero(inside[rows[in_box], columns[in_box]]) / len(rows))


def _grown(box_px: Box, margin_px: int, joints: ImageJoints, hand_px: int, shape: tuple[int, ...]) -> Box:
    """Return the box with a margin, and around the visible landmarks of the arms, inside the image."""
    low = np.array(box_px[:2]) - margin_px
    high = np.array(box_px[:2]) + box_px[2:] + margin_px
    arms = joints.pixels[ARMS][joints.visibility[ARMS] >= MIN_VISIBILITY]
    arms = arms[np.isfinite(arms).all(axis=1)]
    if len(arms):
        low = np.minimum(low, arms.min(axis=0) - hand_px)
        high = np.maximum(high, arms.max(axis=0) + hand_px)
    left, top = np.maximum(np.floor(low), 0).astype(int).tolist()
    right, bottom = np.minimum(np.ceil(high), (shape[1], shape[0])).astype(int).tolist()
    return left, top, right - left, bottom - top


@numba.njit(  # type: ignore[untyped-decorator]
    numba.void(
        *(READ_DEPTH, READ_DEPTH, READ_COLOR, READ_COLOR),
        *(numba.types.UniTuple(numba.int64, 2), LABELS, LABELS, LABELS),
    ),
    cache=True,
    nogil=True,
)
def _mark(  # noqa: PLR0913, PLR0917  (compiled code takes arrays, no records)
    depth_m: NDArray[np.float32],
    old_depth_m: NDArray[np.float32],
    color: NDArray[np.uint8],
    old_color: NDArray[np.uint8],
    origin_px: tuple[int, int],
    inside: NDArray[np.uint8],
    reachable: NDArray[np.uint8],
    label: NDArray[np.uint8],
) -> None:
    """Write the markers.

    Args:
        depth_m: (H, W) of the full image [m].
        old_depth_m: (H, W) of the previous frame [m].
        color: (H, W, 3) of the full image.
        old_color: (H, W, 3) of the previous frame.
        origin_px: x, y of the box in the full image [px].
        inside: (h, w) of the previous frame: 2 in the core of the person, 1 on the rest of it, 0 elsewhere.
        reachable: (h, w) 0 where the person cannot be.
        label: (h, w) result.
    """
    height, width = label.shape
    for row in range(height):
        v = row + origin_px[1]
        for column in range(width):
            if reachable[row, column] == 0:
                label[row, column] = OTHER
                continue
            u = column + origin_px[0]
            depth, old = depth_m[v, u], old_depth_m[v, u]
            if np.isnan(depth) or np.isnan(old):
                same_depth = np.isnan(depth) and np.isnan(old)
                near_depth = same_depth
            else:
                difference = abs(depth - old)
                same_depth = difference < np.float32(CHANGED_M) + np.float32(CHANGED_RATIO) * old
                near_depth = difference < np.float32(CORE_CHANGE_M)
            if inside[row, column] == 2 and near_depth:
                label[row, column] = PERSON
                continue
            levels, brightness = np.int32(0), np.int32(0)
            for channel in range(3):
                levels += abs(np.int32(color[v, u, channel]) - np.int32(old_color[v, u, channel]))
                brightness += np.int32(color[v, u, channel])
            if inside[row, column] == 0 and levels < SAME_LEVELS and brightness > BRIGHT_LEVELS:
                label[row, column] = OTHER
                continue
            if not same_depth or levels > CHANGED_LEVELS:
                label[row, column] = UNDECIDED
            elif inside[row, column] > 0:
                label[row, column] = PERSON
            else:
                label[row, column] = OTHER
