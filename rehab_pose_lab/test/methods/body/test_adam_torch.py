"""The published solver: known truth, missing joints, clips, through the joints and through the mesh."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from rehab_pose.body.loader import load_body_model
from rehab_pose.body.skinning import pose_joints
from rehab_pose.datatypes import BodyParameters
from rehab_pose.errors import ContractError
from rehab_pose_lab.methods.body.adam_torch import AdamSettings, fit_adam
from rehab_pose_lab.methods.body.clip_kinematics import clip_of, pose_clip, start_clip
from rehab_pose_lab.methods.body.energy import BodyEnergy, EnergyWeights
from rehab_pose_lab.methods.body.mixture import load_mixture_prior
from rehab_pose_lab.training.random_poses import PoseSampler

MODEL = load_body_model()
FRAMES = 6
NOISE_M = 0.01


def moving_person(seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return true joints (T, 24, 3) of a person who moves from one pose towards another."""
    sampler = PoseSampler(np.random.default_rng(seed))
    first, second = sampler.sample().rotations_rad, sampler.sample().rotations_rad
    betas = np.random.default_rng(seed).normal(size=10)
    frames = [
        BodyParameters(betas, (1.0 - fraction) * first + fraction * second, np.array([0.1, 0.0, 2.5]))
        for fraction in np.linspace(0.0, 0.3, FRAMES)
    ]
    return np.stack([pose_joints(MODEL, frame)[0] for frame in frames])


@pytest.mark.parametrize("through", ["joints", "mesh"])
def test_the_fit_of_one_frame_is_near_the_measured_joints(through: str) -> None:
    truth = moving_person(1)[:1]
    weight = np.full((1, 24), 1.0 / NOISE_M**2)
    steps = 60 if through == "joints" else 10
    settings = AdamSettings(steps=steps, learning_rate=0.04 if through == "joints" else 0.005, through=through)  # type: ignore[arg-type]
    fit = fit_adam(MODEL, truth, weight, settings)
    assert len(fit.parameters) == 1
    assert fit.energies.shape == (steps,)
    assert fit.energies[-1] < fit.energies[0]
    if through == "joints":
        distance = np.linalg.norm(pose_joints(MODEL, fit.parameters[0])[0] - truth[0], axis=1)
        assert distance.mean() < 0.02


def test_it_lowers_the_energy_of_the_numpy_objective() -> None:
    truth = moving_person(2)
    measured = truth + np.random.default_rng(3).normal(0.0, NOISE_M, truth.shape)
    weight = np.full((FRAMES, 24), 1.0 / NOISE_M**2)
    energy = BodyEnergy(MODEL, load_mixture_prior())
    fit = fit_adam(MODEL, measured, weight, AdamSettings(steps=40))
    start, _ = energy.evaluate(start_clip(MODEL, measured, weight), measured, weight)
    end, _ = energy.evaluate(clip_of(fit.parameters), measured, weight)
    assert fit.energies[0] == pytest.approx(start, rel=1e-9)
    assert end < 0.5 * start
    assert all(np.array_equal(frame.betas, fit.parameters[0].betas) for frame in fit.parameters)
    again = fit_adam(MODEL, measured, weight, AdamSettings(steps=3), start=fit.parameters)
    assert again.energies[0] == pytest.approx(end, rel=1e-9)


def test_the_smoothness_term_reduces_the_motion_between_frames() -> None:
    truth = np.repeat(moving_person(4)[:1], FRAMES, axis=0)
    measured = truth + np.random.default_rng(5).normal(0.0, NOISE_M, truth.shape)
    weight = np.full((FRAMES, 24), 1.0 / NOISE_M**2)
    jitters = []
    for smoothness in (0.0, 1e5):
        settings = AdamSettings(steps=60, learning_rate=0.02, weights=EnergyWeights(smoothness=smoothness))
        posed = pose_clip(MODEL, clip_of(fit_adam(MODEL, measured, weight, settings).parameters))
        jitters.append(float(np.linalg.norm(np.diff(posed.positions_m, axis=0), axis=2).mean()))
    assert jitters[1] < 0.5 * jitters[0]


def test_missing_joints_are_ignored_and_too_few_are_an_error() -> None:
    measured = moving_person(6)[:2].copy()
    weight = np.full((2, 24), 1.0 / NOISE_M**2)
    measured[0, 20], weight[1, 21] = np.nan, 0.0
    fit = fit_adam(MODEL, measured, weight, AdamSettings(steps=5))
    assert np.isfinite(fit.energies).all()
    assert all(np.isfinite(frame.rotations_rad).all() for frame in fit.parameters)
    with pytest.raises(ContractError, match="expected parameters of 2 frames"):
        fit_adam(MODEL, measured, weight, start=fit.parameters[:1])
    measured[1, 5:] = np.nan
    with pytest.raises(ContractError, match="at least 6 joints"):
        fit_adam(MODEL, measured, weight)
    with pytest.raises(ContractError, match="joint_weight"):
        fit_adam(MODEL, measured, weight[:1])
