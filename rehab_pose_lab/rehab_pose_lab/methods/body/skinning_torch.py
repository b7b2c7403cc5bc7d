"""The body in torch: joints and surface of a batch of poses, differentiable by shape, rotations and translation.

The same M(beta, theta) = W(T_P(beta, theta), J(beta), theta, w) as `skinning` (Loper et al. 2015, Eq 2-9). It
serves clips, training, and the published solver (`adam_torch`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
import torch

from rehab_pose.errors import ContractError
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.methods.body.back_end_torch import PosedSurface, shape_size

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose_lab.methods.body.back_end_torch import TorchBackEnd

__all__ = ["BackEnd", "TorchBody", "rotation_matrices", "torch_body"]

BackEnd = Literal["native", "smplx"]
"""Which code poses the body: this file, or the `smplx` package if it is installed."""
SMALL_ANGLE_SQUARED = 1e-6
"""Below this squared angle the series of sin(a)/a and (1-cos(a))/a^2 are used [rad^2]; their error is below 1e-21."""


def torch_body(
    model: BodyModel,
    back_end: BackEnd = "native",
    *,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str = "cpu",
) -> TorchBackEnd:
    """Return a body in torch.

    Args:
        model: The model; any file that `load_body_model` reads.
        back_end: `native`, or `smplx`, whose licence allows non-commercial research only.
        dtype: Of all tensors.
        device: Of all tensors.

    Raises:
        MissingDependencyError: `smplx` is asked for and not installed.
        ContractError: There is no such back end.
    """
    if back_end not in get_args(BackEnd):
        msg = f"back end: expected {' or '.join(get_args(BackEnd))}, got {back_end!r}"
        raise ContractError(msg)
    if back_end == "smplx":
        from rehab_pose_lab.methods.body.smplx_backend_torch import SmplxBody  # noqa: PLC0415  (only where it is asked for)

        return SmplxBody(model, dtype=dtype, device=device)
    return TorchBody(model, dtype=dtype, device=device)


def rotation_matrices(rotations_rad: torch.Tensor) -> torch.Tensor:
    """Return exp of rotation vectors (..., 3) [rad] as matrices (..., 3, 3), with finite derivatives at zero too."""
    square = (rotations_rad * rotations_rad).sum(dim=-1)[..., None, None]
    small = square < SMALL_ANGLE_SQUARED
    # Both branches of `where` are differentiated: the unused one must stay finite.
    safe = torch.where(small, torch.ones_like(square), square)
    angle = safe.sqrt()
    sine = torch.where(small, 1.0 - square / 6.0 + square * square / 120.0, angle.sin() / angle)
    half = (0.5 * angle).sin()
    cosine = torch.where(small, 0.5 - square / 24.0 + square * square / 720.0, 2.0 * half * half / safe)
    x, y, z = rotations_rad.unbind(dim=-1)
    zero = torch.zeros_like(x)
    skew = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], dim=-1).reshape(*rotations_rad.shape[:-1], 3, 3)
    identity = torch.eye(3, dtype=rotations_rad.dtype, device=rotations_rad.device)
    matrices: torch.Tensor = identity + sine * skew + cosine * (skew @ skew)
    return matrices


def _levels() -> list[tuple[slice, list[int]]]:
    """Return, for each generation of joints below the root, its place and its parents' places in the one above.

    SMPL numbers its joints generation after generation, so one generation is one multiplication.
    """
    depth = np.zeros(len(SMPL_24), dtype=np.int64)
    for joint, parent in enumerate(SMPL_24.parents):
        depth[joint] = 0 if parent < 0 else depth[parent] + 1
    starts = np.searchsorted(depth, np.arange(depth.max() + 2))
    return [
        (
            slice(int(starts[level]), int(starts[level + 1])),
            [SMPL_24.parents[joint] - int(starts[level - 1]) for joint in range(starts[level], starts[level + 1])],
        )
        for level in range(1, int(depth.max()) + 1)
    ]


LEVELS = _levels()
BONE_PARENTS = [0, *SMPL_24.parents[1:]]


class TorchBody:
    """The native back end."""

    def __init__(
        self, model: BodyModel, *, dtype: torch.dtype = torch.float64, device: torch.device | str = "cpu"
    ) -> None:
        """Copy the model's arrays into tensors."""
        self._model = model

        def tensor(values: NDArray[np.floating]) -> torch.Tensor:
            return torch.tensor(np.asarray(values), dtype=dtype, device=device)

        self._joint_template = tensor(model.joint_template)
        self._joint_shapedirs = tensor(model.joint_shapedirs)
        self._template = tensor(model.v_template)
        self._shapedirs = tensor(model.shapedirs)
        self._posedirs = None if model.posedirs is None else tensor(model.posedirs)
        self._weights = tensor(model.weights)

    @property
    def model(self) -> BodyModel:
        """The model that is posed."""
        return self._model

    def rest_joints(self, betas: torch.Tensor) -> torch.Tensor:
        """Return the joints at rest (..., 24, 3) [m] for shape coefficients (..., n)."""
        return self._joint_template + torch.einsum(
            "jcb,...b->...jc", self._joint_shapedirs[..., : shape_size(self._model, betas)], betas
        )

    def rest_surface(self, betas: torch.Tensor) -> torch.Tensor:
        """Return the surface at rest (..., V, 3) [m], without pose corrections."""
        return self._template + torch.einsum(
            "vcb,...b->...vc", self._shapedirs[..., : shape_size(self._model, betas)], betas
        )

    def chain(
        self, rest_m: torch.Tensor, local: torch.Tensor, translation_m: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return posed joints (..., 24, 3) [m] and their global rotations (..., 24, 3, 3).

        R_k = R_parent(k) local_k, p_k = p_parent(k) + R_parent(k) (J_k - J_parent(k)).

        Args:
            rest_m: (..., 24, 3) joints at rest.
            local: (..., 24, 3, 3) rotation of each joint relative to its parent.
            translation_m: (..., 3).
        """
        bones = rest_m - rest_m[..., BONE_PARENTS, :]
        positions = [rest_m[..., :1, :] + translation_m[..., None, :]]
        rotations = [local[..., :1, :, :]]
        for place, above in LEVELS:
            parent_rotation = rotations[-1][..., above, :, :]
            step = (parent_rotation @ bones[..., place, :, None])[..., 0]
            positions.append(positions[-1][..., above, :] + step)
            rotations.append(parent_rotation @ local[..., place, :, :])
        batch = positions[-1].shape[:-2]
        return (
            torch.cat([part.expand(*batch, -1, -1) for part in positions], dim=-2),
            torch.cat(rotations, dim=-3),
        )

    def joints(self, betas: torch.Tensor, rotations_rad: torch.Tensor, translation_m: torch.Tensor) -> torch.Tensor:
        """Return the posed joints (..., 24, 3) [m]; no vertex is touched: J = (J_r v) + (J_r S) beta."""
        return self.chain(self.rest_joints(betas), rotation_matrices(rotations_rad), translation_m)[0]

    def surface(self, betas: torch.Tensor, rotations_rad: torch.Tensor, translation_m: torch.Tensor) -> PosedSurface:
        """Return the posed surface (..., V, 3) and joints (..., 24, 3) [m]: linear blend skinning."""
        local = rotation_matrices(rotations_rad)
        rest = self.rest_joints(betas)
        positions, rotations = self.chain(rest, local, translation_m)
        vertices = self.rest_surface(betas)
        if self._posedirs is not None:
            # SMPL's pose correction B_P = sum_n (R_n(theta) - I) P_n, joints 1 to 23 row by row (Eq 9).
            features = (local[..., 1:, :, :] - torch.eye(3, dtype=local.dtype, device=local.device)).flatten(-3)
            vertices = vertices + torch.einsum("vcn,...n->...vc", self._posedirs, features)
        shift = positions - (rotations @ rest[..., None])[..., 0]
        motions = torch.cat([rotations, shift[..., None]], dim=-1).flatten(-2)
        blended = (self._weights @ motions).reshape(*motions.shape[:-2], -1, 3, 4)
        posed = (blended[..., :3] @ vertices[..., None])[..., 0] + blended[..., 3]
        return PosedSurface(posed, positions)
