"""The objective of `energy` in torch, for clips: the same value, differentiated by torch.

`through="mesh"` is the published method: every evaluation poses the mesh and evaluates Eq 28 on it.
`through="joints"` is the short one: the kinematic chain, and Eq 28 as the quadratic in the shape that it is at rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from rehab_pose_lab.methods.body.energy import EnergyWeights, laplacian_quadratic, neighbour_pairs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose_lab.methods.body.back_end_torch import TorchBackEnd
    from rehab_pose_lab.methods.body.mixture import MixturePrior

__all__ = ["Through", "TorchEnergy", "TorchMixture"]

Through = Literal["joints", "mesh"]


class TorchMixture:
    """The mixture pose prior as tensors."""

    def __init__(self, prior: MixturePrior, *, dtype: torch.dtype, device: torch.device | str = "cpu") -> None:
        """Copy means, whitening and scales."""
        self._means = torch.tensor(prior.means, dtype=dtype, device=device)
        self._whitening = torch.tensor(prior.whitening, dtype=dtype, device=device)
        self._log_scales = torch.tensor(prior.log_scales, dtype=dtype, device=device)

    def energy(self, theta: torch.Tensor) -> torch.Tensor:
        """Return -log p (...) of poses (..., 69) [rad]."""
        white = (self._whitening @ (theta[..., None, :] - self._means)[..., None])[..., 0]
        return -torch.logsumexp(self._log_scales - 0.5 * (white * white).sum(dim=-1), dim=-1)


class TorchEnergy:
    """The objective of a clip of one person, or of several."""

    def __init__(
        self,
        body: TorchBackEnd,
        prior: MixturePrior,
        weights: EnergyWeights | None = None,
        *,
        through: Through = "joints",
        dtype: torch.dtype = torch.float64,
        device: torch.device | str = "cpu",
    ) -> None:
        """Compute the parts that do not depend on the unknowns.

        Args:
            body: Poses the body; its dtype and device must be those given here.
            prior: The mixture.
            weights: Of the terms.
            through: What every evaluation poses.
            dtype: Of all tensors.
            device: Of all tensors.
        """

        def tensor(values: NDArray[np.float64]) -> torch.Tensor:
            return torch.tensor(values, dtype=dtype, device=device)

        self.body = body
        self.weights = weights or EnergyWeights()
        self.through: Through = through
        self._mixture = TorchMixture(prior, dtype=dtype, device=device)
        quadratic = laplacian_quadratic(body.model)
        self._matrix, self._linear = tensor(quadratic.matrix), tensor(quadratic.linear)
        self._constant = quadratic.constant
        self._difference = _difference_matrix(body, dtype, device) if through == "mesh" else None

    def __call__(
        self,
        betas: torch.Tensor,
        rotations_rad: torch.Tensor,
        translation_m: torch.Tensor,
        target_m: torch.Tensor,
        joint_weight: torch.Tensor,
    ) -> torch.Tensor:
        """Return E (...): leading dimensions before the frames are clips of other people.

        Args:
            betas: (..., n).
            rotations_rad: (..., T, 24, 3).
            translation_m: (..., T, 3).
            target_m: (..., T, 24, 3) measured joints [m]; not read where the weight is 0.
            joint_weight: (..., T, 24) [1/m^2], 0 = missing.
        """
        weights = self.weights
        shape = betas[..., None, :]
        if self._difference is not None:
            surface = self.body.surface(shape, rotations_rad, translation_m)
            positions = surface.joints_m
            roughness = _posed_roughness(self._difference, surface.vertices_m)
        else:
            positions = self.body.joints(shape, rotations_rad, translation_m)
            roughness = self._rest_roughness(betas)
        offset = torch.where(joint_weight[..., None] > 0.0, positions - target_m.nan_to_num(), 0.0)
        joints = (joint_weight[..., None] * offset * offset).sum(dim=(-3, -2, -1))
        steps = (positions[..., 1:, :, :] - positions[..., :-1, :, :]).square().sum(dim=(-3, -2, -1))
        pose = self._mixture.energy(rotations_rad[..., 1:, :].flatten(-2)).sum(dim=-1)
        total: torch.Tensor = (
            weights.joints * joints
            + weights.pose * pose
            + weights.shape * betas.square().sum(dim=-1)
            + weights.smoothness * steps
            + weights.laplacian * roughness
        )
        return total

    def _rest_roughness(self, betas: torch.Tensor) -> torch.Tensor:
        count = betas.shape[-1]
        product = betas @ self._matrix[:count, :count]
        roughness: torch.Tensor = (betas * (product + 2.0 * self._linear[:count])).sum(dim=-1) + self._constant
        return roughness


def _posed_roughness(difference: torch.Tensor, vertices_m: torch.Tensor) -> torch.Tensor:
    """Return Eq 28 (...) on the posed surfaces (..., T, V, 3), the mean over the frames [m^2]."""
    columns = vertices_m.movedim(-2, 0).flatten(1)
    apart = torch.sparse.mm(difference, columns).square().sum(dim=0)
    roughness: torch.Tensor = apart.reshape(*vertices_m.shape[:-2], 3).sum(dim=-1).mean(dim=-1)
    return roughness


def _difference_matrix(body: TorchBackEnd, dtype: torch.dtype, device: torch.device | str) -> torch.Tensor:
    """Return the sparse matrix (V, V) that takes vertices to their distance from their neighbours' mean."""
    vertex, neighbour, fraction = neighbour_pairs(body.model)
    used = np.unique(vertex)
    places = np.stack([np.concatenate([used, vertex]), np.concatenate([used, neighbour])])
    values = np.concatenate([np.ones(len(used)), -fraction])
    count = len(body.model.v_template)
    return torch.sparse_coo_tensor(
        torch.tensor(places), torch.tensor(values, dtype=dtype), (count, count), device=device, check_invariants=True
    ).coalesce()
