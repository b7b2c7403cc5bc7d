"""Labelling of body parts by a human parsing network on the colour image, as in Ashraf et al. (2025), Eq 13."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from rehab_pose.weights import explain_missing_torch

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from rehab_pose.datatypes import Silhouette

__all__ = ["PersonParser"]

INPUT_PX = 256
"""Width and height of the network's input, as in the training of the published networks, which did not keep the aspect
ratio either [px]."""


class PersonParser:
    """Labels the pixels of a person with the 20 classes of LIP."""

    def __init__(self, path: str | os.PathLike[str], device: str = "cpu") -> None:
        """Load the network.

        Args:
            path: A checkpoint of Single-Human-Parsing-LIP.
            device: `cpu`, `cuda` or `cuda:N`.

        Raises:
            ModelFileError: The checkpoint cannot be used.
            SettingsError: The device does not exist.
            MissingDependencyError: PyTorch is not installed.
        """
        with explain_missing_torch("parts by the method psp", "choose the method joints"):
            from rehab_pose.checkpoints import TorchNetwork  # noqa: PLC0415  (torch is slow to load)
            from rehab_pose.parts.parsing_checkpoint import load_parsing_network  # noqa: PLC0415
        self._network = TorchNetwork(load_parsing_network(path, device), path, device)

    @property
    def model_id(self) -> str:
        """Name and hash of the weights."""
        return self._network.model_id

    def parse(self, silhouette: Silhouette) -> NDArray[np.uint8]:
        """Return the LIP class (h, w) of each pixel of the box.

        0 outside the silhouette, and everywhere if the network finds no part.
        """
        height, width = silhouette.inside.shape
        shrinks = max(height, width) > INPUT_PX
        image = cv2.resize(
            silhouette.color, (INPUT_PX, INPUT_PX), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
        ).astype(np.uint8)
        labels = self._network.probabilities(image).argmax(axis=0).astype(np.uint8)
        enlarged = cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST).astype(np.uint8)
        return fill_silhouette(enlarged, silhouette.inside)


def fill_silhouette(labels: NDArray[np.uint8], inside: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return labels (h, w) inside the silhouette, 0 outside; background inside takes the label of the nearest part.

    The silhouette is more accurate at the border than the network.
    """
    labelled = inside & (labels > 0)
    if not labelled.any():
        return np.zeros_like(labels)
    _, nearest = cv2.distanceTransformWithLabels(
        (~labelled).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros(int(nearest.max()) + 1, dtype=np.uint8)
    table[nearest[labelled]] = labels[labelled]
    filled: NDArray[np.uint8] = np.where(inside, table[nearest], np.uint8(0))
    return filled
