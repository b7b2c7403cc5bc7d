"""The interface of the bodies in torch, `TorchBody` and `SmplxBody`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from rehab_pose.errors import ContractError

if TYPE_CHECKING:
    import torch

    from rehab_pose.body.model import BodyModel

__all__ = ["PosedSurface", "TorchBackEnd", "shape_size"]


class PosedSurface(NamedTuple):
    """Result of skinning all vertices."""

    vertices_m: torch.Tensor
    """(..., V, 3) [m]."""
    joints_m: torch.Tensor
    """(..., 24, 3) [m]."""


class TorchBackEnd(Protocol):
    """A body that torch can differentiate. Leading dimensions of the arguments are batches and broadcast.

    `betas` is (..., n) with n at most the model's, `rotations_rad` (..., 24, 3), `translation_m` (..., 3).
    """

    @property
    def model(self) -> BodyModel:
        """The model that is posed."""
        ...

    def joints(self, betas: torch.Tensor, rotations_rad: torch.Tensor, translation_m: torch.Tensor) -> torch.Tensor:
        """Return the posed joints (..., 24, 3) [m]."""
        ...

    def surface(self, betas: torch.Tensor, rotations_rad: torch.Tensor, translation_m: torch.Tensor) -> PosedSurface:
        """Return the posed surface and joints [m]."""
        ...


def shape_size(model: BodyModel, betas: torch.Tensor) -> int:
    """Return the number n of shape coefficients (..., n).

    Raises:
        ContractError: There are more than the model has.
    """
    count = int(betas.shape[-1])
    if count > model.shape_count:
        msg = f"betas: expected at most {model.shape_count} shape coefficients for {model.model_id}, got {count}"
        raise ContractError(msg)
    return count
