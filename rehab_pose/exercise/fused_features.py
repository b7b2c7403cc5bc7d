"""Eq 30 of 3D-PoseFormer: the results of all stages for a person, concatenated to one vector per sample.

Streams: joints (`feature_streams`), classical keypoints, contours of body parts, rotations of the body, and some of its
vertices. Image positions are relative to the middle of the person's box in units of its height, both medians over the
window; vertices are relative to the pelvis in the body frame of the window, in torso lengths. Each stream has a
validity; a missing stream is zero with validity zero.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.exercise.feature_streams import STREAM_COUNT, Stream, window_streams
from rehab_pose.exercise.window_features import FEATURE_LIMIT, body_frames

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray
    from typing_extensions import Self

    from rehab_pose.datatypes import BodyParts, Keypoints
    from rehab_pose.exercise.window_features import BodyFrames

__all__ = [
    "CONTOUR_POINTS",
    "DETECTORS",
    "FUSED_COUNT",
    "FUSED_STREAMS",
    "OTHER_STREAMS",
    "PART_COUNT",
    "ROTATION_COUNT",
    "SUMMARY_COUNT",
    "VALUES_PER_FAMILY",
    "VERTEX_COUNT",
    "Findings",
    "contour_points",
    "coverage",
    "fused_features",
    "keypoint_summary",
]

DETECTORS = ("contour", "harris", "shi_tomasi", "orb", "brisk", "sift", "akaze", "skeleton_end", "skeleton_branch")
"""Families of classical keypoints, in the order of the vector."""
GRID = 3
"""Number of cells along each side of the person's box, in which the points of a family are counted."""
SUMMARY_COUNT = 5 + GRID * GRID
"""Numbers of a family: mean u, v, standard deviation of u, v, logarithm of the count, fractions in the cells."""
VALUES_PER_FAMILY = SUMMARY_COUNT + 1
"""Features of a family: its numbers and their validity."""
MAX_POINTS = 100.0
"""Typical limit of a detector, by which counts are scaled."""
PART_COUNT = 20
"""Classes of LIP."""
CONTOUR_POINTS = 8
"""Points on the contour of each body part."""
ROTATION_COUNT = 23
"""Joints of SMPL_24 without the root, whose rotation the joints contain."""
VERTEX_COUNT = 128
"""Vertices of the body, evenly spread over its surface; the weights contain their indices."""

FUSED_STREAMS = (
    Stream("joints", STREAM_COUNT),
    Stream("keypoints", VALUES_PER_FAMILY * len(DETECTORS)),
    Stream("contours", PART_COUNT * (2 * CONTOUR_POINTS + 1)),
    Stream("body", 3 * ROTATION_COUNT + 1),
    Stream("vertices", 3 * VERTEX_COUNT + 1),
)
"""Streams of one sample, in order."""
OTHER_STREAMS = tuple(stream.name for stream in FUSED_STREAMS[1:])
"""Names of the streams beside the joints."""
FUSED_COUNT = sum(stream.size for stream in FUSED_STREAMS)
"""Length of the vector of one sample."""
_ARRAYS_OF_STREAM = {
    "keypoints": ("families",),
    "contours": ("contours_px",),
    "body": ("rotations_rad",),
    "vertices": ("vertices_m",),
}


def _validities() -> NDArray[np.intp]:
    """Return the indices of the validities of the streams beside the joints."""
    ends = np.cumsum([stream.size for stream in FUSED_STREAMS])
    sizes = {"keypoints": VALUES_PER_FAMILY, "contours": 2 * CONTOUR_POINTS + 1}
    found = []
    for stream, end in zip(FUSED_STREAMS[1:], ends[1:].tolist(), strict=True):
        size = sizes.get(stream.name, stream.size)
        found.append(np.arange(end - stream.size + size - 1, end, size))
    return np.concatenate(found)


_VALIDITIES = _validities()


@dataclass(frozen=True, eq=False)
class Findings:
    """Findings of the stages in B windows of T samples, in pixels and metres; NaN = missing."""

    boxes_px: NDArray[np.float32]
    """(B, T, 4) x, y, width, height of the person's box [px]."""
    families: NDArray[np.float32]
    """(B, T, F, SUMMARY_COUNT) numbers of DETECTORS, as `keypoint_summary` returns them."""
    contours_px: NDArray[np.float32]
    """(B, T, PART_COUNT, CONTOUR_POINTS, 2) [px]."""
    rotations_rad: NDArray[np.float32]
    """(B, T, ROTATION_COUNT, 3) relative to the parent joint [rad]."""
    vertices_m: NDArray[np.float32]
    """(B, T, VERTEX_COUNT, 3) in the frame of the joints [m]."""

    @classmethod
    def missing(cls, batch: int, samples: int) -> Self:
        """Return windows in which nothing was found."""
        shapes = (
            (4,),
            (len(DETECTORS), SUMMARY_COUNT),
            (PART_COUNT, CONTOUR_POINTS, 2),
            (ROTATION_COUNT, 3),
            (VERTEX_COUNT, 3),
        )
        return cls(*(np.full((batch, samples, *shape), np.nan, dtype=np.float32) for shape in shapes))

    def only(self, streams: Collection[str]) -> Findings:
        """Return the findings of some of OTHER_STREAMS; the others are missing."""
        hidden = [name for stream, names in _ARRAYS_OF_STREAM.items() if stream not in streams for name in names]
        return replace(self, **{name: np.full_like(getattr(self, name), np.nan) for name in hidden})

    def __getitem__(self, windows: slice | NDArray[Any]) -> Findings:
        """Return some of the windows."""
        return Findings(*(getattr(self, entry.name)[windows] for entry in fields(self)))


def keypoint_summary(keypoints: Keypoints, box_px: NDArray[Any]) -> NDArray[np.float32]:
    """Return the numbers (F, SUMMARY_COUNT) of DETECTORS.

    They are means and standard deviations [px], the logarithm of the count, and the fraction of the points in each cell
    of the person's box (4) [px]. All are NaN but a count of 0 where a detector found no points; NaN without it.
    """
    summary = np.full((len(DETECTORS), SUMMARY_COUNT), np.nan, dtype=np.float32)
    rows = [DETECTORS.index(family.detector) for family in keypoints.families]
    if not rows:
        return summary
    counts = np.array([len(family.pixels) for family in keypoints.families])
    pixels = np.concatenate([family.pixels for family in keypoints.families]).astype(np.float64)
    row_of = np.repeat(rows, counts)
    places = (pixels - box_px[:2]) / np.maximum(box_px[2:], 1.0)
    cells = np.clip(places * GRID, 0, GRID - 1).astype(np.intp)
    summary[rows, 4] = np.log1p(counts) / np.log1p(MAX_POINTS)
    found = np.bincount(row_of, minlength=len(DETECTORS))
    with_points = np.flatnonzero(found)

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        sums = [np.bincount(row_of, weights=column, minlength=len(DETECTORS))[with_points] for column in values.T]
        return np.asarray(np.stack(sums, axis=1) / found[with_points, None])

    middles, size_px = mean(places), np.maximum(box_px[2:], 1.0)
    spread = np.sqrt(np.maximum(mean(places * places) - middles * middles, 0.0))
    summary[with_points, :2], summary[with_points, 2:4] = middles * size_px + box_px[:2], spread * size_px
    place = row_of * GRID * GRID + cells[:, 1] * GRID + cells[:, 0]
    in_cells = np.bincount(place, minlength=len(DETECTORS) * GRID * GRID).reshape(len(DETECTORS), -1)
    summary[with_points, 5:] = in_cells[with_points] / found[with_points, None]
    return summary


def contour_points(parts: BodyParts) -> NDArray[np.float32]:
    """Return CONTOUR_POINTS evenly spaced points on the contour of each part (20, CONTOUR_POINTS, 2) [px]."""
    available = parts.contours_px.shape[1]
    return parts.contours_px[:, np.arange(CONTOUR_POINTS) * available // CONTOUR_POINTS]


def coverage(features: NDArray[np.float32], present: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the fraction (B) of the samples with joints in which there is at least one other stream.

    Args:
        features: (B, T, FUSED_COUNT) of `fused_features`.
        present: (B, T) 1 for each sample that has a joint.
    """
    covered = ((features[..., _VALIDITIES] > 0.0).any(axis=-1) * present).sum(axis=1)
    return np.asarray(covered / np.maximum(present.sum(axis=1), 1.0), dtype=np.float32)


def fused_features(
    positions_m: NDArray[Any],
    up: NDArray[Any],
    findings: Findings,
    joints: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None,
    frames: BodyFrames | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the vectors of windows.

    Args:
        positions_m: (B, T, J, 3) FEATURE_JOINTS at SAMPLE_RATE_HZ in the optical frame [m]; NaN = missing.
        up: (B, 3) unit vector against gravity in the same frame.
        findings: Results of the other stages at the same times.
        joints: `window_streams` of the joints, where that was computed before.
        frames: `body_frames` of the joints, likewise.

    Returns:
        Features (B, T, FUSED_COUNT), and presence (B, T), 1 for each sample that has a joint.
    """
    frames = frames or body_frames(positions_m, up)
    of_joints, present = joints or window_streams(positions_m, up, frames=frames)
    middle_px, height_px = _boxes(findings.boxes_px)
    parts = (
        of_joints,
        _keypoints(findings.families, middle_px, height_px),
        _contours(findings.contours_px, middle_px, height_px),
        _with_validity(findings.rotations_rad),
        _vertices(frames, findings.vertices_m),
    )
    features = np.concatenate(parts, axis=-1, dtype=np.float32)
    np.maximum(features, np.float32(-FEATURE_LIMIT), out=features)
    np.minimum(features, np.float32(FEATURE_LIMIT), out=features)
    return features, present


def _boxes(boxes_px: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the middle (B, 2) and the height (B) [px] of the person over windows; NaN without boxes."""
    found = np.full((len(boxes_px), 3), np.nan, dtype=np.float32)
    for row, boxes in enumerate(boxes_px):
        known = boxes[np.isfinite(boxes[:, 0])]
        if len(known):  # not np.median, which takes five times as long for so few numbers
            ordered = np.sort(np.concatenate([known[:, :2] + 0.5 * known[:, 2:], known[:, 3:]], axis=1), axis=0)
            found[row] = 0.5 * (ordered[(len(known) - 1) // 2] + ordered[len(known) // 2])
    return found[:, :2], found[:, 2]


def _with_validity(values: NDArray[Any]) -> NDArray[np.float32]:
    """Return flattened samples (B, T, ...), zero where a value is NaN, followed by their validity (1 or 0)."""
    flat = values.reshape(*values.shape[:2], -1)
    valid = np.isfinite(flat).all(axis=-1, keepdims=True)
    return np.concatenate([np.where(valid, flat, np.float32(0.0)), valid], axis=-1, dtype=np.float32)


def _keypoints(
    families: NDArray[np.float32], middle_px: NDArray[np.float32], height_px: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return (B, T, F * VALUES_PER_FAMILY) from the numbers of the families."""
    values, height = families.copy(), height_px[:, None, None, None]
    values[..., :2] = (values[..., :2] - middle_px[:, None, None]) / height
    values[..., 2:4] /= height
    valid = np.isfinite(values).all(axis=-1, keepdims=True)
    joined = np.concatenate([np.where(valid, values, np.float32(0.0)), valid], axis=-1, dtype=np.float32)
    return joined.reshape(*families.shape[:2], -1)


def _contours(
    contours_px: NDArray[np.float32], middle_px: NDArray[np.float32], height_px: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return (B, T, PART_COUNT * (2 CONTOUR_POINTS + 1)): the points of each part and its validity."""
    values = (contours_px - middle_px[:, None, None, None]) / height_px[:, None, None, None, None]
    flat = values.reshape(*values.shape[:3], -1)
    valid = np.isfinite(flat).all(axis=-1, keepdims=True)
    joined = np.concatenate([np.where(valid, flat, np.float32(0.0)), valid], axis=-1, dtype=np.float32)
    return joined.reshape(*values.shape[:2], -1)


def _vertices(frames: BodyFrames, vertices_m: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return (B, T, 3 VERTEX_COUNT + 1): the vertices in the body frame of the window, in torso lengths."""
    rotations, origins, torso_m = frames
    body_from_frame = (rotations / torso_m[:, None, None]).astype(np.float32)
    return _with_validity(
        (vertices_m - origins[:, None, None].astype(np.float32)) @ body_from_frame.transpose(0, 2, 1)[:, None]
    )
