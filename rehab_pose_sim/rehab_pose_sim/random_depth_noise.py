"""Random errors of depth cameras and of segmenters, with new parameters for each training image.

The ranges are wider than the errors of any one sensor on purpose (`noise` models particular sensors): a network that
was trained on smeared, incomplete and shifted edges depends on none of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from rehab_pose_sim.depth_noise import patch_noise, quantised

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["add_random_depth_errors", "add_random_outline_errors"]

SIGMA_AT_1M_M = (0.0005, 0.004)
"""Range of the standard deviation at 1 m [m]; it grows with the square of the distance, as in stereo."""
PATCH_SIGMA_AT_1M_M = (0.0, 0.003)
"""The same for errors that are common to a patch of pixels [m]."""
STEP_AT_1M_M = (0.0, 0.002)
"""Range of the depth step at 1 m [m]; it grows with the square of the distance."""
MIN_STEP_M = 1e-4
EDGE_M = 0.15
"""Range of depth within 3 x 3 pixels from which the middle one is at an edge [m]."""
NO_SURFACE_M = 20.0
"""Depth used where there is no surface, so that it is finite; beyond the range of every camera [m]."""
MIN_RANGE_M = 0.3
SHORT_RANGE_FRACTION = 0.35
"""Fraction of the cameras whose range ends like that of a Kinect v2."""
FATTENED_FRACTION = 0.25
"""Fraction of the images in which near surfaces are a pixel or two too large on every side."""
SMEARED_FRACTION = 0.4
"""Fraction of the images that are smoothed over edges."""
OUTLINE_CELL_PX = 10
"""Size of the patches in which the border of a silhouette is moved in or out [px]."""


def add_random_depth_errors(depth_m: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Return a depth image (H, W) [m] with the errors of a random camera, NaN = no return."""
    depth = np.where(np.isfinite(depth_m), depth_m, np.float32(NO_SURFACE_M)).astype(np.float32)
    kernel = np.ones((3, 3), np.uint8)
    edge = cv2.dilate(depth, kernel) - cv2.erode(depth, kernel) > EDGE_M
    if random.random() < FATTENED_FRACTION:
        # Window-based stereo matching enlarges near surfaces beyond their border.
        depth = cv2.erode(depth, kernel, iterations=int(random.integers(1, 3))).astype(np.float32)
    smeared = random.random() < SMEARED_FRACTION
    if smeared:
        # Drivers smooth over space and time: a ramp some centimetres wide replaces each step.
        size = int(random.choice((2, 3, 4, 5), p=(0.3, 0.3, 0.2, 0.2)))
        depth = cv2.blur(depth, (size, size)).astype(np.float32)
    shape = (depth.shape[0], depth.shape[1])
    square = depth**2
    depth = depth + square * random.uniform(*SIGMA_AT_1M_M) * random.standard_normal(shape, dtype=np.float32)
    patches = patch_noise(random, shape, single_precision=True)
    depth += square * random.uniform(*PATCH_SIGMA_AT_1M_M) * patches
    depth = quantised(depth, random.uniform(*STEP_AT_1M_M) * square + MIN_STEP_M)
    lost = _lost_pixels(edge, smeared=smeared, random=random)
    # The range of a Kinect v2 ends at 4.5 m, often in front of the wall; other cameras see the whole room.
    short = random.random() < SHORT_RANGE_FRACTION
    lost |= depth > (random.uniform(4.2, 4.7) if short else random.uniform(4.5, 8.0))
    lost |= depth < MIN_RANGE_M
    depth[lost] = np.nan
    result: NDArray[np.float32] = depth.astype(np.float32)
    return result


def _lost_pixels(edge: NDArray[np.bool_], *, smeared: bool, random: np.random.Generator) -> NDArray[np.bool_]:
    """Return the pixels (H, W) without return: single ones, at edges (H, W), in shadows and in elliptic holes."""
    shape = edge.shape
    lost: NDArray[np.bool_] = random.random(shape, dtype=np.float32) < random.choice((0.0, 0.01, 0.05))
    if not smeared or random.random() < 0.3:
        lost |= edge & (random.random(shape, dtype=np.float32) < random.uniform(0.0, 0.9))
    if random.random() < 0.3:
        # Shadow of the projector: one side of each edge has no return.
        shadow = int(random.integers(1, 3)) * int(random.choice((-1, 1)))
        lost |= edge & np.roll(edge, shadow, axis=1)
    for _ in range(random.poisson(0.7)):
        centre = (int(random.integers(shape[1])), int(random.integers(shape[0])))
        axes = (int(random.integers(1, 9)), int(random.integers(1, 9)))
        hole = np.zeros(shape, np.uint8)
        cv2.ellipse(hole, centre, axes, 0.0, 0.0, 360.0, 1, -1)
        lost |= hole.astype(np.bool_)
    return lost


def add_random_outline_errors(inside: NDArray[np.bool_], random: np.random.Generator) -> NDArray[np.bool_]:
    """Return a silhouette (H, W) with the errors of a segmenter: a ragged border, missing or added patches."""
    kind = random.random()
    mask = inside.astype(np.uint8)
    kernel = np.ones((3, 3), np.uint8)
    if kind < 0.35:
        return inside
    grown, shrunk = cv2.dilate(mask, kernel), cv2.erode(mask, kernel)
    cells = (inside.shape[0] // OUTLINE_CELL_PX + 2, inside.shape[1] // OUTLINE_CELL_PX + 2)
    choice = cv2.resize(random.random(cells, dtype=np.float32), inside.shape[::-1], interpolation=cv2.INTER_LINEAR)
    mask = np.where(choice < 0.25, shrunk, np.where(choice > 0.75, grown, mask))
    if kind > 0.85:
        rows, columns = np.nonzero(mask)
        if not len(rows):
            return mask.astype(np.bool_)
        pick = int(random.integers(len(rows)))
        axes = (int(random.integers(2, 14)), int(random.integers(2, 14)))
        value = int(random.random() < 0.3)
        cv2.ellipse(mask, (int(columns[pick]), int(rows[pick])), axes, 0.0, 0.0, 360.0, value, -1)
    result: NDArray[np.bool_] = mask.astype(np.bool_)
    return result
