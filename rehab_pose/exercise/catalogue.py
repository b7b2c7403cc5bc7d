"""Names of the exercises, in the order of the recogniser's outputs.

The five exercises are those of KIMORE (Capecci et al. 2019, IEEE TNSRE 27(7)) in that data set's numbering; index 0 is
`none`, which means none of them.
"""

from __future__ import annotations

__all__ = [
    "ARM_LIFTING",
    "EXERCISES",
    "LABELS",
    "LATERAL_TRUNK_TILT",
    "NONE",
    "PELVIS_ROTATION",
    "SQUAT",
    "TRUNK_ROTATION",
    "UNLISTED_ID",
    "label_id",
]

NONE = "none"
ARM_LIFTING = "arm_lifting"
LATERAL_TRUNK_TILT = "lateral_trunk_tilt"
TRUNK_ROTATION = "trunk_rotation"
PELVIS_ROTATION = "pelvis_rotation"
SQUAT = "squat"

EXERCISES = (ARM_LIFTING, LATERAL_TRUNK_TILT, TRUNK_ROTATION, PELVIS_ROTATION, SQUAT)
"""KIMORE's exercises 1 to 5."""
LABELS = (NONE, *EXERCISES)
"""All labels; a label's id is its index in this tuple."""
UNLISTED_ID = 65535
"""Id of the exercises that a user added: their names tell them apart."""


def label_id(label: str) -> int:
    """Return the id of a label; UNLISTED_ID for an exercise that a user added."""
    return LABELS.index(label) if label in LABELS else UNLISTED_ID
