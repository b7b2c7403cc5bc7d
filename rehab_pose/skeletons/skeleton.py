"""Definition of a skeleton: ordered joint names and their parents."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.errors import ContractError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Skeleton"]


@dataclass(frozen=True)
class Skeleton:
    """Joint names in order, and the index of each joint's parent (-1 for the root; parents come before children)."""

    name: str
    joint_names: tuple[str, ...]
    parents: tuple[int, ...]

    def __post_init__(self) -> None:
        """Check that names are unique and parents come first.

        Raises:
            ContractError: Names are repeated, or a parent comes after its child.
        """
        if len(set(self.joint_names)) != len(self.joint_names) or len(self.parents) != len(self.joint_names):
            msg = f"skeleton {self.name}: expected unique joint names with one parent each"
            raise ContractError(msg)
        if any(not -1 <= parent < index for index, parent in enumerate(self.parents)):
            msg = f"skeleton {self.name}: expected every parent before its child, got {self.parents}"
            raise ContractError(msg)

    def __len__(self) -> int:
        """Return the number of joints."""
        return len(self.joint_names)

    def index(self, joint_name: str) -> int:
        """Return the index of a joint by name.

        Raises:
            ContractError: The skeleton has no such joint.
        """
        if joint_name not in self._index_by_name:
            msg = f"skeleton {self.name}: no joint {joint_name!r}; it has {', '.join(self.joint_names)}"
            raise ContractError(msg)
        return self._index_by_name[joint_name]

    @cached_property
    def _index_by_name(self) -> dict[str, int]:
        return {name: index for index, name in enumerate(self.joint_names)}

    @cached_property
    def bones(self) -> tuple[tuple[int, int], ...]:
        """Parent and child index of every bone."""
        return tuple((parent, child) for child, parent in enumerate(self.parents) if parent >= 0)

    @cached_property
    def mirror(self) -> NDArray[np.intp]:
        """Index (J) of each joint's counterpart on the other side; a joint on the midline is its own."""
        swap = {"left": "right", "right": "left"}
        partners = []
        for name in self.joint_names:
            side, _, rest = name.partition("_")
            partners.append(self.index(f"{swap[side]}_{rest}" if side in swap else name))
        return np.array(partners, dtype=np.intp)
