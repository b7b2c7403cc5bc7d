"""The pieces of bones: closed tubes, ellipsoids and slabs, each vertex with a core inside the piece.

A vertex' core is a point on the middle line or surface of its piece; moving vertices towards their cores makes a bone
thinner without inverting it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

__all__ = ["Shape", "blob", "joined", "mirrored", "slab", "smooth_path", "tube"]

MIRROR = np.array([-1.0, 1.0, 1.0])
"""Signs of the coordinates of the other side."""
MIN_LENGTH_M = 1e-9
"""Shorter vectors are not normalised [m]."""
THIN_SIDES = 6
"""A tube with at most this many sides gets ends with one section instead of two."""


@dataclass(frozen=True, eq=False)
class Shape:
    """A closed surface, or several overlapping ones."""

    vertices_m: NDArray[np.float64]
    """(N, 3) [m]."""
    faces: NDArray[np.int32]
    """(F, 3) anticlockwise from outside."""
    cores_m: NDArray[np.float64]
    """(N, 3) the core of each vertex [m]."""


def joined(shapes: Sequence[Shape]) -> Shape:
    """Return several shapes as one."""
    starts = np.cumsum([0, *(len(shape.vertices_m) for shape in shapes)])
    return Shape(
        np.concatenate([shape.vertices_m for shape in shapes]),
        np.concatenate([shape.faces + start for shape, start in zip(shapes, starts, strict=False)]).astype(np.int32),
        np.concatenate([shape.cores_m for shape in shapes]),
    )


def mirrored(shape: Shape) -> Shape:
    """Return the mirrored shape, of the other side."""
    return Shape(shape.vertices_m * MIRROR, shape.faces[:, ::-1], shape.cores_m * MIRROR)


def smooth_path(points_m: ArrayLike, count: int) -> NDArray[np.float64]:
    """Return `count` points on a Catmull-Rom curve through `points_m` (n, 3), evenly spaced in its parameter."""
    points = np.asarray(points_m, dtype=np.float64)
    padded = np.concatenate([[2.0 * points[0] - points[1]], points, [2.0 * points[-1] - points[-2]]])
    at = np.linspace(0.0, len(points) - 1.0, count)
    piece = np.minimum(at.astype(np.intp), len(points) - 2)
    t = (at - piece)[:, None]
    a, b, c, d = (padded[piece + shift] for shift in range(4))
    return np.asarray(
        0.5 * (2.0 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3.0 * (b - c) + d - a) * t**3)
    )


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), MIN_LENGTH_M))


def tube(path_m: ArrayLike, radii_m: ArrayLike, *, wide: ArrayLike = (1.0, 0.0, 0.0), sides: int = 10) -> Shape:
    """Return a tube with round ends.

    Args:
        path_m: (n, 3) its middle line [m].
        radii_m: (n) or (n, 2) half-widths [m]; of two, the first is along `wide` and the second perpendicular to it.
        wide: (3) direction whose projection is the section's first axis.
        sides: Corners of a section.
    """
    path = np.asarray(path_m, dtype=np.float64)
    radii = np.asarray(radii_m, dtype=np.float64)
    radii = np.broadcast_to(radii, (len(path),)) if radii.ndim == 0 else radii
    radii = np.repeat(radii[:, None], 2, axis=1) if radii.ndim == 1 else radii
    tangents = _unit(np.gradient(path, axis=0))
    # Round ends: smaller sections beyond each end, one on a thin tube and two on other tubes.
    beyond, cap = (
        (np.array([0.55]), np.array([0.78])) if sides <= THIN_SIDES else (np.array([0.4, 0.85]), np.array([0.92, 0.55]))
    )
    first, last, count = radii[0].min(), radii[-1].min(), len(cap)
    inner = np.concatenate([np.repeat(path[:1], count, 0), path, np.repeat(path[-1:], count, 0)])
    path = np.concatenate(
        [
            path[0] - first * beyond[::-1, None] * tangents[0],
            path,
            path[-1] + last * beyond[:, None] * tangents[-1],
        ]
    )
    radii = np.concatenate([radii[:1] * cap[::-1, None], radii, radii[-1:] * cap[:, None]])
    tangents = np.concatenate([np.repeat(tangents[:1], count, 0), tangents, np.repeat(tangents[-1:], count, 0)])
    hint = np.asarray(wide, dtype=np.float64)
    first_axis = _unit(hint - (tangents @ hint)[:, None] * tangents)
    second_axis = np.cross(tangents, first_axis)
    angle = 2.0 * np.pi * np.arange(sides) / sides
    rings = (
        path[:, None]
        + radii[:, :1, None] * np.cos(angle)[None, :, None] * first_axis[:, None]
        + radii[:, 1:, None] * np.sin(angle)[None, :, None] * second_axis[:, None]
    )
    tip = 1.0 - beyond[-1]
    ends = np.stack([path[0] - tip * first * tangents[0], path[-1] + tip * last * tangents[-1]])
    vertices = np.concatenate([rings.reshape(-1, 3), ends])
    cores = np.concatenate([np.repeat(inner, sides, axis=0), inner[[0, -1]]])
    return Shape(vertices, _ring_faces(len(path), sides), cores)


def _ring_faces(rings: int, sides: int) -> NDArray[np.int32]:
    """Return the triangles of rings with the two end points last, anticlockwise about the direction of the path."""
    ring, side = np.meshgrid(np.arange(rings - 1), np.arange(sides), indexing="ij")
    following = (side + 1) % sides
    a, b = ring * sides + side, ring * sides + following
    c, d = a + sides, b + sides
    faces = [np.stack([a, b, d], -1).reshape(-1, 3), np.stack([a, d, c], -1).reshape(-1, 3)]
    around = np.arange(sides)
    start, end = rings * sides, rings * sides + 1
    last = (rings - 1) * sides
    faces.append(np.stack([np.full(sides, start), (around + 1) % sides, around], -1))
    faces.append(np.stack([np.full(sides, end), last + around, last + (around + 1) % sides], -1))
    return np.concatenate(faces).astype(np.int32)


def blob(centre_m: ArrayLike, radii_m: ArrayLike, *, rotation: NDArray[Any] | None = None, sides: int = 12) -> Shape:
    """Return an ellipsoid.

    Args:
        centre_m: (3) [m].
        radii_m: One number or (3), along x, y, z before the rotation [m].
        rotation: (3, 3) of the axes.
        sides: Corners of a section; the number of sections is half of it.
    """
    rings = max(3, sides // 2)
    polar = np.pi * np.arange(1, rings + 1) / (rings + 1)
    around = 2.0 * np.pi * np.arange(sides) / sides
    ball = np.stack(
        [
            np.sin(polar)[:, None] * np.cos(around),
            np.repeat(-np.cos(polar)[:, None], sides, 1),
            -np.sin(polar)[:, None] * np.sin(around),
        ],
        axis=-1,
    ).reshape(-1, 3)
    ball = np.concatenate([ball, [[0.0, -1.0, 0.0], [0.0, 1.0, 0.0]]])
    vertices = ball * np.broadcast_to(np.asarray(radii_m, dtype=np.float64), (3,))
    if rotation is not None:
        vertices = vertices @ np.asarray(rotation).T
    centre = np.asarray(centre_m, dtype=np.float64)
    return Shape(vertices + centre, _ring_faces(rings, sides), np.repeat(centre[None], len(vertices), axis=0))


def slab(middle_m: ArrayLike, half_thickness_m: ArrayLike) -> Shape:
    """Return a curved plate.

    Args:
        middle_m: (n, m, 3) its middle surface, in rows [m].
        half_thickness_m: One number or (n, m) [m].
    """
    middle = np.asarray(middle_m, dtype=np.float64)
    rows, columns = middle.shape[:2]
    along, across = np.gradient(middle, axis=0), np.gradient(middle, axis=1)
    normal = _unit(np.cross(along, across))
    thickness = np.broadcast_to(np.asarray(half_thickness_m, dtype=np.float64), (rows, columns))[..., None]
    vertices = np.concatenate(
        [(middle + thickness * normal).reshape(-1, 3), (middle - thickness * normal).reshape(-1, 3)]
    )
    index = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    top = np.concatenate([np.stack([a, c, b], -1).reshape(-1, 3), np.stack([a, d, c], -1).reshape(-1, 3)])
    count = rows * columns
    rim = np.concatenate([index[:, 0], index[-1, 1:], index[-2::-1, -1], index[0, -2:0:-1]])
    following = np.roll(rim, -1)
    walls = np.concatenate(
        [np.stack([rim, rim + count, following + count], -1), np.stack([rim, following + count, following], -1)]
    )
    faces = np.concatenate([top, top[:, ::-1] + count, walls]).astype(np.int32)
    return Shape(vertices, faces, np.tile(middle.reshape(-1, 3), (2, 1)))
