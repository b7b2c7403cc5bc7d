"""The published solver: Adam on the objective of `energy`, a frame or a clip at a time.

It serves the comparison in `rehab-pose-lab bench`, and clips offline, where the smoothness term uses past and future.
The live path is `BodyFitter`, which reaches a lower energy some thousand times sooner.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch

from rehab_pose.arrays import frozen
from rehab_pose.datatypes import BodyParameters
from rehab_pose.errors import ContractError
from rehab_pose_lab.methods.body.clip_kinematics import clip_of, start_clip
from rehab_pose_lab.methods.body.energy import EnergyWeights
from rehab_pose_lab.methods.body.energy_torch import Through, TorchEnergy
from rehab_pose_lab.methods.body.mixture import load_mixture_prior
from rehab_pose_lab.methods.body.skinning_torch import BackEnd, torch_body

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose_lab.methods.body.clip_kinematics import BodyClip
    from rehab_pose_lab.methods.body.mixture import MixturePrior

__all__ = ["AdamFit", "AdamSettings", "fit_adam", "one_thread"]

MIN_JOINTS = 6
"""With fewer measured joints in a frame no body is fitted."""


@dataclass(frozen=True)
class AdamSettings:
    """Settings of the published solver; the paper prints neither the number of steps nor the rate."""

    steps: int = 100
    learning_rate: float = 0.05
    """Of all unknowns: radians, metres and shape coefficients alike."""
    through: Through = "joints"
    back_end: BackEnd = "native"
    weights: EnergyWeights = field(default_factory=EnergyWeights)


class AdamFit(NamedTuple):
    """The minimum that the solver reached."""

    parameters: tuple[BodyParameters, ...]
    """One a frame, all with the same shape."""
    energies: NDArray[np.float64]
    """(steps) E before every step."""


def fit_adam(
    model: BodyModel,
    joints_m: NDArray[np.float64],
    joint_weight: NDArray[np.float64],
    settings: AdamSettings | None = None,
    *,
    prior: MixturePrior | None = None,
    start: Sequence[BodyParameters] | None = None,
) -> AdamFit:
    """Return the body of every frame of a clip of one person.

    Args:
        model: The body model.
        joints_m: (T, 24, 3) measured joints [m]; NaN = missing.
        joint_weight: (T, 24) 1 / variance [1/m^2], 0 = missing.
        settings: Steps, rate, weights of the terms.
        prior: The mixture of poses; the one in this package by default.
        start: One set of parameters a frame to start from; by default the closed form that `BodyFitter` starts from.

    Raises:
        ContractError: The arrays do not fit together, or a frame has fewer than six joints.
    """
    settings = settings or AdamSettings()
    target = frozen("joints_m", joints_m, ("T", 24, 3), np.float64)
    visible = np.isfinite(target).all(axis=2)
    weight = np.where(visible, frozen("joint_weight", joint_weight, (len(target), 24), np.float64), 0.0)
    if len(target) == 0 or np.count_nonzero(weight > 0, axis=1).min() < MIN_JOINTS:
        msg = f"fit_adam: expected at least {MIN_JOINTS} joints with a weight in every frame of at least one"
        raise ContractError(msg)
    if start is not None and len(start) != len(target):
        msg = f"start: expected parameters of {len(target)} frames, got {len(start)}"
        raise ContractError(msg)
    first = start_clip(model, target, weight) if start is None else clip_of(start)
    body = torch_body(model, settings.back_end)
    energy = TorchEnergy(body, prior or load_mixture_prior(), settings.weights, through=settings.through)
    return _descend(energy, first, torch.tensor(target.copy()), torch.tensor(weight), settings)


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep torch to one thread for a while, so that times can be compared."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _descend(
    energy: TorchEnergy, first: BodyClip, target: torch.Tensor, weight: torch.Tensor, settings: AdamSettings
) -> AdamFit:
    unknowns = [torch.tensor(values, requires_grad=True) for values in first]
    betas, rotations, translation = unknowns
    optimiser = torch.optim.Adam(unknowns, lr=settings.learning_rate)
    energies = np.empty(settings.steps)
    for step in range(settings.steps):
        optimiser.zero_grad()
        value = energy(betas, rotations, translation, target, weight)
        value.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        energies[step] = value.item()
    shape = betas.detach().numpy()
    frames = zip(rotations.detach().numpy(), translation.detach().numpy(), strict=True)
    return AdamFit(tuple(BodyParameters(shape, vectors_rad, place) for vectors_rad, place in frames), energies)
