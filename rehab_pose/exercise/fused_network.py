"""Correction of the joint network's answer by all streams of Eq 30: keypoints, contours, body and vertices as well.

The fused Transformer computes what is added to the logits of the joint network. It is limited and scaled by the
fraction of the joints' samples in which there is any other stream, so that without these streams the answer is
exactly that of the joints. The other streams may turn an exercise into another one or into `none`, never `none` into an
exercise: the joint network was taught many more movements that are none, so what it keeps out stays out.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.errors import ModelFileError
from rehab_pose.exercise.catalogue import LABELS
from rehab_pose.exercise.fused_features import FUSED_STREAMS, VERTEX_COUNT, coverage, fused_features
from rehab_pose.exercise.network_metadata import INPUT_NAMES, check_metadata, input_metadata
from rehab_pose.weights import load_network

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose.exercise.fused_features import Findings
    from rehab_pose.exercise.window_features import BodyFrames

__all__ = ["CORRECTION_LIMIT", "SHIPPED_WEIGHTS", "FusedNetwork", "corrected_probabilities"]

SHIPPED_WEIGHTS = Path(__file__).parent / "weights" / "exercise_fused.onnx"
MIN_PROBABILITY = 1e-12
"""Lower bound of a divisor."""
CORRECTION_LIMIT = 4.0
"""Largest absolute correction of a logit: images of unusual clothes or rooms do not overrule joints that are sure."""


class FusedNetwork:
    """Computes corrections of logits from all streams with the network in one ONNX file."""

    def __init__(self, path: str | Path = "", labels: Sequence[str] = LABELS) -> None:
        """Load the weights and check that they fit this code.

        Args:
            path: ONNX file; empty = the shipped weights.
            labels: Labels of the joint network, `none` first.

        Raises:
            ModelFileError: The file is missing, damaged, or was trained for other labels, streams or rates.
        """
        self._network = load_network(path or SHIPPED_WEIGHTS, INPUT_NAMES)
        metadata = self._network.metadata
        check_metadata(
            self._network,
            input_metadata(labels, "fused_streams", FUSED_STREAMS),
            f"fused weights {path or SHIPPED_WEIGHTS}",
            "train them for it: rehab-pose-lab train fused",
        )
        self.labels = tuple(labels)
        """Labels whose logits are corrected."""
        self.vertices: NDArray[np.int64] = np.array([int(index) for index in metadata["vertices"].split(",")])
        """(VERTEX_COUNT) indices of the vertices that the network uses."""
        if len(self.vertices) != VERTEX_COUNT:
            msg = f"fused weights {path or SHIPPED_WEIGHTS}: expected {VERTEX_COUNT} vertices, got {len(self.vertices)}"
            raise ModelFileError(msg)
        self.body_model = metadata["body_model"]
        """Name of the body model that the vertices belong to."""

    @property
    def model_id(self) -> str:
        """Name and hash of the weights."""
        return self._network.model_id

    def corrections(
        self,
        positions_m: NDArray[Any],
        up: NDArray[Any],
        findings: Findings,
        joints: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None,
        frames: BodyFrames | None = None,
    ) -> NDArray[np.float64]:
        """Return what is added to the joint network's calibrated logits (B, C), 0 where no other stream is there.

        Args:
            positions_m: (B, T, J, 3) FEATURE_JOINTS at SAMPLE_RATE_HZ [m]; NaN = missing.
            up: (B, 3) unit vector against gravity in the same frame.
            findings: Results of the other stages at the same times.
            joints: `window_streams` of the joints, where that was computed before.
            frames: `body_frames` of the joints, likewise.
        """
        features, present = fused_features(positions_m, up, findings, joints, frames)
        covered = coverage(features, present)
        if not covered.any():
            return np.zeros((len(covered), len(self.labels)))
        (raw,) = self._network.session.run(["correction"], {"features": features, "present": present})
        return limited(raw) * covered[:, None]


def corrected_probabilities(logits: NDArray[np.float64], corrections: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probabilities (B, C) of all streams; that of `none`, the first, is at least that of the joints.

    Args:
        logits: (B, C) calibrated logits of the joints.
        corrections: (B, C) of `FusedNetwork.corrections`.
    """
    of_joints, fused = (
        np.exp(values - np.logaddexp.reduce(values, axis=1)[:, None]) for values in (logits, logits + corrections)
    )
    fallen = fused[:, 0] < of_joints[:, 0]
    scale = (1.0 - of_joints[fallen, :1]) / np.maximum(1.0 - fused[fallen, :1], MIN_PROBABILITY)
    fused[fallen, 1:] *= scale
    fused[fallen, 0] = of_joints[fallen, 0]
    return np.asarray(fused)


def limited(raw: NDArray[Any]) -> NDArray[np.float64]:
    """Return values within +- CORRECTION_LIMIT, nearly unchanged while they are small."""
    return np.asarray(CORRECTION_LIMIT * np.tanh(np.asarray(raw, dtype=np.float64) / CORRECTION_LIMIT))
