"""The surface's part of the fit: its derivative, its skinning, and its effect on the fitted body."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.body.fitter import BodyFitter
from rehab_pose.body.loader import load_body_model
from rehab_pose.body.model import JOINT_COUNT
from rehab_pose.body.objective import COLUMN_OF_JOINT, SHAPE_START, forward, joint_axes, shape_derivatives
from rehab_pose.body.settings import BodySettings
from rehab_pose.body.skinning import pose_joints, pose_vertices
from rehab_pose.body.surface import SurfaceMatcher
from rehab_pose.body.surface_objective import PosedChain, SurfacePoints, skin_points, surface_cost, surface_equations
from rehab_pose.datatypes import BodyParameters, Joints
from rehab_pose.geometry.rotations import matrices_from_axis_angles
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.benchmarks.perception_truth import true_silhouette
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose_sim.camera import SimulatedFrame

MODEL = load_body_model()
SHAPES = 10


def posed(unknowns: NDArray[np.float64], base: NDArray[np.float64]) -> PosedChain:
    rest = MODEL.joints(unknowns[SHAPE_START:])
    positions, rotations = np.empty((JOINT_COUNT, 3)), np.empty((JOINT_COUNT, 3, 3))
    forward(unknowns, base, rest, positions, rotations)
    axes, derivatives = np.empty((JOINT_COUNT, 3, 3)), np.empty((JOINT_COUNT, 3, SHAPES))
    joint_axes(unknowns, COLUMN_OF_JOINT, rotations, axes)
    shapedirs = np.ascontiguousarray(MODEL.joint_shapedirs)
    shape_derivatives(rotations, shapedirs, derivatives)
    return PosedChain(rest, positions, rotations, axes, shapedirs, derivatives)


def some_points(random: np.random.Generator, count: int) -> SurfacePoints:
    chosen = random.choice(len(MODEL.v_template), count, replace=False)
    joints, weights = MODEL.skin
    normals = random.normal(size=(count, 3))
    return SurfacePoints(
        rest_m=MODEL.v_template[chosen].astype(np.float64),
        shapedirs=MODEL.shapedirs[chosen].astype(np.float64),
        joints=np.ascontiguousarray(joints[chosen]),
        weights=weights[chosen].astype(np.float64),
        targets_m=random.normal(size=(count, 3)),
        normals=normals / np.linalg.norm(normals, axis=1, keepdims=True),
        precision=random.uniform(0.5, 2.0, count),
    )


@pytest.mark.no_cover
def test_the_gradient_is_the_derivative_of_the_surface_cost() -> None:
    random = np.random.default_rng(3)
    base = matrices_from_axis_angles(random.normal(size=3))
    unknowns, points = random.normal(0.0, 0.5, SHAPE_START + SHAPES), some_points(random, 40)
    hessian, gradient = np.zeros((len(unknowns),) * 2), np.zeros(len(unknowns))
    surface_equations(unknowns, posed(unknowns, base), points, hessian, gradient)

    def value(at: NDArray[np.float64]) -> float:
        pose = posed(at, base)
        return float(surface_cost(at, pose.rest_m, pose.positions, pose.rotations, points))

    step = 1e-6
    numeric = [
        (value(unknowns + step * unit) - value(unknowns - step * unit)) / (4.0 * step) for unit in np.eye(len(unknowns))
    ]
    np.testing.assert_allclose(gradient, numeric, atol=1e-6 * np.abs(numeric).max())
    assert np.abs(gradient[3:]).max() > 1.0
    # Gauss-Newton's matrix is J^T W J: with as many points as unknowns it has no negative eigenvalue.
    full = np.tril(hessian) + np.tril(hessian, -1).T
    assert np.linalg.eigvalsh(full).min() > -1e-8 * np.linalg.eigvalsh(full).max()


def test_the_chosen_vertices_are_skinned_like_the_complete_mesh() -> None:
    random = np.random.default_rng(4)
    parameters = BodyParameters(random.normal(size=SHAPES), random.normal(0.0, 0.3, (24, 3)), random.normal(size=3))
    matcher = SurfaceMatcher(MODEL)
    mesh = pose_vertices(MODEL, parameters)
    positions, rotations = pose_joints(MODEL, parameters)
    chosen = matcher._chosen
    joints, weights = MODEL.skin
    rest = (MODEL.v_template + MODEL.shapedirs @ parameters.betas.astype(np.float32))[chosen].astype(np.float64)
    out = np.empty_like(rest)
    skin_points(
        MODEL.joints(parameters.betas), positions, rotations, rest, joints[chosen], weights[chosen].astype(float), out
    )
    np.testing.assert_allclose(out, mesh[chosen], atol=2e-6)


def noisy_joints(simulated: SimulatedFrame, random: np.random.Generator, sigma_m: float) -> Joints:
    return Joints(
        stamp_ns=simulated.frame.stamp_ns,
        frame_id="camera",
        skeleton=SMPL_24,
        positions_m=simulated.truth.joints_m + random.normal(0.0, sigma_m, (24, 3)),
        confidence=np.ones(24),
        sigma_m=np.full(24, sigma_m * np.sqrt(3.0)),
        visibility=np.ones(24, np.uint8),
    )


@pytest.mark.parametrize("exercise", ["arm_lifting", "squat"])
def test_depth_brings_mesh_and_joints_nearer_to_the_truth(exercise: str) -> None:
    camera = SimulatedCamera(SimulationSettings(exercise=exercise, shape_seed=41, seed=41))
    random = np.random.default_rng(5)
    joints_only, both = BodyFitter(), BodyFitter()
    errors = []
    for index in range(30, 120, 2):
        simulated = camera.frame(index)
        joints = noisy_joints(simulated, random, 0.015)
        fits = joints_only.fit(joints), both.fit(joints, true_silhouette(simulated))
        truth = simulated.truth
        bodies = [body for body in fits if body is not None]
        assert len(bodies) == 2
        errors.append(
            [np.linalg.norm(body.vertices_m - truth.vertices_m, axis=1).mean() for body in bodies]
            + [np.linalg.norm(body.joint_positions_m - truth.joints_m, axis=1).mean() for body in bodies]
        )
    mesh_joints_only, mesh_both, error_joints_only, joints_both = np.mean(errors[10:], axis=0)
    assert mesh_both < 0.8 * mesh_joints_only
    assert mesh_both < 0.018
    assert joints_both < error_joints_only


def test_a_silhouette_without_depth_does_not_change_the_fit() -> None:
    simulated = SimulatedCamera(SimulationSettings(exercise="none")).frame(0)
    joints = noisy_joints(simulated, np.random.default_rng(6), 0.01)
    silhouette = true_silhouette(simulated)
    assert silhouette is not None
    blind = replace(silhouette, depth_m=np.full(silhouette.depth_m.shape, np.nan, np.float32))
    blind_fit, without = (
        BodyFitter().fit(joints, blind),
        BodyFitter(BodySettings(surface_rounds=0)).fit(joints, silhouette),
    )
    assert blind_fit is not None
    assert without is not None
    np.testing.assert_array_equal(blind_fit.vertices_m, without.vertices_m)


def test_a_person_with_longer_limbs_is_calibrated_again() -> None:
    random = np.random.default_rng(7)
    settings = BodySettings(shape_frames=20)
    short, tall = (
        SimulatedCamera(
            SimulationSettings(exercise="arm_lifting", seed=3), replace(MODEL, v_template=MODEL.v_template * scale)
        )
        for scale in (np.float32(0.92), np.float32(1.04))
    )
    fitter = BodyFitter(settings)
    for index in range(90):
        assert fitter.fit(noisy_joints(short.frame(index), random, 0.01)) is not None
    assert fitter.calibrated
    assert fitter.recalibrations == 0
    for index in range(90, 290):
        fitter.fit(noisy_joints(tall.frame(index), random, 0.01))
    assert fitter.recalibrations == 1
    assert fitter.calibrated
