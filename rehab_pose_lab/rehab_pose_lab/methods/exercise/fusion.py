"""Eq 30 of 3D-PoseFormer: the results of all stages for a person, concatenated to one vector per sample.

Streams: joints (`exercise.feature_streams`), classical keypoints, contours of body parts, rotations of the body, and
some of its vertices. Image positions are relative to the middle of the person's box in units of its height, both
medians over the window; vertices are relative to the pelvis in the body frame of the window, in torso lengths. Each
stream has a validity; a missing stream is zero with validity zero.
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
"""Families of classical keypoints, in the order of the vector."""
GRID = 3
"""Number of cells along each side of the person's box, in which the points of a family are counted."""
VALUES_PER_FAMILY = 5 + GRID * GRID + 1
"""Mean u, v, standard deviation of u, v, logarithm of the count, fractions in the cells, and validity."""
PART_COUNT = 20
MOVING_JOINTS = 23
MAX_POINTS = 100.0
"""Typical limit of a detector, by which counts are scaled."""


@dataclass(frozen=True)
class FusionLayout:
    """Parts of the vector that are used: all, or fewer for an ablation."""

    detectors: tuple[str, ...] = DETECTORS
    contour_points: int = 8
    """Points on the contour of each body part."""
    vertices: int = 128
    """Vertices of the body."""
    streams: tuple[str, ...] = ("joints", "keypoints", "contours", "body", "vertices")

    @property
    def sizes(self) -> dict[str, int]:
        """Features per sample of each stream, in order; the same whichever streams are used."""
        return {
            "joints": STREAM_COUNT,
            "keypoints": VALUES_PER_FAMILY * len(DETECTORS),
            "contours": PART_COUNT * (2 * self.contour_points + 1),
            "body": 3 * MOVING_JOINTS + 1,
            "vertices": 3 * self.vertices + 1,
        }

    @property
    def count(self) -> int:
        """Features per sample."""
        return sum(self.sizes.values())


@dataclass(frozen=True, eq=False)
class FrameFindings:
    """Results of the stages for one frame, in pixels and metres; NaN = missing."""

    families: NDArray[np.float32]
    """(F, VALUES_PER_FAMILY - 1) of DETECTORS: means and standard deviations [px], logarithm of the count, and
    fractions in the cells."""
    contours_px: NDArray[np.float32]
    """(20, N, 2) [px]."""
    box_px: NDArray[np.float32]
    """(4) x, y, width, height [px]."""
    rotations_rad: NDArray[np.float32]
    """(23, 3) relative to the parent [rad]."""
    vertices_m: NDArray[np.float32]
    """(K, 3) selected vertices [m]."""


def gather_frame(
    keypoints: Keypoints | None, parts: BodyParts | None, body: Body | None, vertices: NDArray[np.int64]
) -> FrameFindings:
    """Return the results of one frame.

    Args:
        keypoints: Keypoints of the person; None = missing, also for the next two.
        parts: Body parts of the person.
        body: Body with vertices.
        vertices: (K) indices of the selected vertices.
    """
    families = np.full((len(DETECTORS), VALUES_PER_FAMILY - 1), np.nan, dtype=np.float32)
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
    """Return the summary of one detector's points (K, 2) [px]; all NaN except a count of 0 where there are none."""
    summary = np.full(VALUES_PER_FAMILY - 1, np.nan, dtype=np.float32)
    summary[4] = 0.0
    if len(pixels):
        summary[:2], summary[2:4] = pixels.mean(axis=0), pixels.std(axis=0)
        summary[4] = np.log1p(len(pixels)) / np.log1p(MAX_POINTS)
        cells = np.clip((pixels - box_px[:2]) / np.maximum(box_px[2:], 1.0) * GRID, 0, GRID - 1).astype(np.intp)
        counts = np.bincount(cells[:, 1] * GRID + cells[:, 0], minlength=GRID * GRID)
        summary[5:] = counts / len(pixels)
    return summary


def fused_features(
    positions_m: NDArray[Any], up: NDArray[Any], frames: Sequence[FrameFindings], layout: FusionLayout
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return one window's vectors.

    Args:
        positions_m: (T, J, 3) FEATURE_JOINTS at SAMPLE_RATE_HZ in the optical frame [m]; NaN = missing.
        up: (3) unit vector against gravity in the optical frame.
        frames: T results at the same times.
        layout: Streams and sizes.

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
    used = [part if name in layout.streams else np.zeros_like(part) for name, part in parts.items()]
    return np.clip(np.concatenate(used, axis=1), -FEATURE_LIMIT, FEATURE_LIMIT).astype(np.float32), present[0]


def _box_of(boxes_px: NDArray[np.float32]) -> tuple[NDArray[np.float64], float]:
    """Return the middle (2) and the height [px] of the person over a window; NaN without boxes."""
    known = boxes_px[np.isfinite(boxes_px).all(axis=1)]
    if not len(known):
        return np.full(2, np.nan), float("nan")
    middle = np.median(known[:, :2] + 0.5 * known[:, 2:], axis=0)
    return middle.astype(np.float64), float(np.median(known[:, 3]))


def _with_validity(values: NDArray[Any]) -> NDArray[np.float64]:
    """Return flattened samples (T, ...), zero where a value is NaN, followed by their validity (1 or 0)."""
    flat = values.reshape(len(values), -1)
    valid = np.isfinite(flat).all(axis=1, keepdims=True)
    return np.concatenate([np.where(valid, flat, 0.0), valid], axis=1)


def _keypoints(
    families: NDArray[np.float32], boxes_px: NDArray[np.float32], layout: FusionLayout
) -> NDArray[np.float64]:
    """Return (T, F * VALUES_PER_FAMILY) from the families (T, F, VALUES_PER_FAMILY - 1)."""
    middle, height_px = _box_of(boxes_px)
    values = families.astype(np.float64)
    values[..., :2] = (values[..., :2] - middle) / height_px
    values[..., 2:4] /= height_px
    values[:, [place for place, name in enumerate(DETECTORS) if name not in layout.detectors]] = np.nan
    valid = np.isfinite(values).all(axis=-1, keepdims=True)
    return np.concatenate([np.where(valid, values, 0.0), valid], axis=-1).reshape(len(families), -1)


def _contours(
    frames: Sequence[FrameFindings], boxes_px: NDArray[np.float32], layout: FusionLayout
) -> NDArray[np.float64]:
    """Return (T, 20 * (2 N + 1)): N evenly spaced points on the contour of each part, and its validity."""
    middle, height_px = _box_of(boxes_px)
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
    selected_m = vertices_m[:, : layout.vertices]
    return _with_validity((selected_m - origins[0]) @ rotations[0].T / torso_m[0])
