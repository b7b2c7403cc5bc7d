"""Landmarks of BlazePose (Bazarevsky et al. 2020), in the order of the network's output."""

from __future__ import annotations

__all__ = ["BLAZEPOSE_33", "LIMBS", "landmark"]

BLAZEPOSE_33 = (
    "nose",
    *("left_eye_inner", "left_eye", "left_eye_outer", "right_eye_inner", "right_eye", "right_eye_outer"),
    *("left_ear", "right_ear", "mouth_left", "mouth_right"),
    *("left_shoulder", "right_shoulder", "left_elbow", "right_elbow", "left_wrist", "right_wrist"),
    *("left_pinky", "right_pinky", "left_index", "right_index", "left_thumb", "right_thumb"),
    *("left_hip", "right_hip", "left_knee", "right_knee", "left_ankle", "right_ankle"),
    *("left_heel", "right_heel", "left_foot_index", "right_foot_index"),
)
"""Names; left and right are the person's own."""


def landmark(name: str) -> int:
    """Return the index of a landmark.

    Raises:
        ValueError: There is no landmark of this name.
    """
    return BLAZEPOSE_33.index(name)


LIMBS = tuple(
    (landmark(f"{side}_{upper}"), landmark(f"{side}_{lower}"))
    for side in ("left", "right")
    for upper, lower in (
        *(("shoulder", "elbow"), ("elbow", "wrist"), ("wrist", "index"), ("wrist", "pinky"), ("wrist", "thumb")),
        *(("hip", "knee"), ("knee", "ankle"), ("ankle", "heel"), ("ankle", "foot_index"), ("heel", "foot_index")),
        ("shoulder", "hip"),
    )
)
"""Pairs of landmarks with a part of the body between them."""
