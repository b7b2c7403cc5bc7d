"""Benchmark of body solvers on the published objective: the live fit, Levenberg-Marquardt and the published Adam."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose_lab.methods.body.adam_torch import AdamSettings
    from rehab_pose_lab.methods.body.energy import BodyEnergy

__all__ = ["energy_metrics"]

POSES = 20
"""Random people, each in one random pose."""
SEED = 17
NOISE_M = 0.01
"""Standard deviation of the noise on every coordinate [m]."""
SIGMA_M = NOISE_M
"""Standard deviation that the fits assume [m]."""
ADAM_STEPS = 100
ADAM_RATES = (0.03, 0.1)
"""Learning rates, which the paper does not give: the better result is used for every pose, with the time of one run."""
NAMES = ("lm", "lm_to_adam100", "lm_to_adam100_joints", "fitter", "adam100", "adam100_joints")
REPEATS = 5
"""Repetitions of each timing, of which the median is used."""


class _Outcome(NamedTuple):
    """Energy and computing time of one fit [s]."""

    energy: float
    time_s: float


def energy_metrics(poses: int = POSES, *, seed: int = SEED) -> dict[str, float]:
    """Return energies and times of Levenberg-Marquardt and of 100 steps of Adam: same joints, same start.

    All results are evaluated with one function, `BodyEnergy` (Eq 29 with the package's mixture). `lm` minimises this
    function, as Adam does; `fitter` is the live `BodyFitter`, whose objective has other priors. Adam differentiates
    through the mesh as published (`adam100`: Eq 28 on the posed surface) or through the joints (`adam100_joints`).
    Metrics are medians over the poses. `lm` runs to convergence, `lm_to_adam100` until its energy is below Adam's.
    `lm_speedup_vs_adam100` is the median ratio of Adam's time to the time of `lm_to_adam100` over the poses where that
    energy is reached, which are the fraction `lm_lower_share_vs_adam100`. Times are of one thread and, except for
    Adam, include the closed-form start.

    Args:
        poses: Number of random people, each in one random pose, with NOISE_M noise on every coordinate.
        seed: Seed of people and noise.
    """
    from rehab_pose.body.loader import load_body_model  # noqa: PLC0415
    from rehab_pose_lab.methods.body.adam_torch import AdamSettings, one_thread  # noqa: PLC0415  (loads torch: seconds)
    from rehab_pose_lab.methods.body.energy import BodyEnergy  # noqa: PLC0415
    from rehab_pose_lab.methods.body.mixture import load_mixture_prior  # noqa: PLC0415

    model, random = load_body_model(), np.random.default_rng(seed)
    energy = BodyEnergy(model, load_mixture_prior())
    outcomes: dict[str, list[_Outcome]] = {name: [] for name in NAMES}
    with one_thread():
        for _ in range(poses):
            measured = _random_joints(model, random)
            outcomes["fitter"].append(_fitted(energy, measured))
            mesh = (AdamSettings(ADAM_STEPS, rate, "mesh") for rate in ADAM_RATES)
            joints = (AdamSettings(ADAM_STEPS, rate, "joints") for rate in ADAM_RATES)
            outcomes["adam100"].append(min(_descended(energy, measured, settings) for settings in mesh))
            outcomes["adam100_joints"].append(min(_descended(energy, measured, settings) for settings in joints))
            outcomes["lm"].append(_minimised(energy, measured))
            for name in ("adam100", "adam100_joints"):
                reached = _minimised(energy, measured, good_enough=outcomes[name][-1].energy)
                outcomes[f"lm_to_{name}"].append(reached)
    return _summarise(outcomes)


def _summarise(outcomes: dict[str, list[_Outcome]]) -> dict[str, float]:
    table = {name: np.array(rows) for name, rows in outcomes.items()}
    metrics = {}
    for name, rows in table.items():
        metrics[f"{name}_energy"] = float(np.median(rows[:, 0]))
        metrics[f"{name}_ms"] = 1e3 * float(np.median(rows[:, 1]))
    for name in ("adam100", "adam100_joints"):
        reached = table[f"lm_to_{name}"]
        lower = reached[:, 0] < table[name][:, 0]
        ratio = table[name][:, 1] / reached[:, 1]
        metrics[f"lm_speedup_vs_{name}"] = float(np.median(ratio[lower])) if lower.any() else 0.0
        metrics[f"lm_lower_share_vs_{name}"] = float(lower.mean())
    return metrics


def _random_joints(model: BodyModel, random: np.random.Generator) -> NDArray[np.float64]:
    """Return joints (24, 3) of a random person 2.5 m from the camera with a random heading, and with noise [m]."""
    from rehab_pose_lab.benchmarks.random_people import random_person_joints  # noqa: PLC0415
    from rehab_pose_lab.training.random_poses import PoseSampler  # noqa: PLC0415

    positions = random_person_joints(model, PoseSampler(random), random, np.array([0.0, 0.0, 2.5]))
    return positions + random.normal(0.0, NOISE_M, positions.shape)


def _minimised(energy: BodyEnergy, measured_m: NDArray[np.float64], good_enough: float = -np.inf) -> _Outcome:
    """Return energy and time of Levenberg-Marquardt on the published objective, including its start.

    It runs to convergence, or until its energy is lower than `good_enough`.
    """
    from rehab_pose_lab.methods.body.clip_kinematics import start_clip  # noqa: PLC0415
    from rehab_pose_lab.methods.body.energy_minimiser import EnergyFit, minimise_energy  # noqa: PLC0415

    weight = np.full(len(measured_m), 1.0 / SIGMA_M**2)

    def solve() -> EnergyFit:
        start = start_clip(energy.model, measured_m[None], weight[None])
        return minimise_energy(energy, start, measured_m, weight, good_enough=good_enough)

    fit, times = solve(), []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        solve()
        times.append(time.perf_counter() - begin)
    value, _ = energy.evaluate(fit.clip, measured_m[None], weight[None])
    return _Outcome(value, float(np.median(times)))


def _fitted(energy: BodyEnergy, measured_m: NDArray[np.float64]) -> _Outcome:
    """Return energy and time of the live fit from a cold start, as on a person's first frame."""
    from rehab_pose.body.fitter import BodyFitter  # noqa: PLC0415
    from rehab_pose.body.settings import BodySettings  # noqa: PLC0415
    from rehab_pose_lab.benchmarks.random_people import observed_joints  # noqa: PLC0415
    from rehab_pose_lab.methods.body.clip_kinematics import clip_of  # noqa: PLC0415

    fitter, joints = BodyFitter(BodySettings(with_vertices=False)), observed_joints(measured_m, SIGMA_M)
    fitter.fit(joints)
    times = []
    for _ in range(REPEATS):
        fitter.reset()
        start = time.perf_counter()
        body = fitter.fit(joints)
        times.append(time.perf_counter() - start)
    if body is None:
        return _Outcome(float("inf"), float(np.median(times)))
    value, _ = energy.evaluate(clip_of([body.parameters]), measured_m[None], np.full((1, 24), 1.0 / SIGMA_M**2))
    return _Outcome(value, float(np.median(times)))


def _descended(energy: BodyEnergy, measured_m: NDArray[np.float64], settings: AdamSettings) -> _Outcome:
    """Return energy and time of the published solver without the time to create its tensors."""
    from dataclasses import replace  # noqa: PLC0415

    from rehab_pose_lab.methods.body.adam_torch import fit_adam  # noqa: PLC0415
    from rehab_pose_lab.methods.body.clip_kinematics import clip_of  # noqa: PLC0415

    weight = np.full((1, 24), 1.0 / SIGMA_M**2)
    start = time.perf_counter()
    fit_adam(energy.model, measured_m[None], weight, replace(settings, steps=0), prior=energy.prior)
    prepared = time.perf_counter()
    fit = fit_adam(energy.model, measured_m[None], weight, settings, prior=energy.prior)
    spent_s = time.perf_counter() - prepared - (prepared - start)
    value, _ = energy.evaluate(clip_of(fit.parameters), measured_m[None], weight)
    return _Outcome(value, spent_s)
