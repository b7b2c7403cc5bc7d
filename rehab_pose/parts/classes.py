"""The 20 classes of Look Into Person (Gong et al. 2017) and a colour for each."""

from __future__ import annotations

import numpy as np

__all__ = ["LIP_CLASSES", "LIP_COLORS", "lip_class"]

LIP_CLASSES = (
    "background",
    "hat",
    "hair",
    "glove",
    "sunglasses",
    "upper_clothes",
    "dress",
    "coat",
    "socks",
    "pants",
    "jumpsuits",
    "scarf",
    "skirt",
    "face",
    "left_arm",
    "right_arm",
    "left_leg",
    "right_leg",
    "left_shoe",
    "right_shoe",
)

LIP_COLORS = np.array(
    [
        (0, 0, 0),
        (128, 0, 0),
        (120, 72, 20),
        (0, 85, 0),
        (170, 0, 51),
        (255, 85, 0),
        (0, 0, 85),
        (0, 119, 221),
        (85, 85, 0),
        (0, 85, 85),
        (85, 51, 0),
        (52, 86, 128),
        (0, 128, 0),
        (240, 190, 160),
        (51, 170, 221),
        (0, 255, 255),
        (85, 255, 170),
        (170, 255, 85),
        (255, 255, 0),
        (255, 170, 0),
    ],
    dtype=np.uint8,
)
"""(20, 3) RGB for display, close to the palette of the data set's own pictures."""


def lip_class(name: str) -> int:
    """Return the id of a class by name."""
    return LIP_CLASSES.index(name)
