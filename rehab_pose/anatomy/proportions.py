"""Where bones lie against the joints, as proportions of an adult of average size.

Sizes in metres are those of a person whose spine (pelvis to head joint) and legs (hip to ankle) add up to
REFERENCE_SIZE_M; they are scaled with that sum. Axes: x to the person's left, y up, z to the front. Vertebral heights
with their discs after Panjabi et al. (Spine 16-17, 1991-92), long bones, girdles and thorax after Gray's Anatomy
(41st ed.), pelvis after Reynolds et al. (1982), all rounded to half a centimetre: this is an average adult inside the
body's joints, not an image of the person's own bones.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["REFERENCE_SIZE_M", "RIBS", "SIDE_BONES", "SPINE_LINKS", "TRUNK_BONES", "VERTEBRAE_M", "BoneSpec", "RibSpec"]

REFERENCE_SIZE_M = 1.42
"""Spine 0.61 m and leg 0.81 m."""

Point = tuple[float, float, float]

VERTEBRAE_M = (
    {f"L{number}": 0.036 for number in range(1, 6)}
    | {f"T{number}": 0.019 + 0.0007 * number for number in range(1, 13)}
    | {f"C{number}": 0.0175 for number in range(1, 8)}
)
"""Height of each vertebra with the disc below it [m]; only their ratios are used."""

SPINE_LINKS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("pelvis", "spine1", ("L5", "L4", "L3")),
    ("spine1", "spine2", ("L2", "L1", "T12", "T11", "T10")),
    ("spine2", "spine3", ("T9", "T8")),
    ("spine3", "neck", ("T7", "T6", "T5", "T4", "T3", "T2", "T1")),
    ("neck", "head", ("C7", "C6", "C5", "C4", "C3", "C2", "C1")),
)
"""Which vertebrae, from below, share the line between two joints: whole ones, so that none stretches when bending."""
VERTEBRA_RADIUS_M = {"L": 0.024, "T": 0.016, "C": 0.010}
"""Half the width of a vertebral body [m]."""


@dataclass(frozen=True)
class BoneSpec:
    """A bone that moves with one segment: each end is a joint, or an offset from one, in the segment's axes."""

    name: str
    segment: str
    """The joint whose rotation moves the bone."""
    start_joint: str
    start_m: Point
    end_joint: str
    end_m: Point
    radius_m: float


NOWHERE: Point = (0.0, 0.0, 0.0)

TRUNK_BONES = (
    BoneSpec("sacrum", "pelvis", "pelvis", (0.0, -0.005, -0.01), "pelvis", (0.0, -0.10, -0.055), 0.045),
    BoneSpec("sternum", "spine3", "neck", (0.0, -0.055, 0.075), "neck", (0.0, -0.225, 0.125), 0.018),
    BoneSpec("skull", "head", "head", (0.0, 0.0, 0.015), "head", (0.0, 0.17, 0.02), 0.075),
    BoneSpec("mandible", "head", "head", (0.0, 0.01, 0.03), "head", (0.0, -0.035, 0.105), 0.03),
)

SIDE_BONES = (
    BoneSpec("hip_bone", "pelvis", "hip", (0.03, 0.12, -0.015), "hip", (-0.02, -0.06, -0.03), 0.045),
    BoneSpec("femur", "hip", "hip", NOWHERE, "knee", NOWHERE, 0.017),
    BoneSpec("patella", "knee", "knee", (0.0, 0.025, 0.045), "knee", (0.0, -0.02, 0.048), 0.02),
    BoneSpec("tibia", "knee", "knee", NOWHERE, "ankle", NOWHERE, 0.015),
    BoneSpec("fibula", "knee", "knee", (0.035, -0.035, -0.02), "ankle", (0.028, -0.01, -0.01), 0.007),
    BoneSpec("foot", "ankle", "ankle", NOWHERE, "foot", NOWHERE, 0.03),
    BoneSpec("clavicle", "collar", "collar", (-0.055, 0.0, 0.04), "shoulder", (-0.01, 0.025, 0.0), 0.007),
    BoneSpec("scapula", "collar", "shoulder", (-0.02, 0.015, -0.03), "shoulder", (-0.085, -0.12, -0.075), 0.04),
    BoneSpec("humerus", "shoulder", "shoulder", NOWHERE, "elbow", NOWHERE, 0.013),
    BoneSpec("radius", "elbow", "elbow", (0.0, 0.0, 0.014), "wrist", (0.0, 0.0, 0.014), 0.008),
    BoneSpec("ulna", "elbow", "elbow", (-0.015, 0.0, -0.012), "wrist", (0.0, 0.0, -0.014), 0.008),
    BoneSpec("hand", "wrist", "wrist", NOWHERE, "hand", NOWHERE, 0.035),
)
"""Of the left side; the right side's x is mirrored. The palm looks down in the rest pose: the radius is in front."""


@dataclass(frozen=True)
class RibSpec:
    """A rib as the straight line from its vertebra to its front end, from the vertebra's middle."""

    vertebra: str
    lateral_m: float
    drop_m: float
    front_m: float


RIBS = tuple(
    RibSpec(f"T{number}", lateral_m, drop_m, front_m)
    for number, lateral_m, drop_m, front_m in (
        (1, 0.030, 0.030, 0.065),
        (2, 0.045, 0.045, 0.085),
        (3, 0.050, 0.055, 0.100),
        (4, 0.060, 0.065, 0.110),
        (5, 0.070, 0.075, 0.118),
        (6, 0.080, 0.085, 0.120),
        (7, 0.090, 0.095, 0.118),
        (8, 0.105, 0.100, 0.105),
        (9, 0.115, 0.100, 0.085),
        (10, 0.120, 0.095, 0.060),
        (11, 0.110, 0.080, 0.010),
        (12, 0.075, 0.055, -0.015),
    )
)
RIB_RADIUS_M = 0.006
