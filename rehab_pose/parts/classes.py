"""The 20 classes of the data set Look Into Person (LIP, Gong et al. 2017)."""

from __future__ import annotations

__all__ = ["LIP_CLASSES", "lip_class"]

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
"""Names of the classes; a class id is an index in this tuple."""


def lip_class(name: str) -> int:
    """Return the id of a class by name."""
    return LIP_CLASSES.index(name)
