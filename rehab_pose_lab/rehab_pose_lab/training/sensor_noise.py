"""Depth errors of every kind of camera, drawn afresh for each training image.

Wider than any one sensor on purpose (the simulated camera has models of particular sensors): a network that has seen
smeared, holed and shifted edges does not lean on any of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["disturb_depth", "disturb_outline"]

NOISE_AT_1M_M = (0.0005, 0.004)
"""Range of the standard deviation at 1 m; it grows with the square of the distance (stereo) [m]."""
EDGE_RANGE_M = 0.15
SHORT_SIGHTED_FRACTION = 0.35
"""Share of cameras that see no farther than a Kinect v2."""
FATTENED_FRACTION = 0.25
"""Share of images whose near surfaces are a pixel or two too large on every side."""


def disturb_depth(depth_m: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Return the depth image (h, w) [m] as a camera might give it, NaN = no return."""
    depth = np.where(np.isfinite(depth_m), depth_m, np.float32(20.0)).astype(np.float32)
    kernel = np.ones((3, 3), np.uint8)
    edge = cv2.dilate(depth, kernel) - cv2.erode(depth, kernel) > EDGE_RANGE_M
    if random.random() < FATTENED_FRACTION:
        # Stereo matching with a window lets the near surface grow over its border.
        depth = cv2.erode(depth, kernel, iterations=int(random.integers(1, 3))).astype(np.float32)
    smeared = random.random() < 0.4
    if smeared:
        # Drivers smooth over space and time: a ramp of some centimetres' width replaces each step.
        size = int(random.choice((2, 3, 4, 5), p=(0.3, 0.3, 0.2, 0.2)))
        depth = cv2.blur(depth, (size, size)).astype(np.float32)
    shape = depth.shape
    square = depth**2
    depth = depth + square * random.uniform(*NOISE_AT_1M_M) * random.standard_normal(shape, dtype=np.float32)
    coarse = random.standard_normal((shape[0] // 12 + 2, shape[1] // 12 + 2), dtype=np.float32)
    depth += square * random.uniform(0.0, 0.003) * cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC)
    step = random.uniform(0.0, 0.002) * square + 1e-4
    depth = np.rint(depth / step) * step
    lost = random.random(shape, dtype=np.float32) < random.choice((0.0, 0.01, 0.05))
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
    # A Kinect v2 ends at 4.5 m, before the wall; others see the whole room.
    lost |= depth > (random.uniform(4.2, 4.7) if random.random() < SHORT_SIGHTED_FRACTION else random.uniform(4.5, 8.0))
    lost |= depth < 0.3
    depth[lost] = np.nan
    result: NDArray[np.float32] = depth.astype(np.float32)
    return result


def disturb_outline(inside: NDArray[np.bool_], random: np.random.Generator) -> NDArray[np.bool_]:
    """Return a silhouette with the errors of a segmenter: a ragged border, lost or added patches."""
    kind = random.random()
    mask = inside.astype(np.uint8)
    kernel = np.ones((3, 3), np.uint8)
    if kind < 0.35:
        return inside
    grown, shrunk = cv2.dilate(mask, kernel), cv2.erode(mask, kernel)
    coarse = random.random((inside.shape[0] // 10 + 2, inside.shape[1] // 10 + 2), dtype=np.float32)
    choice = cv2.resize(coarse, inside.shape[::-1], interpolation=cv2.INTER_LINEAR)
    mask = np.where(choice < 0.25, shrunk, np.where(choice > 0.75, grown, mask))
    if kind > 0.85:
        rows, columns = np.nonzero(mask)
        pick = int(random.integers(len(rows)))
        axes = (int(random.integers(2, 14)), int(random.integers(2, 14)))
        value = int(random.random() < 0.3)
        cv2.ellipse(mask, (int(columns[pick]), int(rows[pick])), axes, 0.0, 0.0, 360.0, value, -1)
    result: NDArray[np.bool_] = mask.astype(np.bool_)
    return result
