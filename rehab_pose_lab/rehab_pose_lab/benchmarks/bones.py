"""Benchmark of the bones: fraction inside the body, gaps, rigidity, symmetry and computing time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose.bones.inferrer import BoneInferrer
    from rehab_pose.bones.surface import Surface
    from rehab_pose.datatypes import Body

__all__ = ["bones_metrics", "inside_by_winding_number", "mirrored_surface"]

BODIES = 100
SEED = 11
MIRROR = np.diag([-1.0, 1.0, 1.0])
M_TO_MM = 1e3


@dataclass
class _Extremes:
    """Counts and largest errors over all bodies."""

    inside: int = 0
    vertices: int = 0
    gap_m: float = 0.0
    disc_gap_m: float = 0.0
    lengths_change: float = 0.0
    lengths_m: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    """Of the current body, in its first pose."""
    rigid_error_m: float = 0.0
    lumbar_sum_rad: float = 0.0


def bones_metrics(bodies: int = BODIES, *, seed: int = SEED) -> dict[str, float]:
    """Return metrics over simulated bodies in poses of the exercises.

    Args:
        bodies: Number of random bodies, each at one random moment of each of the five exercises.
        seed: Seed of the bodies and moments.
    """
    from rehab_pose.body.loader import load_body_model  # noqa: PLC0415
    from rehab_pose.bones.inferrer import (  # noqa: PLC0415  (loaded only when this command runs)
        BoneInferrer,
        surface_body,
    )
    from rehab_pose.results.body_surfaces import posed_surface, surfaces_of  # noqa: PLC0415
    from rehab_pose_sim.exercises import EXERCISES  # noqa: PLC0415
    from rehab_pose_sim.pose import Stance  # noqa: PLC0415

    model, random, extremes = load_body_model(), np.random.default_rng(seed), _Extremes()
    inferrer = BoneInferrer(surfaces=surfaces_of(model))
    first_s: list[float] = []
    posed_ms: list[float] = []
    with_mesh_ms: list[float] = []
    mirror_error_m = 0.0
    for number in range(bodies):
        betas = random.normal(0.0, 1.0, model.shape_count)
        stance = Stance(model, betas, place_m=(0.0, 0.0), heading_rad=float(random.uniform(-np.pi, np.pi)))
        inferrer.reset()
        for place, exercise in enumerate(EXERCISES.values()):
            pose = exercise.pose(random.uniform(), random.uniform(0.8, 1.2), random.uniform(-0.1, 0.1))
            parameters = stance.parameters(pose)
            surface = posed_surface(model, parameters)
            body = surface_body(surface, model.model_id, parameters)
            start = time.perf_counter()
            bones = inferrer.infer_with_meshes(body)
            middle = time.perf_counter()
            inferrer.infer(body)
            posed_ms.append((time.perf_counter() - middle) * 1e3)
            (with_mesh_ms if place else first_s).append((middle - start) * (1e3 if place else 1.0))
            assert bones.mesh is not None  # noqa: S101  (asked for)
            extremes.lengths_m = extremes.lengths_m if place else bones.length_m
            inside = surface.contains(bones.mesh.vertices_m.astype(np.float64))
            extremes.inside += int(inside.sum())
            extremes.vertices += len(inside)
            _extremes_body(extremes, inferrer, body, random)
        if number == 0:
            mirror_error_m = _mirror_error_m(model)
    return {
        "bones_inside_pct": 100.0 * extremes.inside / extremes.vertices,
        "joint_gap_mm": M_TO_MM * extremes.gap_m,
        "disc_gap_mm": M_TO_MM * extremes.disc_gap_m,
        "lengths_change": extremes.lengths_change,
        "rigid_error_m": extremes.rigid_error_m,
        "mirror_error_mm": M_TO_MM * mirror_error_m,
        "lumbar_sum_deg": float(np.degrees(extremes.lumbar_sum_rad)),
        "anatomy_first_s": float(np.median(first_s)),
        "anatomy_first_s_p95": float(np.percentile(first_s, 95)),
        "anatomy_ms": float(np.median(with_mesh_ms)),
        "anatomy_ms_p95": float(np.percentile(with_mesh_ms, 95)),
        "anatomy_poses_ms": float(np.median(posed_ms)),
        "anatomy_poses_ms_p95": float(np.percentile(posed_ms, 95)),
        "bone_vertices": extremes.vertices / (bodies * len(EXERCISES)),
    }


def _extremes_body(extremes: _Extremes, inferrer: BoneInferrer, body: Body, random: np.random.Generator) -> None:
    from rehab_pose.bones.articulations import BALL_JOINTS  # noqa: PLC0415
    from rehab_pose.bones.inferrer import BoneInferrer  # noqa: PLC0415
    from rehab_pose.geometry.rotations import axis_angles_from_matrices, matrices_from_axis_angles  # noqa: PLC0415
    from rehab_pose_lab.benchmarks.bone_errors import joint_gaps_m, lumbar_rotations_rad  # noqa: PLC0415

    bones, gaps = inferrer.infer_with_meshes(body), joint_gaps_m(body)
    extremes.gap_m = max(extremes.gap_m, *(gaps[name] for name in BALL_JOINTS))
    extremes.disc_gap_m = max(extremes.disc_gap_m, *(gap for name, gap in gaps.items() if name[0] in "LT"))
    rotation, shift = matrices_from_axis_angles(random.normal(0.0, 1.5, 3)), random.normal(0.0, 2.0, 3)
    moved = replace(
        body,
        joint_positions_m=body.joint_positions_m @ rotation.T + shift,
        joint_rotations=rotation @ body.joint_rotations,
    )
    again = inferrer.infer_with_meshes(moved)
    assert bones.mesh is not None  # noqa: S101
    assert again.mesh is not None  # noqa: S101
    error = np.abs(bones.mesh.vertices_m @ rotation.T + shift - again.mesh.vertices_m).max()
    extremes.rigid_error_m = max(extremes.rigid_error_m, float(error))
    fresh = BoneInferrer().infer(moved)
    extremes.lengths_change = max(extremes.lengths_change, float(np.abs(fresh.length_m - extremes.lengths_m).max()))
    trunk = axis_angles_from_matrices(body.joint_rotations[0].T @ body.joint_rotations[9])
    upright = inferrer.infer(replace(body, joint_rotations=np.repeat(np.eye(3)[None], 24, 0)))
    summed = lumbar_rotations_rad(bones, upright).sum(axis=0)
    extremes.lumbar_sum_rad = max(extremes.lumbar_sum_rad, float(np.linalg.norm(summed - trunk)))


def _mirror_error_m(model: BodyModel) -> float:
    """Return the largest distance of the bones of a mirrored mesh from the mirrored bones [m]."""
    from rehab_pose.bones.inferrer import bones_inside  # noqa: PLC0415
    from rehab_pose.datatypes import BodyParameters  # noqa: PLC0415
    from rehab_pose.results.body_surfaces import posed_surface  # noqa: PLC0415

    asymmetric = np.random.default_rng(3).normal(0.0, 0.2, (24, 3))
    largest = 0.0
    for rotations_rad in (np.zeros((24, 3)), asymmetric):
        surface = posed_surface(model, BodyParameters(np.zeros(model.shape_count), rotations_rad, np.zeros(3)))
        bones, opposite = bones_inside(surface), bones_inside(mirrored_surface(surface))
        assert bones.mesh is not None  # noqa: S101
        assert opposite.mesh is not None  # noqa: S101
        swap = {"left": "right", "right": "left"}
        for number, name in enumerate(bones.names):
            side, _, rest = name.partition("_")
            partner = opposite.names.index(f"{swap[side]}_{rest}" if side in swap else name)
            first = bones.mesh.vertices_m[slice(*bones.mesh.vertex_starts[number : number + 2])] @ MIRROR
            second = opposite.mesh.vertices_m[slice(*opposite.mesh.vertex_starts[partner : partner + 2])]
            ordered = side in swap
            distance = np.linalg.norm(first - second, axis=1) if ordered else _to_nearest(first, second)
            largest = max(largest, float(distance.max()))
    return largest


def _to_nearest(first: NDArray[np.float32], second: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the distance of each point (N, 3) to the nearest one of the other set (M, 3), for bones of the midline."""
    return np.asarray(np.linalg.norm(first[:, None] - second[None], axis=2).min(axis=1))


def mirrored_surface(surface: Surface) -> Surface:
    """Return the surface mirrored in x, with left and right joints exchanged."""
    from rehab_pose.skeletons.smpl24 import SMPL_24  # noqa: PLC0415

    return replace(
        surface,
        vertices_m=surface.vertices_m @ MIRROR,
        faces=surface.faces[:, ::-1],
        joint_positions_m=(surface.joint_positions_m @ MIRROR)[SMPL_24.mirror],
        joint_rotations=(MIRROR @ surface.joint_rotations @ MIRROR)[SMPL_24.mirror],
    )


def inside_by_winding_number(surface: Surface, points_m: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which points (N, 3) are inside (N) by the solid angles of all triangles: the slow reference method.

    Van Oosterom and Strackee (1983): tan(omega / 2) = det(a, b, c) / (|a||b||c| + (a.b)|c| + (b.c)|a| + (c.a)|b|).
    """
    inside = np.empty(len(points_m), dtype=bool)
    triangles = surface.vertices_m[surface.faces]
    for number, point in enumerate(points_m):
        a, b, c = np.moveaxis(triangles - point, 1, 0)
        la, lb, lc = (np.linalg.norm(corner, axis=1) for corner in (a, b, c))
        volume = (a * np.cross(b, c)).sum(axis=1)
        below = la * lb * lc + (a * b).sum(axis=1) * lc + (b * c).sum(axis=1) * la + (c * a).sum(axis=1) * lb
        inside[number] = abs(2.0 * np.arctan2(volume, below).sum()) > 2.0 * np.pi
    return inside
