"""The exercises of the library that the network was not trained on, as classes that compete like added exercises.

They are learnt from simulated people by `rehab-pose-lab train library`: windows of each exercise in the space of
`rehab_pose.exercise.few_shot`. Where real movements in that space are the exercise itself, such as the lunges of a data
set, their prototypes are among its windows and do not compete with it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.array_file import usable_content
from rehab_pose.errors import ModelFileError
from rehab_pose.exercise.few_shot import stored_arrays

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["SHIPPED_CLASSES", "LibraryClasses"]

SHIPPED_CLASSES = Path(__file__).parent / "weights" / "library.npz"
"""Classes that belong to the shipped network."""
_MEMBERS = ("names", "points", "classes", "limits", "background", "same", "model_id")


@dataclass(frozen=True, eq=False)
class LibraryClasses:
    """Coordinates of windows of each exercise, and of windows that are none of them."""

    names: tuple[str, ...]
    """(C) names of the exercises."""
    points: tuple[NDArray[np.float32], ...]
    """(C) coordinates (N, D) of windows of each exercise."""
    limits: tuple[float, ...]
    """(C) a window farther than this from all windows of an exercise is not that exercise [standard deviations]."""
    background: NDArray[np.float32]
    """(M, D) coordinates of windows of the trained exercises from the same simulation."""
    same: tuple[str, ...]
    """Movements of the space that are one of the exercises and do not compete."""
    model_id: str
    """Network that it belongs to."""

    @property
    def entries(self) -> list[tuple[str, NDArray[np.float32], float]]:
        """Name, coordinates (N, D) and limit of each exercise, as `FewShotHead` takes them."""
        return list(zip(self.names, self.points, self.limits, strict=True))

    def without(self, names: frozenset[str]) -> LibraryClasses:
        """Return the classes without some of the exercises."""
        kept = [place for place, name in enumerate(self.names) if name not in names]
        return replace(
            self,
            names=tuple(self.names[place] for place in kept),
            points=tuple(self.points[place] for place in kept),
            limits=tuple(self.limits[place] for place in kept),
        )

    def save(self, path: Path) -> None:
        """Write the file; half precision is enough."""
        counts = [len(points) for points in self.points]
        np.savez_compressed(
            path,
            names=np.array(self.names),
            points=np.concatenate(self.points).astype(np.float16),
            classes=np.repeat(np.arange(len(counts)), counts),
            limits=np.array(self.limits, dtype=np.float64),
            background=self.background.astype(np.float16),
            same=np.array(self.same),
            model_id=self.model_id,
        )

    @classmethod
    def load(cls, path: Path = SHIPPED_CLASSES) -> LibraryClasses:
        """Read the file that `rehab-pose-lab train library` writes.

        Raises:
            ModelFileError: It is missing or damaged.
        """
        advice = "make it with `rehab-pose-lab train library`"
        stored = stored_arrays(path, _MEMBERS, advice)
        with usable_content(path, advice):
            return cls._of(path, stored, advice)

    @classmethod
    def _of(cls, path: Path, stored: dict[str, NDArray[Any]], advice: str) -> LibraryClasses:
        points, classes = stored["points"].astype(np.float32), stored["classes"]
        names = tuple(str(name) for name in stored["names"])
        background, limits = stored["background"].astype(np.float32), stored["limits"]
        shapes = points.ndim == 2 and background.shape[1:] == points.shape[1:] and classes.shape == (len(points),)
        finite = all(np.isfinite(array).all() for array in (points, background, limits))
        if not shapes or not finite or limits.shape != (len(names),) or set(classes.tolist()) != set(range(len(names))):
            msg = f"{path}: expected windows of {len(names)} exercises, got points {points.shape}; {advice}"
            raise ModelFileError(msg)
        return cls(
            names,
            tuple(points[classes == place] for place in range(len(names))),
            tuple(float(limit) for limit in limits),
            background,
            tuple(str(name) for name in stored["same"]),
            str(stored["model_id"]),
        )
