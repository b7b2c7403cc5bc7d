"""The exercise network: windows of joints to calibrated probabilities of its labels and of the user's exercises."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from rehab_pose.errors import ModelFileError
from rehab_pose.exercise.catalogue import LABELS
from rehab_pose.exercise.exercise_library import user_folder
from rehab_pose.exercise.feature_streams import STREAMS, window_streams
from rehab_pose.exercise.few_shot import AddedExercise, FewShotHead, FewShotSpace, load_added
from rehab_pose.exercise.fused_network import corrected_probabilities
from rehab_pose.exercise.library_classes import LibraryClasses
from rehab_pose.exercise.network_metadata import INPUT_NAMES, check_metadata, input_metadata
from rehab_pose.exercise.window_features import body_frames
from rehab_pose.weights import Network, load_network

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose.exercise.window_features import BodyFrames

__all__ = ["SHIPPED_WEIGHTS", "Correct", "WindowClassifier"]

SHIPPED_WEIGHTS = Path(__file__).parent / "weights" / "exercise.onnx"
LEVEL_UP = np.array([0.0, -1.0, 0.0])
"""Against gravity in a levelled optical frame."""
BATCH = 256
"""Windows per call of the network."""
NEITHER = 0.5
"""Probability of none of the added exercises above which they do not make a window familiar."""


class Correct(Protocol):
    """Computes what other streams add to the answer of the joints."""

    def __call__(
        self, features: NDArray[np.float32], present: NDArray[np.float32], frames: BodyFrames, /
    ) -> NDArray[np.float64]:
        """Return what is added to calibrated logits (B, C).

        Args:
            features: (B, T, STREAM_COUNT) of the joints.
            present: (B, T).
            frames: `body_frames` of the joints.
        """


class WindowClassifier:
    """Classifies windows of joints with the network in one ONNX file."""

    def __init__(
        self,
        path: str = "",
        labels: Sequence[str] = LABELS,
        folder: str | Path | None = None,
        *,
        library: bool = False,
    ) -> None:
        """Load the weights and check that they fit this code.

        Args:
            path: ONNX file; empty = the shipped weights.
            labels: Labels that the file must have been trained for, `none` first.
            folder: Folder of the user's exercises; empty or None = the default, `user_folder()`.
            library: Whether to recognise the library's further exercises too; only with the shipped weights.

        Raises:
            ModelFileError: The file is missing, damaged, or was trained for other labels, inputs or rates; or the file
                of an added exercise is damaged.
        """
        self._network: Network = load_network(path or SHIPPED_WEIGHTS, INPUT_NAMES)
        metadata = self._network.metadata
        self.trained_labels = tuple(labels)
        """Labels of the network, `none` first."""
        check_metadata(
            self._network,
            input_metadata(self.trained_labels, "streams", STREAMS),
            f"exercise weights {path or SHIPPED_WEIGHTS}",
            "use weights trained for it, or train them: rehab-pose-lab train recognition",
        )
        self._temperature = float(metadata["temperature"])
        self._familiar_energy = float(metadata["familiar_energy"])
        self._space: FewShotSpace | None = None
        self._head: FewShotHead | None = None
        self._library = LibraryClasses.load() if library and not path else None
        files = sorted(Path(folder or user_folder()).glob("*.npz"))
        if files or self._library is not None:
            self.use([load_added(file) for file in files])

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels of the network, `none` first, then the library's further exercises and those that were added."""
        return self.trained_labels if self._head is None else (*self.trained_labels, *self._head.names)

    @property
    def space(self) -> FewShotSpace:
        """Space in which added exercises are compared.

        Raises:
            ModelFileError: The network has none: it is not the shipped one.
        """
        if self._space is None:
            space = FewShotSpace.load()
            if space.model_id != self.model_id or "embedding" not in self._outputs:
                msg = (
                    f"added exercises: expected the network {space.model_id}, got {self.model_id}; use the shipped "
                    "weights, or train the few-shot space for these: rehab-pose-lab train few-shot"
                )
                raise ModelFileError(msg)
            self._space = space
        return self._space

    @property
    def _outputs(self) -> list[str]:
        return [entry.name for entry in self._network.session.get_outputs()]

    def use(self, added: Sequence[AddedExercise]) -> None:
        """Recognise these exercises too; those added with other weights are embedded again.

        One with the name of an exercise of the library takes its place.

        Raises:
            ModelFileError: One has the name of a trained label, or the network has no embedding.
        """
        twice = sorted({exercise.name for exercise in added} & set(self.trained_labels))
        if twice:
            msg = f"added exercises: expected other names than the network's, got {', '.join(twice)}; rename them"
            raise ModelFileError(msg)
        current = []
        for exercise in added:
            width = self.space.projection.shape[1]
            known = exercise.model_id == self.model_id and exercise.coordinates.shape[1] == width
            points = exercise.coordinates if known else self.coordinates(exercise.windows_m)
            current.append(replace(exercise, coordinates=points, model_id=self.model_id))
        entries, still = [exercise.entry for exercise in current], [exercise.still for exercise in current]
        same = {name for _, points, _ in entries for name in self.space.resembled(points)}
        if self._library is not None:
            library = self._library.without(frozenset(exercise.name for exercise in current))
            if library.model_id != self.model_id:
                msg = (
                    f"exercises of the library: expected the network {library.model_id}, got {self.model_id}; make "
                    "them for these weights: rehab-pose-lab train library"
                )
                raise ModelFileError(msg)
            entries, still = [*library.entries, *entries], [library.background, *still]
            same |= set(library.same)
        self._head = FewShotHead(self.space, entries, still, same) if entries else None

    def coordinates(self, windows_m: NDArray[Any]) -> NDArray[np.float32]:
        """Return the coordinates (N, D) of levelled windows (N, T, J, 3) [m], y down along gravity."""
        found = []
        for start in range(0, len(windows_m), BATCH):
            windows = windows_m[start : start + BATCH]
            features, present = window_streams(windows, np.tile(LEVEL_UP, (len(windows), 1)))
            (embedding,) = self._network.session.run(["embedding"], {"features": features, "present": present})
            found.append(self.space.coordinates(embedding, features, present))
        return np.concatenate(found)

    @property
    def model_id(self) -> str:
        """Name and hash of the weights."""
        return self._network.model_id

    def logits(self, features: NDArray[np.float32], present: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return calibrated logits (B, C) of all labels from features (B, T, F) and presence (B, T).

        They are divided by the temperature that training fitted (Guo et al., ICML 2017).
        """
        (logits,) = self._network.session.run(["logits"], {"features": features, "present": present})
        return np.asarray(logits, dtype=np.float32) / np.float32(self._temperature)

    def classify(
        self, positions_m: NDArray[Any], up: NDArray[Any], correct: Correct | None = None
    ) -> tuple[NDArray[np.float64], bool]:
        """Return the probabilities (C) of one window, and whether the window is out of distribution.

        A window is out of distribution if its energy score (Liu et al., NeurIPS 2020), the log-sum-exp of its logits,
        is below the first percentile of the held-out windows in training.

        Args:
            positions_m: (T, J, 3) FEATURE_JOINTS at SAMPLE_RATE_HZ [m]; NaN = missing.
            up: (3) unit vector against gravity in the optical frame.
            correct: Computes what is added to the calibrated logits of the trained labels; it does not change what is
                familiar.
        """
        frames = body_frames(positions_m[None], up[None])
        features, present = window_streams(positions_m[None], up[None], frames=frames)
        correction = None if correct is None else correct(features, present, frames)[0]
        if self._head is None:
            scaled = self.logits(features, present)[0].astype(np.float64)
            energy = float(np.logaddexp.reduce(scaled))
            return _probabilities(scaled, correction), energy < self._familiar_energy
        inputs = {"features": features, "present": present}
        logits, embedding = self._network.session.run(["logits", "embedding"], inputs)
        scaled = logits[0].astype(np.float64) / self._temperature
        energy = float(np.logaddexp.reduce(scaled))
        added = self._head.probabilities(self.space.coordinates(embedding, features, present))[0]
        probabilities = np.concatenate([_probabilities(scaled, correction) * added[0], added[1:]])
        return probabilities, energy < self._familiar_energy and added[0] > NEITHER


def _probabilities(scaled: NDArray[np.float64], correction: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Return the probabilities (C) of calibrated logits (C) and what is added to them."""
    if correction is None:
        return np.asarray(np.exp(scaled - np.logaddexp.reduce(scaled)))
    return np.asarray(corrected_probabilities(scaled[None], correction[None])[0])
