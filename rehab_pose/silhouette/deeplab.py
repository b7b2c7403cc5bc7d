"""Segmentation of people by DeepLab on the colour image, as in Ashraf et al. (2025), Eq 1-7."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from rehab_pose.errors import ContractError
from rehab_pose.silhouette.depth_encoding import sample_rows_and_columns
from rehab_pose.weights import explain_missing_torch

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

__all__ = ["DEFAULT_LONG_SIDE_PX", "DeepLabPeople"]

PERSON_CLASS = 15
"""Index of `person` in the 21 classes of Pascal VOC; 0 = background."""
DEFAULT_LONG_SIDE_PX = 257
"""Longer side of the network's input [px], one more than a multiple of the output stride as the papers recommend.

The published networks were trained on 513; half of that costs a quarter and is more than the reduced image has."""


class DeepLabPeople:
    """Estimates the probability of a person for each pixel."""

    def __init__(
        self, path: str | os.PathLike[str], device: str = "cpu", long_side_px: int = DEFAULT_LONG_SIDE_PX
    ) -> None:
        """Load the network.

        Args:
            path: A checkpoint in one of the layouts of `load_deeplab`.
            device: `cpu`, `cuda` or `cuda:N`; a GPU computes in half precision.
            long_side_px: The image is resized so that its longer side has this many pixels.

        Raises:
            ModelFileError: The checkpoint cannot be used.
            SettingsError: The device does not exist.
            MissingDependencyError: PyTorch is not installed.
        """
        with explain_missing_torch("silhouette by DeepLab", "choose another method"):
            from rehab_pose.checkpoints import TorchNetwork  # noqa: PLC0415  (torch is slow to load)
            from rehab_pose.silhouette.deeplab_checkpoint import load_deeplab  # noqa: PLC0415
        self._network = TorchNetwork(load_deeplab(path, device), path, device)
        self._long_side_px = long_side_px

    @property
    def model_id(self) -> str:
        """Name and hash of the weights."""
        return self._network.model_id

    def people_probability(self, color: NDArray[np.uint8], width_px: int, height_px: int) -> NDArray[np.float32]:
        """Return the probability of a person (height_px, width_px), 0 where another class is more probable.

        `> 0` is therefore the rule of Eq 3-4 (the most probable class is the person); a higher threshold is stricter.

        Args:
            color: (H, W, 3) RGB.
            width_px: Width of the result, which covers the full image.
            height_px: Height of the result.

        Raises:
            ContractError: The image has another shape or dtype.
        """
        if color.ndim != 3 or color.shape[2] != 3 or color.dtype != np.uint8 or not color.size:
            msg = f"DeepLabPeople: expected colour (H, W, 3) uint8, got {color.shape} {color.dtype}"
            raise ContractError(msg)
        height, width = color.shape[:2]
        scale = self._long_side_px / max(height, width)
        size_px = max(1, round(width * scale)), max(1, round(height * scale))
        # Area averaging when shrinking and linear interpolation when enlarging create no edges.
        resized = cv2.resize(color, size_px, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        probabilities = self._network.probabilities(resized.astype(np.uint8))
        person = probabilities[PERSON_CLASS]
        person = np.where(person >= probabilities.max(axis=0), person, np.float32(0.0))
        # Nearest neighbour to the size of the result (Eq 7).
        rows, columns = sample_rows_and_columns(*size_px, width_px, height_px)
        result: NDArray[np.float32] = np.ascontiguousarray(person[np.ix_(rows, columns)], dtype=np.float32)
        return result
