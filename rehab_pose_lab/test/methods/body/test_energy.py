"""The published objective: every term against finite differences and its plain formula, numpy against torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.body.loader import load_body_model
from rehab_pose.body.skinning import pose_joints, pose_vertices
from rehab_pose.datatypes import BodyParameters
from rehab_pose.errors import ContractError
from rehab_pose_lab.methods.body.clip_kinematics import BodyClip, clip_of, pose_clip, pull_back, start_clip
from rehab_pose_lab.methods.body.energy import (
    BodyEnergy,
    EnergyWeights,
    joint_term,
    laplacian_quadratic,
    laplacian_term,
    pose_term,
    shape_term,
    smoothness_term,
)
from rehab_pose_lab.methods.body.energy_minimiser import minimise_energy
from rehab_pose_lab.methods.body.mixture import POSE_SIZE, MixturePrior, load_mixture_prior

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

MODEL = load_body_model()
FRAMES = 3


def random_clip(seed: int, frames: int = FRAMES) -> BodyClip:
    random = np.random.default_rng(seed)
    return BodyClip(
        random.normal(size=10), random.normal(0.0, 0.5, (frames, 24, 3)), random.normal(0.0, 1.0, (frames, 3))
    )


def measured(seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    random = np.random.default_rng(seed)
    target, weight = random.normal(size=(FRAMES, 24, 3)), random.uniform(100.0, 4000.0, (FRAMES, 24))
    weight[1, 5], target[1, 5] = 0.0, np.nan
    return target, weight


def random_mixture(seed: int, components: int = 3) -> MixturePrior:
    random = np.random.default_rng(seed)
    roots = random.normal(0.0, 0.1, (components, POSE_SIZE, POSE_SIZE))
    covars = roots @ roots.swapaxes(1, 2) + 0.05 * np.eye(POSE_SIZE)
    return MixturePrior(random.normal(0.0, 0.3, (components, POSE_SIZE)), covars, random.uniform(0.5, 1.0, components))


def assert_is_gradient(
    value: Callable[[NDArray[np.float64]], float],
    at: NDArray[np.float64],
    gradient: NDArray[np.float64],
    step: float = 1e-5,
) -> None:
    """Compare with central differences: some single entries, and random directions through all of them."""
    random = np.random.default_rng(0)
    directions = [random.normal(size=at.shape) for _ in range(3)]
    for place in random.choice(at.size, min(at.size, 12), replace=False):
        single = np.zeros(at.size)
        single[place] = 1.0
        directions.append(single.reshape(at.shape))
    for direction in directions:
        ahead, further = value(at + step * direction), value(at + 2.0 * step * direction)
        behind, before = value(at - step * direction), value(at - 2.0 * step * direction)
        slope = (8.0 * (ahead - behind) - (further - before)) / (12.0 * step)
        assert float(np.sum(gradient * direction)) == pytest.approx(slope, rel=1e-6, abs=1e-6 * np.abs(gradient).max())


def test_the_joints_of_a_clip_equal_those_of_its_frames() -> None:
    frames = [BodyParameters(c.betas, c.rotations_rad[0], c.translation_m[0]) for c in [random_clip(1, 1)]] * 2
    posed = pose_clip(MODEL, clip_of(frames))
    positions, rotations = pose_joints(MODEL, frames[0])
    for index in range(2):
        np.testing.assert_allclose(posed.positions_m[index], positions, atol=1e-12)
        np.testing.assert_allclose(posed.rotations[index], rotations, atol=1e-12)


@pytest.mark.parametrize("name", ["joints", "smoothness"])
def test_the_gradients_of_the_joint_terms_match_finite_differences(name: str) -> None:
    """By the joints themselves, and through the chain by every body parameter."""
    clip, (target, weight) = random_clip(2), measured(3)

    def term(positions: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        return joint_term(positions, target, weight) if name == "joints" else smoothness_term(positions)

    posed = pose_clip(MODEL, clip)
    _, by_joints = term(posed.positions_m)
    assert_is_gradient(lambda positions: term(positions)[0], posed.positions_m, by_joints)
    gradient = pull_back(MODEL, clip, posed, by_joints)
    for field in BodyClip._fields:

        def value(values: NDArray[np.float64], field: str = field) -> float:
            return term(pose_clip(MODEL, clip._replace(**{field: values})).positions_m)[0]

        assert_is_gradient(value, getattr(clip, field), getattr(gradient, field))


@pytest.mark.parametrize("scale", [1e-5, 1e-3, 3.0])
def test_the_gradient_matches_finite_differences_for_tiny_and_large_rotations(scale: float) -> None:
    clip, (target, weight) = random_clip(4), measured(5)
    clip = clip._replace(rotations_rad=scale * clip.rotations_rad)
    posed = pose_clip(MODEL, clip)
    gradient = pull_back(MODEL, clip, posed, joint_term(posed.positions_m, target, weight)[1])

    def value(rotations: NDArray[np.float64]) -> float:
        return joint_term(pose_clip(MODEL, clip._replace(rotations_rad=rotations)).positions_m, target, weight)[0]

    assert_is_gradient(value, clip.rotations_rad, gradient.rotations_rad)


def test_the_joint_term_is_weighted_and_ignores_missing_joints() -> None:
    target, weight = measured(6)
    positions = np.where(np.isnan(target), 5.0, target) + np.array([0.01, 0.0, 0.0])
    assert joint_term(positions, target, weight)[0] == pytest.approx(1e-4 * weight.sum())
    assert not joint_term(positions, target, weight)[1][1, 5].any()


def test_the_smoothness_term_sums_over_neighbouring_frames() -> None:
    positions = np.zeros((3, 24, 3))
    positions[1:, 7, 2] = 0.1
    assert smoothness_term(positions)[0] == pytest.approx(0.01)
    assert smoothness_term(positions[:1])[0] == 0.0
    assert not smoothness_term(positions[:1])[1].any()


@pytest.mark.parametrize("shipped", [False, True])
def test_the_pose_term_matches_finite_differences(*, shipped: bool) -> None:
    prior, clip = load_mixture_prior() if shipped else random_mixture(7), random_clip(8)
    gradient = pose_term(clip.rotations_rad, prior)[1]
    assert_is_gradient(lambda rotations: pose_term(rotations, prior)[0], clip.rotations_rad, gradient)
    assert not gradient[:, 0].any()


def test_the_shape_term_matches_finite_differences() -> None:
    betas = random_clip(9).betas
    assert shape_term(betas)[0] == pytest.approx(np.sum(betas**2))
    assert_is_gradient(lambda values: shape_term(values)[0], betas, shape_term(betas)[1])


def test_the_laplacian_term_is_the_sum_over_the_mesh() -> None:
    betas, quadratic = random_clip(10).betas, laplacian_quadratic(MODEL)
    value, gradient = laplacian_term(betas, quadratic)
    vertices = MODEL.v_template.astype(np.float64) + MODEL.shapedirs.astype(np.float64) @ betas
    neighbours: list[set[int]] = [set() for _ in vertices]
    for a, b, c in MODEL.faces.tolist():
        neighbours[a] |= {b, c}
        neighbours[b] |= {a, c}
        neighbours[c] |= {a, b}
    plain = sum(
        float(np.sum((vertex - vertices[sorted(near)].mean(axis=0)) ** 2))
        for vertex, near in zip(vertices, neighbours, strict=True)
    )
    assert value == pytest.approx(plain, rel=1e-9)
    assert_is_gradient(lambda values: laplacian_term(values, quadratic)[0], betas, gradient)
    assert_is_gradient(lambda v: laplacian_term(v, quadratic)[0], betas[:4], laplacian_term(betas[:4], quadratic)[1])


def test_the_energy_is_the_weighted_sum_and_its_gradient_matches_finite_differences() -> None:
    weights = EnergyWeights(joints=0.7, pose=1.3, shape=2.1, smoothness=90.0, laplacian=30.0)
    clip, prior, (target, weight) = random_clip(11), random_mixture(12), measured(13)
    energy = BodyEnergy(MODEL, prior, weights)
    value, gradient = energy.evaluate(clip, target, weight)
    positions = pose_clip(MODEL, clip).positions_m
    expected = (
        0.7 * joint_term(positions, target, weight)[0]
        + 1.3 * pose_term(clip.rotations_rad, prior)[0]
        + 2.1 * shape_term(clip.betas)[0]
        + 90.0 * smoothness_term(positions)[0]
        + 30.0 * laplacian_term(clip.betas, laplacian_quadratic(MODEL))[0]
    )
    assert value == pytest.approx(expected, rel=1e-12)
    for field in BodyClip._fields:

        def along(values: NDArray[np.float64], field: str = field) -> float:
            return energy.evaluate(clip._replace(**{field: values}), target, weight)[0]

        assert_is_gradient(along, getattr(clip, field), getattr(gradient, field))


def test_levenberg_marquardt_ends_where_the_gradient_is_zero() -> None:
    clip, (target, weight) = random_clip(20, 1), measured(21)
    target, weight = pose_clip(MODEL, clip).positions_m[0] + 0.01 * target[0], weight[0]
    target[9], weight[9] = np.nan, 0.0
    energy = BodyEnergy(MODEL, load_mixture_prior())
    start = start_clip(MODEL, target[None], weight[None])
    fit = minimise_energy(energy, start, target, weight, max_iterations=500, tolerance=1e-12)
    value, gradient = energy.evaluate(fit.clip, target[None], weight[None])
    first, steep = energy.evaluate(start, target[None], weight[None])
    assert fit.energy == pytest.approx(value, rel=1e-10)
    assert value < first
    for ours, at_start in zip(gradient, steep, strict=True):
        assert np.abs(ours).max() < 1e-3 * max(np.abs(at_start).max(), 1.0)
    quick = minimise_energy(energy, start, target, weight)
    assert quick.energy == pytest.approx(value, abs=0.05)
    assert quick.iterations <= 40
    rough = minimise_energy(energy, start, target, weight, good_enough=value + 5.0)
    assert value < rough.energy < value + 5.0
    assert rough.iterations < quick.iterations
    with pytest.raises(ContractError, match="one frame"):
        minimise_energy(energy, random_clip(22), target, weight)


def test_torch_gives_the_same_energy_and_gradient() -> None:
    torch = pytest.importorskip("torch")
    from rehab_pose_lab.methods.body.energy_torch import TorchEnergy  # noqa: PLC0415  (needs torch)
    from rehab_pose_lab.methods.body.skinning_torch import TorchBody  # noqa: PLC0415

    clip, prior, (target, weight) = random_clip(14), random_mixture(15), measured(16)
    value, gradient = BodyEnergy(MODEL, prior).evaluate(clip, target, weight)
    energy = TorchEnergy(TorchBody(MODEL), prior)
    unknowns = [torch.tensor(values, requires_grad=True) for values in clip]
    result = energy(*[*unknowns, torch.tensor(target), torch.tensor(weight)])
    assert result.item() == pytest.approx(value, rel=1e-10)
    for ours, theirs in zip(gradient, torch.autograd.grad(result, unknowns), strict=True):
        np.testing.assert_allclose(theirs.numpy(), ours, rtol=1e-8, atol=1e-8 * np.abs(ours).max())
    two = [torch.stack([values, values]) for values in unknowns]
    two += [torch.tensor(np.stack([values] * 2)) for values in (target, weight)]
    both = energy(*two)
    assert both.tolist() == pytest.approx([value, value], rel=1e-10)


def test_through_the_mesh_the_laplacian_is_that_of_the_posed_surface() -> None:
    torch = pytest.importorskip("torch")
    from rehab_pose_lab.methods.body.energy_torch import TorchEnergy  # noqa: PLC0415  (needs torch)
    from rehab_pose_lab.methods.body.skinning_torch import TorchBody  # noqa: PLC0415

    weights = EnergyWeights(joints=0.0, pose=0.0, shape=0.0, smoothness=0.0, laplacian=1.0)
    clip, (target, weight) = random_clip(17), measured(18)
    energy = TorchEnergy(TorchBody(MODEL), random_mixture(19), weights, through="mesh")
    arguments = [torch.tensor(target), torch.tensor(weight)]
    still = [
        torch.tensor(clip.betas),
        torch.zeros(FRAMES, 24, 3, dtype=torch.float64),
        torch.tensor(clip.translation_m),
    ]
    expected = laplacian_term(clip.betas, laplacian_quadratic(MODEL))[0]
    assert energy(*[*still, *arguments]).item() == pytest.approx(expected, rel=1e-6)
    unknowns = [torch.tensor(values, requires_grad=True) for values in clip]
    posed = energy(*[*unknowns, *arguments])
    roughness = []
    for vectors_rad, place in zip(clip.rotations_rad, clip.translation_m, strict=True):
        vertices = pose_vertices(MODEL, BodyParameters(clip.betas, vectors_rad, place)).astype(np.float64)
        edges = np.concatenate([MODEL.faces[:, [0, 1]], MODEL.faces[:, [1, 2]], MODEL.faces[:, [2, 0]]])
        # In a closed surface every edge occurs twice, once in each direction.
        mean = np.zeros_like(vertices)
        np.add.at(mean, edges[:, 0], vertices[edges[:, 1]])
        roughness.append(np.sum((vertices - mean / np.bincount(edges[:, 0])[:, None]) ** 2))
    assert posed.item() == pytest.approx(float(np.mean(roughness)), rel=1e-4)
    gradients = torch.autograd.grad(posed, unknowns)
    assert all(torch.isfinite(gradient).all() for gradient in gradients)
    assert float(gradients[1].abs().max()) > 0.0
