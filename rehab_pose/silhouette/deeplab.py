"""People by DeepLab on the colour image, the way of Ashraf et al. (2025) Eq 1-7."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from rehab_pose.errors import ContractError, MissingDependencyError
from rehab_pose.silhouette.encoding import sample_rows_and_columns

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

__all__ = ["DEFAULT_LONG_SIDE_PX", "DeepLabPeople"]

PERSON_CLASS = 15
"""Of Pascal VOC's 21 classes, 0 = background."""
DEFAULT_LONG_SIDE_PX = 257
"""The published networks were trained on 513. Half of it costs a quarter, and still is more than the reduced image of
this stage; a GPU can afford 513. One more than a multiple of the output stride, as the papers advise [px]."""


class DeepLabPeople:
    """Says for each pixel how likely it shows a person."""

    def __init__(
        self, path: str | os.PathLike[str], device: str = "cpu", long_side_px: int = DEFAULT_LONG_SIDE_PX
    ) -> None:
        """Load the network.

        Args:
            path: A checkpoint as `load_deeplab` knows them.
            device: `cpu`, `cuda` or `cuda:N`; on a GPU it calculates in half precision.
            long_side_px: The image is resized so that its longer side has this many pixels.

        Raises:
            ModelFileError: The checkpoint cannot be used.
            SettingsError: There is no such device.
            MissingDependencyError: PyTorch is not installed.
        """
        # torch takes seconds and hundreds of megabytes to load: only who asks for this method pays.
        try:
            from rehab_pose.checkpoints import TorchNetwork  # noqa: PLC0415
            from rehab_pose.silhouette.deeplab_checkpoint import load_deeplab  # noqa: PLC0415
        except ModuleNotFoundError as error:
            msg = f"silhouette by DeepLab: expected PyTorch ({error}); pip install torch, or choose another method"
            raise MissingDependencyError(msg) from error
        self._network = TorchNetwork(load_deeplab(path, device), path, device)
        self._long_side_px = long_side_px

    @property
    def model_id(self) -> str:
        """Name and hash of the weights."""
        return self._network.model_id

    def people_probability(self, color: NDArray[np.uint8], width_px: int, height_px: int) -> NDArray[np.float32]:
        """Return the probability of a person (height_px, width_px), 0 where another class is likelier.

        So `> 0` is the rule of Eq 3-4 (the likeliest class is the person), and any higher threshold is stricter.

        Args:
            color: (H, W, 3) RGB.
            width_px: Width of the result, which covers the same view.
            height_px: Its height.

        Raises:
            ContractError: The image has another shape or dtype.
        """
        if color.ndim != 3 or color.shape[2] != 3 or color.dtype != np.uint8 or not color.size:
            msg = f"DeepLabPeople: expected colour (H, W, 3) uint8, got {color.shape} {color.dtype}"
            raise ContractError(msg)
        height, width = color.shape[:2]
        scale = self._long_side_px / max(height, width)
        size_px = max(1, round(width * scale)), max(1, round(height * scale))
        # Averaging while shrinking and interpolating while enlarging: neither invents edges.
        resized = cv2.resize(color, size_px, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        probabilities = self._network.probabilities(resized.astype(np.uint8))
        person = probabilities[PERSON_CLASS]
        person = np.where(person >= probabilities.max(axis=0), person, np.float32(0.0))
        # Nearest neighbour back to the stage's size (Eq 7).
        rows, columns = sample_rows_and_columns(*size_px, width_px, height_px)
        result: NDArray[np.float32] = np.ascontiguousarray(person[np.ix_(rows, columns)], dtype=np.float32)
        return result
