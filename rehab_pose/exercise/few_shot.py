"""Exercises that a user adds from a few recordings: windows in the network's embedding, compared with prototypes.

A window's coordinates are the network's embedding and simple statistics of its inputs (mean, standard deviation,
extremes), projected so that windows of one movement have about unit covariance (Fisher's discriminant). In them a
kernel density over the user's windows of each exercise competes with one over prototypes of all the movements that the
network was trained on, the trained exercises among them. Movements taught as `none` that the user's windows resemble
most do not compete: the user gives them a name.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.array_file import READ_ERRORS, read_arrays, usable_content
from rehab_pose.errors import ModelFileError
from rehab_pose.exercise.window_features import FEATURE_JOINTS, WINDOW_SAMPLES

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from numpy.typing import NDArray

__all__ = [
    "SHIPPED_SPACE",
    "AddedExercise",
    "FewShotHead",
    "FewShotSpace",
    "input_statistics",
    "load_added",
    "squared_distances",
    "stored_arrays",
]

SHIPPED_SPACE = Path(__file__).parent / "weights" / "few_shot.npz"
"""Projection and prototypes that belong to the shipped network."""
KERNEL_VARIANCE = 16.0
"""Variance of the kernel along each coordinate, in units of that of one movement's windows; chosen on movements of
UI-PRMD with networks that were not trained on the set."""
SAME_FRACTION = 0.2
"""Fraction of an exercise's windows that are nearest to a movement from which on it is the same; chosen by hand."""
TRAINED_SET = "kimore/"
"""Set of the trained exercises, which always compete."""
MAX_WINDOWS = 4000
"""Largest number of windows of one exercise in a file."""
MAX_BYTES = 64 << 20
"""Largest unpacked size of an array in a file [bytes]."""
STILL = -1
"""Number of the recording of a window in which nothing moves."""
FORMAT = 1
"""Version of the file."""
_EMPTY = 9.0
"""Beyond every input's limit; extremes over no sample are set to it."""


def input_statistics(features: NDArray[np.float32], present: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return mean, standard deviation, maximum and minimum (B, 4 F) of inputs (B, T, F) over present samples (B, T)."""
    valid = present[..., None]
    count = np.maximum(valid.sum(axis=1), 1.0)
    mean = (features * valid).sum(axis=1) / count
    std = np.sqrt((((features - mean[:, None]) * valid) ** 2).sum(axis=1) / count)
    highest = np.where(valid > 0, features, -_EMPTY).max(axis=1)
    lowest = np.where(valid > 0, features, _EMPTY).min(axis=1)
    return np.concatenate([mean, std, highest, lowest], axis=1).astype(np.float32)


def stored_arrays(path: Path, names: Sequence[str], advice: str) -> dict[str, NDArray[Any]]:
    """Return the arrays of a file, checked for names and size; nothing in it is executed.

    Args:
        path: The file.
        names: Arrays that it has to contain.
        advice: Advice for the user, for the error's message.

    Raises:
        ModelFileError: The file is missing, damaged or too large.
    """
    try:
        return read_arrays(path, names, max_bytes=MAX_BYTES)
    except READ_ERRORS as error:
        msg = f"{path}: expected the arrays {', '.join(names)}, got {error!r}; {advice}"
        raise ModelFileError(msg) from error


@dataclass(frozen=True, eq=False)
class FewShotSpace:
    """Projection of windows, and prototypes of the movements that the network was trained on."""

    centre: NDArray[np.float32]
    """(F) mean of embedding and statistics."""
    projection: NDArray[np.float32]
    """(F, D)."""
    background: NDArray[np.float32]
    """(K, D) prototypes."""
    movements: tuple[str, ...]
    """(K) movement of each prototype, with the name of its data set."""
    model_id: str
    """Network that it belongs to."""

    @classmethod
    def load(cls, path: Path = SHIPPED_SPACE) -> FewShotSpace:
        """Read the file that `rehab-pose-lab train few-shot` writes.

        Raises:
            ModelFileError: It is missing or damaged.
        """
        names = ("centre", "projection", "background", "movements", "model_id")
        advice = "make it with `rehab-pose-lab train few-shot`"
        stored = stored_arrays(path, names, advice)
        with usable_content(path, advice):
            return cls._of(path, names, stored)

    @classmethod
    def _of(cls, path: Path, names: Sequence[str], stored: dict[str, NDArray[Any]]) -> FewShotSpace:
        centre, projection, background = (np.asarray(stored[name], dtype=np.float32) for name in names[:3])
        movements = tuple(str(name) for name in stored["movements"])
        shapes = projection.shape == (len(centre), background.shape[-1]) and len(movements) == len(background)
        if not shapes or not all(np.isfinite(array).all() for array in (centre, projection, background)):
            msg = f"{path}: expected projection (F, D), got {projection.shape}; `rehab-pose-lab train few-shot` again"
            raise ModelFileError(msg)
        return cls(centre, projection, background, movements, str(stored["model_id"]))

    def resembled(self, coordinates: NDArray[Any]) -> tuple[str, ...]:
        """Return the movements taught as `none` that windows (N, D) of one exercise resemble most."""
        nearest = squared_distances(coordinates, self.background).argmin(axis=1)
        found = [self.movements[place] for place in nearest.tolist()]
        shares = {name: found.count(name) / len(found) for name in sorted(set(found))}
        return tuple(
            name for name, share in shares.items() if share >= SAME_FRACTION and not name.startswith(TRAINED_SET)
        )

    def coordinates(
        self, embedding: NDArray[np.float32], features: NDArray[np.float32], present: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Return coordinates (B, D) from the network's embedding (B, E) and inputs (B, T, F) with presence (B, T)."""
        values = np.concatenate([embedding, input_statistics(features, present)], axis=1)
        return np.asarray((values - self.centre) @ self.projection, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class AddedExercise:
    """One exercise that a user added: its windows, and their coordinates for one network."""

    name: str
    windows_m: NDArray[np.float32]
    """(N, T, J, 3) FEATURE_JOINTS, levelled: y down along gravity [m]; NaN = missing."""
    recordings: NDArray[np.int64]
    """(N) number of the recording that a window comes from; STILL = one frame held, which is `none`."""
    people: NDArray[np.int64]
    """(N) number of the person."""
    coordinates: NDArray[np.float32]
    """(N, D) for the network `model_id`."""
    limit: float
    """Windows whose nearest window of the exercise is farther than this are `none` [standard deviations]."""
    model_id: str

    @property
    def entry(self) -> tuple[str, NDArray[np.float32], float]:
        """Name, coordinates of the moving windows (M, D), and limit."""
        return self.name, self.coordinates[self.recordings != STILL], self.limit

    @property
    def still(self) -> NDArray[np.float32]:
        """Coordinates (S, D) of the windows in which a posture is held."""
        return np.asarray(self.coordinates[self.recordings == STILL])

    def save(self, path: Path) -> None:
        """Write the file."""
        np.savez_compressed(
            path,
            format=FORMAT,
            windows_m=self.windows_m.astype(np.float16),
            recordings=self.recordings,
            people=self.people,
            coordinates=self.coordinates.astype(np.float32),
            limit=self.limit,
            model_id=self.model_id,
        )


_MEMBERS = ("format", "windows_m", "recordings", "people", "coordinates", "limit", "model_id")


def load_added(path: Path) -> AddedExercise:
    """Return the exercise in a file of `rehab-pose exercise add`, whose name is that of the exercise.

    Raises:
        ModelFileError: The file is missing, damaged, or of another version.
    """
    advice = f"add it again: rehab-pose exercise add {path.stem}"
    stored = stored_arrays(path, _MEMBERS, advice)
    with usable_content(path, advice):
        return _added(path, stored, advice)


def _added(path: Path, stored: dict[str, NDArray[Any]], advice: str) -> AddedExercise:
    windows_m, coordinates = stored["windows_m"], stored["coordinates"]
    count = len(windows_m) if windows_m.ndim == 4 else 0
    shapes = windows_m.shape[1:] == (WINDOW_SAMPLES, len(FEATURE_JOINTS), 3) and 0 < count <= MAX_WINDOWS
    lengths = all(stored[name].shape[:1] == (count,) for name in ("recordings", "people", "coordinates"))
    numbers = stored["limit"].ndim == 0 and stored["limit"].dtype.kind == "f" and coordinates.ndim == 2
    finite = numbers and coordinates.dtype.kind == "f" and bool(np.isfinite(coordinates).all())
    if int(stored["format"]) != FORMAT or not (shapes and lengths and finite):
        msg = f"{path}: expected up to {MAX_WINDOWS} windows of version {FORMAT}, got {windows_m.shape}; {advice}"
        raise ModelFileError(msg)
    if (stored["recordings"] == STILL).all():
        msg = f"{path}: expected windows of a movement, got {count} in which a posture is held; {advice}"
        raise ModelFileError(msg)
    return AddedExercise(
        name=path.stem,
        windows_m=windows_m.astype(np.float32),
        recordings=stored["recordings"].astype(np.int64),
        people=stored["people"].astype(np.int64),
        coordinates=coordinates.astype(np.float32),
        limit=float(stored["limit"]),
        model_id=str(stored["model_id"]),
    )


def squared_distances(
    one: NDArray[Any], other: NDArray[Any], other_squares: NDArray[Any] | None = None
) -> NDArray[np.float64]:
    """Return squared distances (N, M) of points (N, D) and (M, D).

    Args:
        one: (N, D).
        other: (M, D).
        other_squares: (M) `squared_lengths` of the other points, where they were computed before.
    """
    if other_squares is None:
        other_squares = squared_lengths(other)
    squares = squared_lengths(one)[:, None] + other_squares[None] - 2.0 * one @ other.T
    return np.asarray(np.maximum(squares, 0.0), dtype=np.float64)


def squared_lengths(points: NDArray[Any]) -> NDArray[Any]:
    """Return the squared distances (N) of points (N, D) from the origin, in their own precision."""
    return np.asarray((points**2).sum(axis=1))


class FewShotHead:
    """Probabilities of the added exercises for windows."""

    def __init__(
        self,
        space: FewShotSpace,
        exercises: Sequence[tuple[str, NDArray[Any], float]],
        still: Sequence[NDArray[Any]] = (),
        same: Collection[str] | None = None,
    ) -> None:
        """Keep the coordinates of the exercises' windows.

        Args:
            space: Prototypes of the movements that the network was trained on.
            exercises: Name, coordinates (N, D) and limit of each added exercise.
            still: Coordinates (N, D) of people who hold a posture of these exercises, which is `none`.
            same: Movements of the space that do not compete; None = those that the exercises resemble.
        """
        self.names = tuple(name for name, _, _ in exercises)
        frozen = [np.asarray(points, dtype=np.float32) for points in still]
        if same is None:
            same = {name for _, points, _ in exercises for name in space.resembled(np.asarray(points))}
        kept = [place for place, name in enumerate(space.movements) if name not in same]
        none = np.concatenate([space.background[kept] if kept else space.background, *frozen])
        groups = [none, *(np.asarray(points, dtype=np.float32) for _, points, _ in exercises)]
        self._sizes = np.array([len(points) for points in groups])
        self._starts = np.cumsum(self._sizes) - self._sizes
        self._points = np.concatenate(groups)
        self._squares = squared_lengths(self._points)  # not again for every window
        self._limits = np.array([np.inf, *(limit for _, _, limit in exercises)])

    def probabilities(self, coordinates: NDArray[Any]) -> NDArray[np.float64]:
        """Return probabilities (B, 1 + U): of none of the added exercises, and of each of them."""
        squares = squared_distances(coordinates, self._points, self._squares)
        smallest = np.minimum.reduceat(squares, self._starts, axis=1)
        relative = np.exp((squares - np.repeat(smallest, self._sizes, axis=1)) / (-2.0 * KERNEL_VARIANCE))
        # The logarithm of the kernel density of each group, up to a constant.
        means = np.add.reduceat(relative, self._starts, axis=1) / self._sizes
        logits, is_near = np.log(means) - smallest / (2.0 * KERNEL_VARIANCE), smallest <= self._limits**2
        weights = np.exp(logits - logits.max(axis=1, keepdims=True)) * is_near
        weights[:, 0] += 1e-12  # where all others are too far away
        return np.asarray(weights / weights.sum(axis=1, keepdims=True), dtype=np.float64)
