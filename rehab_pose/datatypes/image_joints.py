"""Records of the network that finds a person's landmarks in the colour image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.arrays import frozen, set_fields

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["ImageJoints", "PersonMask"]

LANDMARKS = 33
"""Landmarks of BlazePose; their names are in `rehab_pose.skeletons.blazepose33`."""


@dataclass(frozen=True, eq=False)
class PersonMask:
    """The person in a square region of the colour image that may be rotated."""

    logits: NDArray[np.float32]
    """(M, M) logarithm of the odds that a pixel is on the person."""
    image_from_mask: NDArray[np.float64]
    """(2, 3) affine map from a pixel (column, row) of the mask to a pixel of the full image."""

    def __post_init__(self) -> None:
        """Check shapes."""
        set_fields(
            self,
            logits=frozen("PersonMask.logits", self.logits, ("M", "M"), np.float32),
            image_from_mask=frozen("PersonMask.image_from_mask", self.image_from_mask, (2, 3), np.float64),
        )


@dataclass(frozen=True, eq=False)
class ImageJoints:
    """The landmarks of the followed person in one colour image, without depth."""

    stamp_ns: int
    frame_id: str
    pixels: NDArray[np.float64]
    """(33, 2) u, v in the full image [px]; NaN = missing. Landmarks outside the image are extrapolated."""
    visibility: NDArray[np.float64]
    """(33) probability that the landmark is in the image and not hidden, 0-1."""
    relative_m: NDArray[np.float64]
    """(33, 3) positions relative to the middle of the hips along the camera's axes, as the network estimates them for
    an average person [m]; NaN = missing. The distance from the camera is unknown."""
    score: float
    """Probability that the region contains a person, 0-1."""
    extrapolated: bool = False
    """True where the landmarks follow from those of earlier frames and not from this image. Not part of the message."""
    mask: PersonMask | None = None
    """The person's pixels; None in frames where they were not computed. Not part of the message."""

    def __post_init__(self) -> None:
        """Check shapes."""
        set_fields(
            self,
            pixels=frozen("ImageJoints.pixels", self.pixels, (LANDMARKS, 2), np.float64),
            visibility=frozen("ImageJoints.visibility", self.visibility, (LANDMARKS,), np.float64),
            relative_m=frozen("ImageJoints.relative_m", self.relative_m, (LANDMARKS, 3), np.float64),
        )
