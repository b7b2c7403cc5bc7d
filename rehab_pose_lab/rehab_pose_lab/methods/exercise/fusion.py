"""Eq 30 of 3D-PoseFormer: what every stage found of a person, side by side in one vector a sample.

Streams: the joints' own (exercise.streams), classical keypoints, contours of body parts, the body's rotations, and
some of its vertices. Places in the image are taken from the middle of the person's box and in its heights, both medians
over the window; vertices from the pelvis, in the body frame of the window, in torso lengths. Each stream has a validity
of its own; a stream that is not there is zero with validity zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.exercise.feature_streams import STREAM_COUNT, window_streams
from rehab_pose.exercise.window_features import FEATURE_LIMIT, body_frames

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose.datatypes import Body, BodyParts, Keypoints

__all__ = ["DETECTORS", "FrameFindings", "FusionLayout", "fused_features", "gather_frame"]

DETECTORS = ("contour", "harris", "shi_tomasi", "orb", "brisk", "sift", "akaze", "skeleton_end", "skeleton_branch")
"""Families of classical keypoints, in the vector's order."""
GRID = 3
"""Cells a side over the person's box, in which a family's points are counted."""
VALUES_A_FAMILY = 5 + GRID * GRID + 1
"""Mean u, v, spread of u, v, logarithm of the count, the cells' shares, and validity."""
PART_COUNT = 20
MOVING_JOINTS = 23
MAX_POINTS = 100.0
"""A detector's usual limit: counts are told as shares of it."""


@dataclass(frozen=True)
class FusionLayout:
    """Which parts of the vector are used: the whole, or less for an ablation."""

    detectors: tuple[str, ...] = DETECTORS
    contour_points: int = 8
    """Points of every part's contour."""
    vertices: int = 128
    streams: tuple[str, ...] = ("joints", "keypoints", "contours", "body", "vertices")

    @property
    def sizes(self) -> dict[str, int]:
        """Numbers a sample of every stream, in order; the same whatever is left out, so that networks stay alike."""
        return {
            "joints": STREAM_COUNT,
            "keypoints": VALUES_A_FAMILY * len(DETECTORS),
            "contours": PART_COUNT * (2 * self.contour_points + 1),
            "body": 3 * MOVING_JOINTS + 1,
            "vertices": 3 * self.vertices + 1,
        }

    @property
    def count(self) -> int:
        """Numbers a sample."""
        return sum(self.sizes.values())


@dataclass(frozen=True, eq=False)
class FrameFindings:
    """What the stages found at one moment, in the camera's own units; NaN = not found."""

    families: NDArray[np.float32]
    """(F, VALUES_A_FAMILY - 1) of DETECTORS: means and spreads in pixels, logarithm of the count, cells' shares."""
    contours_px: NDArray[np.float32]
    """(20, N, 2) [px]."""
    box_px: NDArray[np.float32]
    """(4) x, y, width, height [px]."""
    rotations_rad: NDArray[np.float32]
    """(23, 3) relative to the parent [rad]."""
    vertices_m: NDArray[np.float32]
    """(K, 3) some vertices [m]."""


def gather_frame(
    keypoints: Keypoints | None, parts: BodyParts | None, body: Body | None, vertices: NDArray[np.int64]
) -> FrameFindings:
    """Return one frame's findings.

    Args:
        keypoints: Of the person; None = nobody, as the next two.
        parts: Of the person.
        body: With vertices.
        vertices: (K) which vertices are taken.
    """
    families = np.full((len(DETECTORS), VALUES_A_FAMILY - 1), np.nan, dtype=np.float32)
    contours, box = np.full((PART_COUNT, 1, 2), np.nan, dtype=np.float32), np.full(4, np.nan, dtype=np.float32)
    rotations = np.full((MOVING_JOINTS, 3), np.nan, dtype=np.float32)
    points = np.full((len(vertices), 3), np.nan, dtype=np.float32)
    if parts is not None:
        contours, box = parts.contours_px, np.array(parts.box_px, dtype=np.float32)
    if keypoints is not None and parts is not None:
        for family in keypoints.families:
            families[DETECTORS.index(family.detector)] = _family(family.pixels, box)
    if body is not None:
        rotations = body.parameters.rotations_rad[1:].astype(np.float32)
        if len(body.vertices_m):
            points = body.vertices_m[vertices]
    return FrameFindings(families, contours, box, rotations, points)


def _family(pixels: NDArray[np.float32], box_px: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the summary of one detector's points (K, 2) [px]; all NaN but a count of 0 where it found none."""
    found = np.full(VALUES_A_FAMILY - 1, np.nan, dtype=np.float32)
    found[4] = 0.0
    if len(pixels):
        found[:2], found[2:4] = pixels.mean(axis=0), pixels.std(axis=0)
        found[4] = np.log1p(len(pixels)) / np.log1p(MAX_POINTS)
        cells = np.clip((pixels - box_px[:2]) / np.maximum(box_px[2:], 1.0) * GRID, 0, GRID - 1).astype(np.intp)
        counts = np.bincount(cells[:, 1] * GRID + cells[:, 0], minlength=GRID * GRID)
        found[5:] = counts / len(pixels)
    return found


def fused_features(
    positions_m: NDArray[Any], up: NDArray[Any], frames: Sequence[FrameFindings], layout: FusionLayout
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return one window's vectors.

    Args:
        positions_m: (T, J, 3) FEATURE_JOINTS at SAMPLE_RATE_HZ in the optical frame [m]; NaN = missing.
        up: (3) unit vector against gravity in the optical frame.
        frames: T findings of the same moments.
        layout: What is used.

    Returns:
        Features (T, layout.count), and 1 for each sample that has a joint (T).
    """
    joints, present = window_streams(positions_m[None], up[None])
    boxes = np.array([frame.box_px for frame in frames])
    parts = {
        "joints": joints[0],
        "keypoints": _keypoints(np.array([frame.families for frame in frames]), boxes, layout),
        "contours": _contours(frames, boxes, layout),
        "body": _with_validity(np.array([frame.rotations_rad for frame in frames])),
        "vertices": _vertices(positions_m, up, np.array([frame.vertices_m for frame in frames]), layout),
    }
    kept = [part if name in layout.streams else np.zeros_like(part) for name, part in parts.items()]
    return np.clip(np.concatenate(kept, axis=1), -FEATURE_LIMIT, FEATURE_LIMIT).astype(np.float32), present[0]


def _place_of(boxes_px: NDArray[np.float32]) -> tuple[NDArray[np.float64], float]:
    """Return the middle (2) and the height [px] of the person over a window; NaN where nobody was seen."""
    seen = boxes_px[np.isfinite(boxes_px).all(axis=1)]
    if not len(seen):
        return np.full(2, np.nan), float("nan")
    middle = np.median(seen[:, :2] + 0.5 * seen[:, 2:], axis=0)
    return middle.astype(np.float64), float(np.median(seen[:, 3]))


def _with_validity(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return samples (T, ...) flat, zero where NaN, with 1 behind those that are whole."""
    flat = values.reshape(len(values), -1)
    valid = np.isfinite(flat).all(axis=1, keepdims=True)
    return np.concatenate([np.where(valid, flat, 0.0), valid], axis=1)


def _keypoints(
    families: NDArray[np.float32], boxes_px: NDArray[np.float32], layout: FusionLayout
) -> NDArray[np.float64]:
    """Return (T, F * VALUES_A_FAMILY) from the families (T, F, VALUES_A_FAMILY - 1)."""
    middle, height_px = _place_of(boxes_px)
    values = families.astype(np.float64)
    values[..., :2] = (values[..., :2] - middle) / height_px
    values[..., 2:4] /= height_px
    values[:, [place for place, name in enumerate(DETECTORS) if name not in layout.detectors]] = np.nan
    valid = np.isfinite(values).all(axis=-1, keepdims=True)
    return np.concatenate([np.where(valid, values, 0.0), valid], axis=-1).reshape(len(families), -1)


def _contours(
    frames: Sequence[FrameFindings], boxes_px: NDArray[np.float32], layout: FusionLayout
) -> NDArray[np.float64]:
    """Return (T, 20 * (2 N + 1)): N points evenly taken of every part's contour, and whether the part was seen."""
    middle, height_px = _place_of(boxes_px)
    chosen = []
    for frame in frames:
        available = frame.contours_px.shape[1]
        chosen.append(frame.contours_px[:, np.arange(layout.contour_points) * available // layout.contour_points])
    values = (np.array(chosen, dtype=np.float64) - middle) / height_px
    flat = values.reshape(len(frames), PART_COUNT, -1)
    valid = np.isfinite(flat).all(axis=-1, keepdims=True)
    return np.concatenate([np.where(valid, flat, 0.0), valid], axis=-1).reshape(len(frames), -1)


def _vertices(
    positions_m: NDArray[Any], up: NDArray[Any], vertices_m: NDArray[np.float32], layout: FusionLayout
) -> NDArray[np.float64]:
    """Return (T, 3 K + 1): the first K of the vertices (T, V, 3) [m] in the window's body frame, in torso lengths."""
    rotations, origins, torso_m = body_frames(positions_m[None], up[None])
    kept = vertices_m[:, : layout.vertices]
    return _with_validity((kept - origins[0]) @ rotations[0].T / torso_m[0])
