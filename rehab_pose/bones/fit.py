"""Fits bones into the skin: parts outside are moved inwards, parts that are too thick are thinned.

No vertex is removed. A core outside the skin moves its part of the bone inwards; then each vertex is moved towards its
core until it is deep enough in every given pose.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba
import numpy as np

from rehab_pose.bones.shapes import MIRROR, Shape
from rehab_pose.bones.surface import Surface
from rehab_pose.geometry.rotations import matrices_from_axis_angles

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose.bones.layout import BoneLayout
    from rehab_pose.bones.posing import BonePoser

__all__ = ["FitMargins", "Skin", "fit_shapes", "warm_up"]

SETTLE_ROUNDS, CORE_ROUNDS, HALVINGS, SMOOTHINGS = 4, 3, 6, 4
"""Rounds of moving a path under the skin, and the cores; halvings of a vertex' distance from its core; rounds of
smoothing the distances over the mesh."""
REACH_M = 0.06
"""Largest distance outside the skin at which a core can be moved inwards [m]."""
AIM_FRACTIONS = np.array([0.35, 0.7, 1.0, 1.25])
"""Points of a step at which its depth is evaluated, as fractions of its length."""
AIM_DEPTH_M, AIM_CLEARANCE_M, AIM_DEVIATION_COST_M = 0.007, 0.013, 0.006
"""Depth beyond which a direction scores no better [m]; distance from another ray below which it scores worse [m]; cost
of a deviation of one radian from the expected direction [m]."""
_ROTATIONS_RAD = np.array([(0.0, a, b) for a in np.linspace(-0.8, 0.8, 17) for b in np.linspace(-0.8, 0.8, 17)])
AIM_ANGLES = np.linalg.norm(_ROTATIONS_RAD, axis=1)
AIM_ROTATIONS = matrices_from_axis_angles(_ROTATIONS_RAD)
"""(289, 3, 3) candidate rotations of a step about y and z."""


@dataclass(frozen=True)
class FitMargins:
    """Least depths under the skin."""

    vertex_m: float = 0.0020
    """Of the bones' vertices [m]."""
    core_m: float = 0.0035
    """Of their cores [m]."""


class Skin:
    """The skin at rest while bones are shaped; for the right side's bones, in mirrored coordinates."""

    def __init__(self, surface: Surface | None, mirror: NDArray[np.float64] | None = None) -> None:
        """Take the surface.

        Args:
            surface: The skin at rest; None: the shapes are left as they are.
            mirror: (3) signs of the coordinates in which the bones are shaped.
        """
        self._surface = surface
        self._mirror = np.ones(3) if mirror is None else mirror

    def mirrored(self) -> Skin:
        """Return the same skin in coordinates whose x has the other sign."""
        return Skin(self._surface, self._mirror * MIRROR)

    def settle(self, path_m: NDArray[np.float64], depth_m: float) -> NDArray[np.float64]:
        """Return a path (n, 3), moved to at least a depth [m] under the skin."""
        if self._surface is None:
            return path_m
        path = path_m * self._mirror
        for _ in range(SETTLE_ROUNDS):
            path += _pushes(self._surface, path, depth_m)
        return path * self._mirror

    def aim(
        self, start_m: NDArray[np.float64], step_m: NDArray[np.float64], taken_m: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return a step (3) [m] of the given length in the direction near it that is deepest under the skin.

        Args:
            start_m: (3) start of the step [m].
            step_m: (3) the expected step [m].
            taken_m: (n, 3) points to keep a distance from [m].
        """
        if self._surface is None:
            return step_m
        steps = step_m @ AIM_ROTATIONS.transpose(0, 2, 1)
        points = start_m + AIM_FRACTIONS[:, None] * steps[:, None]
        flat = points.reshape(-1, 3)
        depth = (
            self._surface.depth_m(flat * self._mirror, REACH_M).clip(-REACH_M, AIM_DEPTH_M).reshape(points.shape[:2])
        )
        score = depth.sum(axis=1) - AIM_DEVIATION_COST_M * AIM_ANGLES
        if len(taken_m):
            gap = np.linalg.norm(flat[:, None] - taken_m, axis=2).min(axis=1).reshape(points.shape[:2])
            score -= np.maximum(AIM_CLEARANCE_M - gap, 0.0).sum(axis=1)
        return np.asarray(steps[np.argmax(score)])


def _pushes(surface: Surface, points_m: NDArray[np.float64], depth_m: float) -> NDArray[np.float64]:
    """Return the shortest displacements (N, 3) [m] to `depth_m` under the skin; zero where a point is deep enough."""
    inside = surface.contains(points_m)
    closest, distance = surface.nearest(points_m, depth_m)
    closest[~inside], distance[~inside] = surface.nearest(points_m[~inside], REACH_M)
    short = np.isfinite(distance)
    direction = np.where(inside[:, None], points_m - closest, closest - points_m)
    direction /= np.maximum(distance, 1e-9)[:, None]
    # Points inside move by half: in a thin finger a full displacement would leave it on the other side.
    displacement = np.where(inside, 0.5 * (depth_m - distance), depth_m + distance)
    return np.where(short[:, None], direction * np.where(short, displacement, 0.0)[:, None], 0.0)


def fit_shapes(
    layout: BoneLayout,
    poser: BonePoser,
    shapes: dict[str, Shape],
    surfaces: Sequence[Surface],
    margins: FitMargins | None = None,
) -> dict[str, Shape]:
    """Return the shapes, moved and thinned until they are inside all surfaces.

    Args:
        layout: The bones at rest.
        poser: Computes their frames in each surface's pose.
        shapes: The shape of each bone of the layout, in the body's axes at rest.
        surfaces: The skin in one or more poses.
        margins: Least depths.
    """
    margins = margins or FitMargins()
    sizes = [len(shapes[name].vertices_m) for name in layout.names]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    vertices = np.concatenate([shapes[name].vertices_m for name in layout.names])
    cores = np.concatenate([shapes[name].cores_m for name in layout.names])
    faces = np.concatenate([shapes[name].faces + start for name, start in zip(layout.names, starts, strict=False)])
    frame = np.repeat(layout.frames, sizes)
    local, core = vertices - layout.origins_m[frame], cores - layout.origins_m[frame]
    _, firsts, shared = np.unique(np.column_stack([core, frame]), axis=0, return_index=True, return_inverse=True)
    rotations, places = [], []
    for surface in surfaces:
        frames = poser.frames(surface.joint_positions_m, surface.joint_rotations)
        rotations.append(frames.rotations[frame])
        places.append(frames.positions_m[frame])
    for _ in range(CORE_ROUNDS):
        for surface, rotation, place in zip(surfaces, rotations, places, strict=True):
            at = np.einsum("nij,nj->ni", rotation[firsts], core[firsts]) + place[firsts]
            push = np.einsum("nji,nj->ni", rotation[firsts], _pushes(surface, at, margins.core_m))
            if push.any():
                push = _smoothed(push[shared], faces)
                core, local = core + push, local + push
    fraction = np.ones(len(local))
    for surface, rotation, place in zip(surfaces, rotations, places, strict=True):
        middle = np.einsum("nij,nj->ni", rotation, core) + place
        arm = np.einsum("nij,nj->ni", rotation, local - core)
        fraction = np.minimum(fraction, _inside_fractions(surface, middle, arm, fraction, margins.vertex_m))
    for _ in range(SMOOTHINGS):
        fraction = np.minimum(fraction, _smoothed(fraction[:, None], faces)[:, 0])
    fitted = core + fraction[:, None] * (local - core) + layout.origins_m[frame]
    cores = core + layout.origins_m[frame]
    return {
        name: Shape(fitted[first:last], shapes[name].faces, cores[first:last])
        for name, first, last in zip(layout.names, starts[:-1], starts[1:], strict=True)
    }


def _inside_fractions(
    surface: Surface,
    middle: NDArray[np.float64],
    arm: NDArray[np.float64],
    fraction: NDArray[np.float64],
    margin_m: float,
) -> NDArray[np.float64]:
    """Return the fraction (N) of each arm that keeps its end `margin_m` under the skin, by bisection.

    Args:
        surface: The skin.
        middle: (N, 3) cores [m].
        arm: (N, 3) from core to vertex [m].
        fraction: (N) upper bounds.
        margin_m: Least depth [m].
    """
    fractions = fraction.copy()
    short = np.flatnonzero(~_deep(surface, middle + fraction[:, None] * arm, margin_m))
    low, high = np.zeros(len(short)), fraction[short].copy()
    for _ in range(HALVINGS):
        half = 0.5 * (low + high)
        good = _deep(surface, middle[short] + half[:, None] * arm[short], margin_m)
        low, high = np.where(good, half, low), np.where(good, high, half)
    fractions[short] = low
    return fractions


def _deep(surface: Surface, points_m: NDArray[np.float64], margin_m: float) -> NDArray[np.bool_]:
    """Return which points (N, 3) are at least `margin_m` under the skin."""
    inside = surface.contains(points_m)
    _, distance = surface.nearest(points_m, margin_m)
    return np.asarray(inside & ~np.isfinite(distance))


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _smoothed(values: NDArray[np.float64], faces: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the mean of each vertex' values (V, K) with those of its triangles' corners."""
    total, count = values.copy(), np.ones(values.shape[0])
    for face in range(faces.shape[0]):
        for corner in range(3):
            a, b, c = faces[face, corner], faces[face, (corner + 1) % 3], faces[face, (corner + 2) % 3]
            for k in range(values.shape[1]):
                total[a, k] += values[b, k] + values[c, k]
            count[a] += 2.0
    for row in range(values.shape[0]):
        for k in range(values.shape[1]):
            total[row, k] /= count[row]
    return total


def warm_up() -> None:
    """Load (or compile) the kernels, so that the first fit does not wait for them."""
    corners = np.array([[0.0, 0.0, 0.0], [0.1, 0.0, 0.0], [0.0, 0.1, 0.0], [0.0, 0.0, 0.1]])
    faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], dtype=np.int32)
    surface = Surface(corners, faces, np.zeros((24, 3)), np.tile(np.eye(3), (24, 1, 1)))
    _pushes(surface, corners.mean(axis=0, keepdims=True), 0.002)
    _smoothed(corners, faces.astype(np.int64))
