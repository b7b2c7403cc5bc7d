"""Parts by a parsing network on the person's colours, the way of Ashraf et al. (2025) Eq 13."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from rehab_pose.errors import MissingDependencyError

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from rehab_pose.datatypes import Silhouette

__all__ = ["PersonParser"]

INPUT_PX = 256
"""Width and height that the published networks were trained on; proportions are not kept, there as here [px]."""


class PersonParser:
    """Gives each pixel of a person one of LIP's 20 classes."""

    def __init__(self, path: str | os.PathLike[str], device: str = "cpu") -> None:
        """Load the network.

        Args:
            path: A checkpoint of Single-Human-Parsing-LIP.
            device: `cpu`, `cuda` or `cuda:N`.

        Raises:
            ModelFileError: The checkpoint cannot be used.
            SettingsError: There is no such device.
            MissingDependencyError: PyTorch is not installed.
        """
        # torch takes seconds and hundreds of megabytes to load: only who asks for this method pays.
        try:
            from rehab_pose.checkpoints import TorchNetwork  # noqa: PLC0415
            from rehab_pose.parts.parsing_checkpoint import load_parsing_network  # noqa: PLC0415
        except ModuleNotFoundError as error:
            msg = f"parts by the method psp: expected PyTorch ({error}); pip install torch, or choose the method joints"
            raise MissingDependencyError(msg) from error
        self._network = TorchNetwork(load_parsing_network(path, device), path, device)

    @property
    def model_id(self) -> str:
        """Name and hash of the weights."""
        return self._network.model_id

    def parse(self, silhouette: Silhouette) -> NDArray[np.uint8]:
        """Return the LIP class (h, w) of each pixel of the box.

        0 outside the silhouette, and everywhere when the network sees no part at all.
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
    """Return labels (h, w) on the silhouette only; where they say background there, the nearest part's label.

    The silhouette is measured and the network is not sure of the border: who is inside is a part.
    """
    known = inside & (labels > 0)
    if not known.any():
        return np.zeros_like(labels)
    _, places = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros(int(places.max()) + 1, dtype=np.uint8)
    table[places[known]] = labels[known]
    filled: NDArray[np.uint8] = np.where(inside, table[places], np.uint8(0))
    return filled
