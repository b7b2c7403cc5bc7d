"""DKP-Net-24: two sets of geometric rules on the silhouette (Ashraf et al. 2025, Tables 1 and 2).

This is the method `paper` of the settings and the baseline for the network. Where the tables are inconsistent or
incomplete:

- Offsets are given in pixels of the authors' own images; here they scale with the silhouette's height.
- "left" is the smaller x in the tables, which is the right side of a person who faces the camera; here left and right
  are anatomical.
- Table 1 lacks knees and hands, Table 2 the lower spine: a knee is the midpoint of hip and ankle, a hand is 4 % of the
  height below its wrist, the lower spine is the midpoint of pelvis and spine.
- "heel slightly lower, y - h/40" moves the heel up; here it moves down, but stays inside the silhouette.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["arms_are_raised", "points_lowered_arms", "points_raised_arms"]

REFERENCE_HEIGHT_PX = 200.0
"""Height of the silhouette at which the tables' pixel offsets apply unscaled: a person who fills most of the 256 x 256
image of Eq 21 [px]."""
RAISED_ROW = 0.35
"""Arms are raised if a hand, in the outermost column of the silhouette, is above this fraction of the height."""

Points = dict[str, tuple[float, float]]
"""Position (x, y) [px] of each point by name."""


def arms_are_raised(inside: NDArray[np.bool_]) -> bool:
    """Return whether Table 2 (raised arms) applies to a silhouette (h, w), else Table 1."""
    columns = np.flatnonzero(inside.any(axis=0))
    outermost = [float(np.flatnonzero(inside[:, column]).mean()) for column in (columns[0], columns[-1])]
    return bool(min(outermost) < RAISED_ROW * inside.shape[0])


def points_lowered_arms(inside: NDArray[np.bool_]) -> Points:
    """Return 24 points (x, y) [px] of a silhouette (h, w) that fills its box, by Table 1 (DKP-Net-24-L)."""
    height, width = inside.shape
    unit = height / REFERENCE_HEIGHT_PX
    head = (width / 2.0, 0.0)
    neck_y = height / 8.0
    low, high = _extent(inside, neck_y, neck_y)
    shoulder_right, shoulder_left = (low + 5 * unit, neck_y), (high - 5 * unit, neck_y)
    neck = ((shoulder_left[0] + shoulder_right[0]) / 2.0, neck_y)
    points = _trunk(inside, neck, unit, shoulder_left, shoulder_right)
    points["head"] = head
    spine_y, pelvis_y = points["spine"][1], points["pelvis"][1]
    low, high = _extent(inside, spine_y, pelvis_y)
    wrist_y = (spine_y + pelvis_y) / 2.0
    points["right_wrist"], points["left_wrist"] = (low, wrist_y), (high, wrist_y)
    for side in ("left", "right"):
        x, y = points[f"{side}_wrist"]
        points[f"{side}_hand"] = (x, y + 0.04 * height)
    _legs(inside, points, heel_fraction=40.0)
    for side in ("left", "right"):
        points[f"{side}_knee"] = _middle(points[f"{side}_hip"], points[f"{side}_ankle"])
    return points


def points_raised_arms(inside: NDArray[np.bool_]) -> Points:
    """Return 24 points (x, y) [px] of a silhouette (h, w) that fills its box, by Table 2 (DKP-Net-24-R)."""
    height, _ = inside.shape
    unit = height / REFERENCE_HEIGHT_PX
    hip_low, hip_high = _extent(inside, 3 * height / 5, 2 * height / 3)
    middle = round((hip_low + hip_high) / 2.0)
    column = np.flatnonzero(inside[:, middle])
    head = (float(middle), float(column[0]) if len(column) else 0.0)
    neck = (head[0], head[1] + height / 12.0)
    low, high = _extent(inside, neck[1], neck[1])
    shoulder_right, shoulder_left = (low + 5 * unit, neck[1]), (high - 5 * unit, neck[1])
    points = _trunk(inside, neck, unit, shoulder_left, shoulder_right)
    points["head"] = head
    columns = np.flatnonzero(inside.any(axis=0))
    for side, x in (("right", int(columns[0])), ("left", int(columns[-1]))):
        y = float(np.flatnonzero(inside[:, x]).mean())
        points[f"{side}_hand"] = (float(x), y)
        points[f"{side}_wrist"] = (float(x), y + 10 * unit)
    knee_y = 3 * height / 4.0
    low, high = _extent(inside, knee_y, knee_y)
    points["right_knee"], points["left_knee"] = (low + 7 * unit, knee_y), (high - 7 * unit, knee_y)
    _legs(inside, points, heel_fraction=30.0)
    return points


def _trunk(
    inside: NDArray[np.bool_],
    neck: tuple[float, float],
    unit: float,
    shoulder_left: tuple[float, float],
    shoulder_right: tuple[float, float],
) -> Points:
    """Return the points of lines 9-16 of both tables: collarbones, hips, pelvis, spine, elbows."""
    height, _ = inside.shape
    hip_start, hip_end = 3 * height / 5.0, 2 * height / 3.0
    hip_low, hip_high = _extent(inside, hip_start, hip_end)
    hip_y = (hip_start + hip_end) / 2.0
    pelvis = ((hip_low + hip_high) / 2.0, hip_y)
    spine = _middle(neck, pelvis)
    low, high = _extent(inside, neck[1], spine[1])
    elbow_y = (neck[1] + spine[1]) / 2.0
    return {
        "neck": neck,
        "left_shoulder": shoulder_left,
        "right_shoulder": shoulder_right,
        "left_collarbone": (shoulder_left[0] - 15 * unit, neck[1]),
        "right_collarbone": (shoulder_right[0] + 15 * unit, neck[1]),
        "left_hip": (hip_high, hip_y),
        "right_hip": (hip_low, hip_y),
        "pelvis": pelvis,
        "spine": spine,
        "upper_spine": _middle(neck, spine),
        "lower_spine": _middle(pelvis, spine),
        "left_elbow": (high, elbow_y),
        "right_elbow": (low, elbow_y),
    }


def _legs(inside: NDArray[np.bool_], points: Points, heel_fraction: float) -> None:
    """Add ankles and heels; a heel is height / heel_fraction below the ankle, but inside the silhouette."""
    height, _ = inside.shape
    ankle_y = height - 1.0
    low, high = _extent(inside, ankle_y, ankle_y)
    heel_y = min(ankle_y + height / heel_fraction, ankle_y)
    points["right_ankle"], points["left_ankle"] = (low, ankle_y), (high, ankle_y)
    points["right_heel"], points["left_heel"] = (low, heel_y), (high, heel_y)


def _extent(inside: NDArray[np.bool_], first_row: float, last_row: float) -> tuple[float, float]:
    """Return the smallest and the largest column in a band of rows, or in all rows if the band is empty."""
    height = inside.shape[0]
    top = int(np.clip(round(first_row), 0, height - 1))
    bottom = int(np.clip(round(last_row), top, height - 1))
    columns = np.flatnonzero(inside[top : bottom + 1].any(axis=0))
    if not len(columns):
        columns = np.flatnonzero(inside.any(axis=0))
    return float(columns[0]), float(columns[-1])


def _middle(first: tuple[float, float], second: tuple[float, float]) -> tuple[float, float]:
    return (first[0] + second[0]) / 2.0, (first[1] + second[1]) / 2.0
