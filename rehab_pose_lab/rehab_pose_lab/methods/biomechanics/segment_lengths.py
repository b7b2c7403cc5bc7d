"""Estimates the lengths of a person's segments from the keypoints of the frames so far.

Between a keypoint and the nearest keypoint above it on the chain there is a stretch of one or more segments. Its
squared length, less the 6 sigma^2 that noise adds, is averaged over the frames and both sides, and combined with the
model's proportions by their variances.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.biomechanics.chain import ROOT_UNKNOWNS
from rehab_pose.biomechanics.pose import Pose, joints_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.biomechanics.chain import Chain
    from rehab_pose_lab.methods.biomechanics.observations import Observations

__all__ = ["SegmentLengths"]

PROPORTION_STD = 0.08
"""Standard deviation of a stretch's length among people of the same size, relative to the length."""
PRIOR_SEGMENTS = 0.02
"""Number of segments to which PROPORTION_STD is equivalent in the estimate of the person's own deviation."""
BENDING_STD = 0.05
"""Standard deviation that bending inside a stretch of several segments adds to its length, relative to the length."""
MIN_LENGTH_M = 0.04
"""Shorter stretches are left out [m]."""
MIN_SQUARED_FRACTION = 0.25
"""The squared length is at least this fraction of its mean, whatever the noise."""
SIDES = ("left_", "right_")


class SegmentLengths:
    """Estimates a factor on the length of every segment of a chain."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        size = ROOT_UNKNOWNS + len(chain.angle_names)
        self._rest_m, _ = joints_of(chain, Pose(np.zeros(size), np.eye(3)))
        self._layout: bytes | None = None
        self._stretches: list[tuple[int, int, list[int]]] = []
        self._groups: NDArray[np.int64] = np.zeros(0, dtype=np.int64)

    def reset(self) -> None:
        """Forget the person."""
        self._layout = None

    def add(self, observed: Observations) -> None:
        """Add the keypoints of a frame."""
        if self._layout != observed.point_joint.tobytes():
            self._find_stretches(observed)
        for place, (upper, lower, _) in enumerate(self._stretches):
            if observed.point_weight[upper] > 0.0 and observed.point_weight[lower] > 0.0:
                group = self._groups[place]
                gap = observed.point_target_m[lower] - observed.point_target_m[upper]
                self._squares[group] += gap @ gap / self._template_m[place] ** 2
                self._noise[group] += 1.0 / self._template_m[place] ** 2
                self._counts[group] += 1.0

    def offsets_m(self, sigma_m: float) -> NDArray[np.float64]:
        """Return the chain's offsets (J, 3) [m] for this person, given the keypoints' standard deviation [m]."""
        if not self._counts.any():
            return np.array(self._chain.offsets_m)
        visible = self._counts > 0.0
        count = np.maximum(self._counts, 1.0)
        squared = (self._squares - 6.0 * sigma_m**2 * self._noise) / count
        ratio = np.sqrt(np.maximum(squared, MIN_SQUARED_FRACTION * self._squares / count))
        variance = 2.0 * sigma_m**2 * self._noise / count**2 + self._bending
        proportions = PROPORTION_STD**2
        for _ in range(2):  # the person's deviation from the model's proportions is estimated too
            information = np.where(visible, 1.0 / (variance + proportions), 0.0)
            size = float((information * ratio).sum() / information.sum())
            excess = np.maximum((ratio - size) ** 2 - variance, 0.0)
            reliability = np.where(visible, PROPORTION_STD**2 / (variance + PROPORTION_STD**2), 0.0)
            reliability = np.where(self._bending > 0.0, 0.0, reliability)
            total = PRIOR_SEGMENTS * PROPORTION_STD**2 + (reliability * excess).sum()
            proportions = total / (PRIOR_SEGMENTS + reliability.sum())
        weight = np.where(visible, 1.0 / (variance + 1e-12), 0.0)
        prior = 1.0 / (proportions * size**2)
        factor = (weight * ratio + prior * size) / (weight + prior)
        factors = np.full(len(self._chain.parents), size)
        for place, (_, _, joints) in enumerate(self._stretches):
            factors[joints] = factor[self._groups[place]]
        return np.asarray(self._chain.offsets_m * factors[:, None])

    def _find_stretches(self, observed: Observations) -> None:
        """Find the stretches between the observed keypoints."""
        chain = self._chain
        self._layout = observed.point_joint.tobytes()
        at_joint = np.linalg.norm(observed.point_offset_m, axis=1) == 0.0
        marked = {int(observed.point_joint[p]): int(p) for p in np.flatnonzero(at_joint)}
        names: list[str] = []
        taken: set[int] = set()
        self._stretches = []
        for joint, point in marked.items():
            between, above = [joint], chain.parents[joint]
            while above >= 0 and above not in marked:
                between.append(above)
                above = chain.parents[above]
            length_m = float(np.linalg.norm(self._rest_m[joint] - self._rest_m[above])) if above >= 0 else 0.0
            if length_m > MIN_LENGTH_M and not taken & set(between):
                taken |= set(between)
                self._stretches.append((marked[above], point, between))
                name = chain.joint_names[joint]
                names.append(name.removeprefix(SIDES[0]).removeprefix(SIDES[1]))
        known = sorted(set(names))
        self._groups = np.array([known.index(name) for name in names], dtype=np.int64)
        self._template_m = np.array(
            [
                np.linalg.norm(self._rest_m[observed.point_joint[lower]] - self._rest_m[observed.point_joint[upper]])
                for upper, lower, _ in self._stretches
            ]
        )
        self._squares, self._noise, self._counts = np.zeros(len(known)), np.zeros(len(known)), np.zeros(len(known))
        self._bending = np.zeros(len(known))
        for place, (_, _, joints) in enumerate(self._stretches):
            if len(joints) > 1:
                self._bending[self._groups[place]] = BENDING_STD**2
