"""Make bones lie inside the skin: move what is outside inwards, thin what is too thick.

Nothing is hidden or cut off: every vertex stays a vertex of its bone. A core outside the skin drags its part of the
bone inwards; then each vertex is pulled towards its core until it is deep enough in every pose that is given.
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
REACH_M = 0.06
"""How far outside the skin a core may begin [m]."""
AIM_FRACTIONS = np.array([0.35, 0.7, 1.0, 1.25])
AIM_DEPTH_M, AIM_APART_M, AIM_TURN_COST_M = 0.007, 0.013, 0.006
"""Deeper is no better; nearer to another ray is worse; cost of a radian away from what is expected [m]."""
_TURNS = np.array([(0.0, a, b) for a in np.linspace(-0.8, 0.8, 17) for b in np.linspace(-0.8, 0.8, 17)])
AIM_ANGLES = np.linalg.norm(_TURNS, axis=1)
AIM_TURNS = matrices_from_axis_angles(_TURNS)


@dataclass(frozen=True)
class FitMargins:
    """How deep bones are put [m]."""

    vertex_m: float = 0.0020
    core_m: float = 0.0035


class Skin:
    """What bones ask of the skin at rest while they are shaped; of the right side's bones, in a mirror."""

    def __init__(self, surface: Surface | None, mirror: NDArray[np.float64] | None = None) -> None:
        self._surface = surface
        self._mirror = np.ones(3) if mirror is None else mirror

    def mirrored(self) -> Skin:
        """Return the same skin for bones that are shaped as if on the left."""
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
        """Return a step (3) as long as the given one, into the direction near it that stays deepest inside.

        Args:
            start_m: (3) where the step begins.
            step_m: (3) the step that is expected [m].
            taken_m: (n, 3) points to keep away from [m].
        """
        if self._surface is None:
            return step_m
        steps = step_m @ AIM_TURNS.transpose(0, 2, 1)
        points = start_m + AIM_FRACTIONS[:, None] * steps[:, None]
        flat = points.reshape(-1, 3)
        depth = (
            self._surface.depth_m(flat * self._mirror, REACH_M).clip(-REACH_M, AIM_DEPTH_M).reshape(points.shape[:2])
        )
        score = depth.sum(axis=1) - AIM_TURN_COST_M * AIM_ANGLES
        if len(taken_m):
            gap = np.linalg.norm(flat[:, None] - taken_m, axis=2).min(axis=1).reshape(points.shape[:2])
            score -= np.maximum(AIM_APART_M - gap, 0.0).sum(axis=1)
        return np.asarray(steps[np.argmax(score)])


def _pushes(surface: Surface, points_m: NDArray[np.float64], depth_m: float) -> NDArray[np.float64]:
    """Return the shortest ways (N, 3) to `depth_m` under the skin; zero where a point is deep enough."""
    inside = surface.contains(points_m)
    closest, distance = surface.nearest(points_m, depth_m)
    closest[~inside], distance[~inside] = surface.nearest(points_m[~inside], REACH_M)
    short = np.isfinite(distance)
    away = np.where(inside[:, None], points_m - closest, closest - points_m)
    away /= np.maximum(distance, 1e-9)[:, None]
    # Half the way for what is inside: where a finger is thin, a whole step would come out on its other side.
    way = np.where(inside, 0.5 * (depth_m - distance), depth_m + distance)
    return np.where(short[:, None], away * np.where(short, way, 0.0)[:, None], 0.0)


def fit_shapes(
    layout: BoneLayout,
    poser: BonePoser,
    shapes: dict[str, Shape],
    surfaces: Sequence[Surface],
    margins: FitMargins | None = None,
) -> dict[str, Shape]:
    """Return the shapes, moved and thinned until they are inside every surface.

    Args:
        layout: The bones at rest.
        poser: Poses them.
        shapes: One a bone of the layout, in the body's axes at rest.
        surfaces: The skin in one pose or more.
        margins: How deep.
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
    turns, places = [], []
    for surface in surfaces:
        frames = poser.frames(surface.joint_positions_m, surface.joint_rotations)
        turns.append(frames.rotations[frame])
        places.append(frames.positions_m[frame])
    for _ in range(CORE_ROUNDS):
        for surface, turn, place in zip(surfaces, turns, places, strict=True):
            at = np.einsum("nij,nj->ni", turn[firsts], core[firsts]) + place[firsts]
            push = np.einsum("nji,nj->ni", turn[firsts], _pushes(surface, at, margins.core_m))
            if push.any():
                push = _smoothed(push[shared], faces)
                core, local = core + push, local + push
    share = np.ones(len(local))
    for surface, turn, place in zip(surfaces, turns, places, strict=True):
        middle = np.einsum("nij,nj->ni", turn, core) + place
        arm = np.einsum("nij,nj->ni", turn, local - core)
        share = np.minimum(share, _shares(surface, middle, arm, share, margins.vertex_m))
    for _ in range(SMOOTHINGS):
        share = np.minimum(share, _smoothed(share[:, None], faces)[:, 0])
    fitted = core + share[:, None] * (local - core) + layout.origins_m[frame]
    cores = core + layout.origins_m[frame]
    return {
        name: Shape(fitted[first:last], shapes[name].faces, cores[first:last])
        for name, first, last in zip(layout.names, starts[:-1], starts[1:], strict=True)
    }


def _shares(
    surface: Surface,
    middle: NDArray[np.float64],
    arm: NDArray[np.float64],
    share: NDArray[np.float64],
    margin_m: float,
) -> NDArray[np.float64]:
    """Return how much of each arm (N) keeps its end `margin_m` under the skin, by halving; 0 where none does."""
    found = share.copy()
    short = np.flatnonzero(~_deep(surface, middle + share[:, None] * arm, margin_m))
    low, high = np.zeros(len(short)), share[short].copy()
    for _ in range(HALVINGS):
        half = 0.5 * (low + high)
        good = _deep(surface, middle[short] + half[:, None] * arm[short], margin_m)
        low, high = np.where(good, half, low), np.where(good, high, half)
    found[short] = low
    return found


def _deep(surface: Surface, points_m: NDArray[np.float64], margin_m: float) -> NDArray[np.bool_]:
    inside = surface.contains(points_m)
    _, distance = surface.nearest(points_m, margin_m)
    return np.asarray(inside & ~np.isfinite(distance))


@numba.njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def _smoothed(values: NDArray[np.float64], faces: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return each vertex's mean with the corners of its triangles."""
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
    """Compile, or load, the kernels, so that no first fit waits for it."""
    corners = np.array([[0.0, 0.0, 0.0], [0.1, 0.0, 0.0], [0.0, 0.1, 0.0], [0.0, 0.0, 0.1]])
    faces = np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]], dtype=np.int32)
    surface = Surface(corners, faces, np.zeros((24, 3)), np.tile(np.eye(3), (24, 1, 1)))
    _pushes(surface, corners.mean(axis=0, keepdims=True), 0.002)
    _smoothed(corners, faces.astype(np.int64))
