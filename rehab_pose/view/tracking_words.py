"""Tracking quality of a frame in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.datatypes import JointVisibility

if TYPE_CHECKING:
    from rehab_pose.datatypes import Joints

__all__ = ["GOOD", "NO_PERSON", "tracking_words"]

NO_PERSON = "No person in view"
GOOD = "Good: the whole body is seen"
LIMBS = {
    "left arm": ("left_elbow", "left_wrist"),
    "right arm": ("right_elbow", "right_wrist"),
    "left leg": ("left_knee", "left_ankle"),
    "right leg": ("right_knee", "right_ankle"),
}
"""Joints by whose visibility a limb is named."""
MIN_CONFIDENCE = 0.4
"""Below this median confidence tracking is called poor, as `tracking_fault` of a repetition does."""


def tracking_words(joints: Joints | None) -> tuple[str, str]:
    """Return the level of the tracking (`good`, `fair`, `poor` or `none`) and a sentence that names what is not seen.

    Args:
        joints: Joints of the skeleton SMPL_24 or of another with the same names of limbs; None = no person in view.
    """
    if joints is None:
        return "none", NO_PERSON
    outside = _limbs(joints, (JointVisibility.PREDICTED, JointVisibility.MISSING))
    hidden = [limb for limb in _limbs(joints, (JointVisibility.OCCLUDED,)) if limb not in outside]
    sentences = []
    if outside:
        sentences.append(f"{_listed(outside)} outside the picture")
    if hidden:
        sentences.append(f"{_listed(hidden)} hidden")
    confidence = joints.confidence[np.isfinite(joints.positions_m).all(axis=1)]
    if len(confidence) == 0 or float(np.median(confidence)) < MIN_CONFIDENCE:
        return "poor", "Poor: " + (", ".join(sentences) or "joints are uncertain; more light or less cover helps")
    if sentences:
        return "fair", "Fair: " + ", ".join(sentences)
    return "good", GOOD


def _limbs(joints: Joints, kinds: tuple[JointVisibility, ...]) -> list[str]:
    """Return the limbs of which a joint has one of the kinds of visibility."""
    index = {name: place for place, name in enumerate(joints.skeleton.joint_names)}
    return [
        limb
        for limb, names in LIMBS.items()
        if any(name in index and joints.visibility[index[name]] in kinds for name in names)
    ]


def _listed(words: list[str]) -> str:
    if len(words) == len(LIMBS):
        return "arms and legs are"
    if len(words) == 1:
        return f"{words[0]} is"
    return f"{', '.join(words[:-1])} and {words[-1]} are"
