"""A body model in SMPL's format (Loper et al. 2015): a mesh deformed by shape coefficients and joint rotations."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.arrays import frozen
from rehab_pose.errors import ContractError
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

__all__ = ["JOINT_COUNT", "PARENTS", "BodyModel"]

PARENTS = np.array(SMPL_24.parents, dtype=np.int64)
"""(24) index of every joint's parent, -1 for the root."""
JOINT_COUNT = len(PARENTS)


@dataclass(frozen=True, eq=False)
class BodyModel:
    """The arrays of an SMPL model [m].

    At rest the arms are along +-x, y is up, the body faces +z and its left side is at +x.
    """

    model_id: str
    """Name and hash of the file, for the records computed with it."""
    v_template: NDArray[np.float32]
    """(V, 3) mean surface at rest [m]."""
    shapedirs: NDArray[np.float32]
    """(V, 3, B) change of the surface with a coefficient of one standard deviation [m]."""
    posedirs: NDArray[np.float32] | None
    """(V, 3, 207) correction for each entry of R_1..R_23 - I [m]; None where the model has none."""
    joint_regressor: NDArray[np.float64]
    """(24, V) joints as weighted sums of the surface at rest."""
    weights: NDArray[np.float32]
    """(V, 24) skinning weights; rows sum to 1."""
    faces: NDArray[np.int32]
    """(F, 3) vertex indices of every triangle, anticlockwise from outside."""
    part_labels: NDArray[np.uint8] | None
    """(F) LIP class of every triangle, for rendering; None where the file has none."""

    def __post_init__(self) -> None:
        """Check shapes, finite numbers, vertex indices and weights.

        Raises:
            ContractError: One is not valid.
        """
        count, joints = len(self.v_template), len(SMPL_24)
        checked = {
            "v_template": frozen("v_template", self.v_template, ("V", 3), np.float32),
            "shapedirs": frozen("shapedirs", self.shapedirs, (count, 3, "B"), np.float32),
            "joint_regressor": frozen("joint_regressor", self.joint_regressor, (joints, count), np.float64),
            "weights": frozen("weights", self.weights, (count, joints), np.float32),
            "faces": frozen("faces", self.faces, ("F", 3), np.int32),
        }
        if self.posedirs is not None:
            checked["posedirs"] = frozen("posedirs", self.posedirs, (count, 3, 9 * (joints - 1)), np.float32)
        if self.part_labels is not None:
            checked["part_labels"] = frozen("part_labels", self.part_labels, (len(self.faces),), np.uint8)
        for name, array in checked.items():
            object.__setattr__(self, name, array)
            if not np.isfinite(array).all():
                msg = f"{name}: expected finite numbers, got NaN or infinity"
                raise ContractError(msg)
        if self.faces.size == 0 or self.faces.min() < 0 or self.faces.max() >= count:
            msg = f"faces: expected vertex indices from 0 to {count - 1}"
            raise ContractError(msg)
        if not np.allclose(self.weights.sum(axis=1), 1.0, atol=1e-3):
            msg = "weights: expected rows that sum to 1"
            raise ContractError(msg)

    @property
    def shape_count(self) -> int:
        """Number of shape coefficients B."""
        return int(self.shapedirs.shape[2])

    def joints(self, betas: ArrayLike) -> NDArray[np.float64]:
        """Return the joints (24, 3) [m] at rest of the body with shape coefficients `betas` (at most B).

        J = (J_regressor v_template) + (J_regressor shapedirs) beta: no vertices are needed.
        """
        coefficients = self.padded_betas(betas)
        rest: NDArray[np.float64] = self.joint_template + self.joint_shapedirs @ coefficients
        return rest

    def padded_betas(self, betas: ArrayLike) -> NDArray[np.float64]:
        """Return all B shape coefficients, zero where `betas` is shorter.

        Raises:
            ContractError: There are more coefficients than the model has.
        """
        given = np.asarray(betas, dtype=np.float64)
        if given.ndim != 1 or len(given) > self.shape_count:
            msg = (
                f"betas: expected at most {self.shape_count} shape coefficients for {self.model_id}, got {given.shape}"
            )
            raise ContractError(msg)
        # np.pad costs more than a step of the fit, and most callers give all coefficients.
        return given if len(given) == self.shape_count else np.pad(given, (0, self.shape_count - len(given)))

    @cached_property
    def joint_template(self) -> NDArray[np.float64]:
        """(24, 3) joints of the mean body at rest [m]."""
        joints: NDArray[np.float64] = self.joint_regressor @ self.v_template.astype(np.float64)
        return joints

    @cached_property
    def joint_shapedirs(self) -> NDArray[np.float64]:
        """(24, 3, B) change of the joints at rest with a coefficient of one standard deviation [m]."""
        shapedirs = self.shapedirs.astype(np.float64)
        return np.asarray(np.einsum("jv,vcb->jcb", self.joint_regressor, shapedirs, optimize=True))

    @cached_property
    def skin(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """The joints that move each vertex (V, K) and their weights (V, K), K the largest number of any vertex."""
        count = int(np.count_nonzero(self.weights, axis=1).max())
        joints = np.argsort(-self.weights, axis=1, kind="stable")[:, :count]
        return np.ascontiguousarray(joints), np.ascontiguousarray(np.take_along_axis(self.weights, joints, axis=1))
