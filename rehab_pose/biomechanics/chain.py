"""A kinematic chain: segments connected by rotational degrees of freedom with limits.

A joint's rotation is R_j = R_parent rest_j exp(a_1 phi_1) exp(a_2 phi_2) ..., phi_k = fraction_k x_k: several joints
may depend on one unknown, as those of the lumbar spine do. The unknowns x of a pose are the root's translation (3) [m],
a rotation vector of the root (3) [rad] on the right of a base rotation, and the angles (n) [rad].
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rehab_pose.arrays import frozen
from rehab_pose.errors import ModelFileError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ROOT_UNKNOWNS", "Chain", "ChainArrays", "Freedom", "chain_from_rest"]

ROOT_UNKNOWNS = 6
"""Translation and rotation vector of the root."""


class ChainArrays(NamedTuple):
    """A chain as arrays for compiled code: J joints, K freedoms."""

    parents: NDArray[np.int64]
    """(J), -1 for the root, parents first."""
    offsets_m: NDArray[np.float64]
    """(J, 3) from the parent, in the parent's axes [m]."""
    rest: NDArray[np.float64]
    """(J, 3, 3) parent_from_joint with all angles zero."""
    freedom_start: NDArray[np.int64]
    """(J + 1) joint j has the freedoms from freedom_start[j] to freedom_start[j + 1] - 1."""
    axes: NDArray[np.float64]
    """(K, 3) unit vectors, in the joint's axes after its earlier freedoms."""
    unknown: NDArray[np.int64]
    """(K) index of the unknown that rotates it."""
    fraction: NDArray[np.float64]
    """(K) factor on the unknown."""


@dataclass(frozen=True)
class Freedom:
    """One rotation at a joint."""

    joint: str
    axis: tuple[float, float, float]
    angle: str
    """Name of the angle that rotates it."""
    fraction: float = 1.0
    """Factor on the angle."""


@dataclass(frozen=True, eq=False)
class Chain:
    """Joints, rest pose and degrees of freedom."""

    name: str
    joint_names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets_m: NDArray[np.float64]
    """(J, 3) from the parent, in the parent's axes [m]."""
    rest: NDArray[np.float64]
    """(J, 3, 3) parent_from_joint with all angles zero."""
    freedoms: tuple[Freedom, ...]
    """In the order in which they are applied at each joint."""
    angle_names: tuple[str, ...]
    lower_rad: NDArray[np.float64]
    """(n) lower limits of the angles."""
    upper_rad: NDArray[np.float64]
    """(n) upper limits."""
    centre_rad: NDArray[np.float64]
    """(n) mean of each angle before anything is measured."""
    std_rad: NDArray[np.float64]
    """(n) its standard deviation."""

    def __post_init__(self) -> None:
        """Check shapes, names and limits.

        Raises:
            ModelFileError: A freedom names an unknown joint or angle, or a lower limit is not below its upper one.
        """
        count, angles = len(self.joint_names), len(self.angle_names)
        object.__setattr__(self, "offsets_m", frozen("Chain.offsets_m", self.offsets_m, (count, 3), np.float64))
        object.__setattr__(self, "rest", frozen("Chain.rest", self.rest, (count, 3, 3), np.float64))
        for name in ("lower_rad", "upper_rad", "centre_rad", "std_rad"):
            object.__setattr__(self, name, frozen(f"Chain.{name}", getattr(self, name), (angles,), np.float64))
        if not (self.lower_rad < self.upper_rad).all():
            msg = f"chain {self.name}: expected every lower limit below the upper one"
            raise ModelFileError(msg)
        for freedom in self.freedoms:
            if freedom.joint not in self.joint_names or freedom.angle not in self.angle_names:
                msg = f"chain {self.name}: {freedom} names a joint or an angle that the chain does not have"
                raise ModelFileError(msg)

    @cached_property
    def arrays(self) -> ChainArrays:
        """The chain as plain arrays."""
        order = sorted(range(len(self.freedoms)), key=lambda k: self.joint_names.index(self.freedoms[k].joint))
        freedoms = [self.freedoms[k] for k in order]
        joints = [self.joint_names.index(freedom.joint) for freedom in freedoms]
        return ChainArrays(
            parents=np.array(self.parents, dtype=np.int64),
            offsets_m=np.array(self.offsets_m),
            rest=np.array(self.rest),
            freedom_start=np.searchsorted(joints, np.arange(len(self.joint_names) + 1)).astype(np.int64),
            axes=np.array([freedom.axis for freedom in freedoms], dtype=np.float64).reshape(-1, 3),
            unknown=np.array([self.angle_names.index(f.angle) + ROOT_UNKNOWNS for f in freedoms], dtype=np.int64),
            fraction=np.array([freedom.fraction for freedom in freedoms], dtype=np.float64),
        )

    @cached_property
    def lower(self) -> NDArray[np.float64]:
        """(6 + n) lower limits of all unknowns; the root has none."""
        return np.concatenate([np.full(ROOT_UNKNOWNS, -np.inf), self.lower_rad])

    @cached_property
    def upper(self) -> NDArray[np.float64]:
        """(6 + n) upper limits of all unknowns."""
        return np.concatenate([np.full(ROOT_UNKNOWNS, np.inf), self.upper_rad])

    def index(self, joint_name: str) -> int:
        """Return the index of a joint.

        Raises:
            ModelFileError: The chain has no joint of this name.
        """
        if joint_name not in self.joint_names:
            msg = f"chain {self.name}: no joint {joint_name!r}; it has {', '.join(self.joint_names)}"
            raise ModelFileError(msg)
        return self.joint_names.index(joint_name)


def chain_from_rest(  # noqa: PLR0913, PLR0917  (the parts of a chain)
    name: str,
    joint_names: tuple[str, ...],
    parents: tuple[int, ...],
    positions_m: NDArray[np.float64],
    rotations: NDArray[np.float64],
    freedoms: tuple[Freedom, ...],
    limits_rad: dict[str, tuple[float, float]],
    expected_rad: dict[str, tuple[float, float]] | None = None,
) -> Chain:
    """Return the chain with a given rest pose.

    Args:
        name: Of the chain.
        joint_names: (J).
        parents: (J) index of each joint's parent, -1 for the root, parents first.
        positions_m: (J, 3) joints at rest in the world [m].
        rotations: (J, 3, 3) world_from_joint at rest.
        freedoms: The degrees of freedom, in the order in which they are applied at each joint.
        limits_rad: Lower and upper limit of each angle, in order.
        expected_rad: Mean and standard deviation of some angles; the others get those of a uniform distribution over
            their limits.
    """
    expected_rad = expected_rad or {}
    offsets, rest = np.zeros_like(positions_m), np.array(rotations)
    for joint, parent in enumerate(parents):
        if parent >= 0:
            offsets[joint] = rotations[parent].T @ (positions_m[joint] - positions_m[parent])
            rest[joint] = rotations[parent].T @ rotations[joint]
    lower, upper = np.array(list(limits_rad.values()), dtype=np.float64).reshape(-1, 2).T
    centre, std = 0.5 * (lower + upper), (upper - lower) / np.sqrt(12.0)
    for angle, (mean, deviation) in expected_rad.items():
        place = list(limits_rad).index(angle)
        centre[place], std[place] = mean, deviation
    return Chain(
        name=name,
        joint_names=joint_names,
        parents=parents,
        offsets_m=offsets,
        rest=rest,
        freedoms=freedoms,
        angle_names=tuple(limits_rad),
        lower_rad=lower,
        upper_rad=upper,
        centre_rad=centre,
        std_rad=std,
    )
