"""How long this person's segments are, from the keypoints seen so far.

Between a keypoint and the nearest keypoint above it on the chain lies a stretch of one segment or more. Its squared
length, less what noise adds to it (6 sigma^2), is averaged over the frames and both sides, and joined with what the
model's proportions say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.biomechanics.chain import Chain
    from rehab_pose.biomechanics.objective import Observations

__all__ = ["SegmentLengths"]

PROPORTION_SPREAD = 0.08
"""Spread of a stretch's length among people, as a share of it, once their size is known."""
DOUBT = 0.02
"""How many segments' worth of evidence the usual spread is."""
JOINTED_SPREAD = 0.05
"""What bending inside a stretch of several segments takes from its length, as a share of it."""
MIN_LENGTH_M = 0.04
"""Shorter stretches tell nothing."""
SIDES = ("left_", "right_")


class SegmentLengths:
    """Learns the factor on every segment of a chain."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._rest_m = chain.rest_positions_m()
        self._layout: bytes | None = None
        self._stretches: list[tuple[int, int, list[int]]] = []
        self._groups: NDArray[np.int64] = np.zeros(0, dtype=np.int64)

    def reset(self) -> None:
        """Forget the person."""
        self._layout = None

    def see(self, observed: Observations) -> None:
        """Add a frame."""
        if self._layout != observed.point_joint.tobytes():
            self._lay_out(observed)
        for place, (upper, lower, _) in enumerate(self._stretches):
            if observed.point_weight[upper] > 0.0 and observed.point_weight[lower] > 0.0:
                group = self._groups[place]
                gap = observed.point_target_m[lower] - observed.point_target_m[upper]
                self._squares[group] += gap @ gap / self._template_m[place] ** 2
                self._noise[group] += 1.0 / self._template_m[place] ** 2
                self._counts[group] += 1.0

    def offsets_m(self, sigma_m: float) -> NDArray[np.float64]:
        """Return the chain's offsets (J, 3) [m] for this person, with the keypoints' noise as it is known now."""
        if not self._counts.any():
            return np.array(self._chain.offsets_m)
        seen = self._counts > 0.0
        count = np.maximum(self._counts, 1.0)
        squared = (self._squares - 6.0 * sigma_m**2 * self._noise) / count
        ratio = np.sqrt(np.maximum(squared, 0.25 * self._squares / count))
        variance = 2.0 * sigma_m**2 * self._noise / count**2 + self._jointed
        spread = PROPORTION_SPREAD**2
        for _ in range(2):  # how far this person's proportions are from the model's shows in the data too
            trust = np.where(seen, 1.0 / (variance + spread), 0.0)
            size = float((trust * ratio).sum() / trust.sum())
            apart = np.maximum((ratio - size) ** 2 - variance, 0.0)
            sure = np.where(seen, PROPORTION_SPREAD**2 / (variance + PROPORTION_SPREAD**2), 0.0)
            sure = np.where(self._jointed > 0.0, 0.0, sure)
            spread = (DOUBT * PROPORTION_SPREAD**2 + (sure * apart).sum()) / (DOUBT + sure.sum())
        weight = np.where(seen, 1.0 / (variance + 1e-12), 0.0)
        prior = 1.0 / (spread * size**2)
        factor = (weight * ratio + prior * size) / (weight + prior)
        factors = np.full(len(self._chain.parents), size)
        for place, (_, _, joints) in enumerate(self._stretches):
            factors[joints] = factor[self._groups[place]]
        return np.asarray(self._chain.offsets_m * factors[:, None])

    def _lay_out(self, observed: Observations) -> None:
        """Find the stretches between the keypoints at hand."""
        chain = self._chain
        self._layout = observed.point_joint.tobytes()
        plain = np.linalg.norm(observed.point_offset_m, axis=1) == 0.0
        marked = {int(observed.point_joint[p]): int(p) for p in np.flatnonzero(plain)}
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
        self._jointed = np.zeros(len(known))
        for place, (_, _, joints) in enumerate(self._stretches):
            if len(joints) > 1:
                self._jointed[self._groups[place]] = JOINTED_SPREAD**2
