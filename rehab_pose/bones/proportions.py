"""Positions of the bones relative to the joints, as proportions of an average adult.

Sizes in metres are those of a person whose spine (pelvis to head joint) and legs (hip to ankle) add up to
REFERENCE_SIZE_M; they are scaled with that sum. Axes: x to the person's left, y up, z to the front. Vertebral heights
with their discs after Panjabi et al. (Spine 16-17, 1991-92), long bones, girdles and thorax after Gray's Anatomy (41st
ed.), pelvis after Reynolds et al. (1982), all rounded to half a centimetre. The result is an average adult scaled to
the body's joints, not an image of the person's own bones.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "CERVICAL",
    "LUMBAR",
    "LUMBAR_FRACTIONS",
    "REFERENCE_SIZE_M",
    "RIBS",
    "SIDE_BONES",
    "SPINE_CURVE",
    "THORACIC",
    "TRUNK_BONES",
    "VERTEBRAE_M",
    "BoneSpec",
    "RibSpec",
]

REFERENCE_SIZE_M = 1.42
"""Spine 0.61 m and leg 0.81 m [m]."""

Point = tuple[float, float, float]

LUMBAR = tuple(f"L{number}" for number in range(5, 0, -1))
THORACIC = tuple(f"T{number}" for number in range(12, 0, -1))
CERVICAL = tuple(f"C{number}" for number in range(7, 0, -1))
"""Vertebrae in ascending order."""
VERTEBRAE_M = (
    {f"L{number}": 0.036 for number in range(1, 6)}
    | {f"T{number}": 0.019 + 0.0007 * number for number in range(1, 13)}
    | {f"C{number}": 0.0175 for number in range(1, 8)}
)
"""Height of each vertebra with the disc above it [m]; only their ratios are used."""
VERTEBRA_RADIUS_M = {"L": 0.024, "T": 0.016, "C": 0.010}
"""Half the width of a vertebral body [m]."""
SPINE_CURVE: tuple[tuple[dict[str, float], Point], ...] = (
    ({"pelvis": 1.0}, (0.0, 0.0, 0.0)),
    ({"spine1": 1.0}, (0.0, 0.0, 0.010)),
    ({"spine2": 1.0}, (0.0, 0.0, -0.003)),
    ({"spine3": 1.0}, (0.0, 0.0, -0.010)),
    ({"spine3": 0.5, "neck": 0.35, "head": 0.15}, (0.0, -0.01, -0.012)),
    ({"neck": 0.4, "spine3": 0.18, "head": 0.42}, (0.0, 0.0, -0.004)),
    ({"head": 1.0}, (0.0, 0.014, -0.004)),
)
"""Points of the curve through the vertebral bodies: weights of joints, and an offset from their mean [m]; from the
sacrum's upper end through lordosis, kyphosis and lordosis to the skull. Body models differ in the position of the
neck's joint (SMPL's is behind the line from chest to head), so it has only a partial weight."""
LUMBAR_FRACTIONS = (17.0, 16.0, 15.0, 14.0, 12.0)
"""Parts of the trunk's rotation relative to the pelvis, L5/S1 to L1/L2, in the ratio of their flexion and extension
(White & Panjabi, Clinical Biomechanics of the Spine, 2nd ed. 1990, table 2-2)."""


@dataclass(frozen=True)
class BoneSpec:
    """A bone that moves with one segment; each end is an offset from a joint, in the segment's axes."""

    name: str
    segment: str
    """The joint whose rotation moves the bone, or another frame of `layout.FRAMES` (see `posing`)."""
    start_joint: str
    start_m: Point
    end_joint: str
    end_m: Point
    radius_m: float
    """Half the thickness [m]."""


NO_OFFSET: Point = (0.0, 0.0, 0.0)

TRUNK_BONES = (
    BoneSpec("sacrum", "pelvis", "pelvis", (0.0, -0.004, -0.004), "pelvis", (0.0, -0.105, -0.042), 0.045),
    BoneSpec("sternum", "spine3", "neck", (0.0, -0.045, 0.050), "neck", (0.0, -0.205, 0.086), 0.018),
    BoneSpec("skull", "head", "head", (0.0, 0.014, -0.004), "head", (0.0, 0.155, 0.015), 0.075),
    BoneSpec("mandible", "head", "head", (0.0, 0.02, 0.03), "head", (0.0, -0.035, 0.105), 0.03),
)

SIDE_BONES = (
    BoneSpec("hip_bone", "pelvis", "hip", (0.035, 0.12, -0.02), "hip", (-0.02, -0.065, -0.01), 0.045),
    BoneSpec("femur", "hip", "hip", NO_OFFSET, "knee", NO_OFFSET, 0.017),
    BoneSpec("patella", "patella", "knee", (0.0, 0.022, 0.036), "knee", (0.0, -0.018, 0.036), 0.02),
    BoneSpec("tibia", "knee", "knee", NO_OFFSET, "ankle", NO_OFFSET, 0.015),
    BoneSpec("fibula", "knee", "knee", (0.033, -0.035, -0.015), "ankle", (0.021, -0.012, -0.008), 0.007),
    BoneSpec("foot", "ankle", "ankle", NO_OFFSET, "foot", NO_OFFSET, 0.03),
    BoneSpec("clavicle", "clavicle", "neck", (0.018, -0.050, 0.047), "shoulder", (-0.012, 0.022, -0.004), 0.007),
    BoneSpec("scapula", "collar", "shoulder", (-0.02, 0.015, -0.03), "shoulder", (-0.085, -0.12, -0.075), 0.04),
    BoneSpec("humerus", "shoulder", "shoulder", NO_OFFSET, "elbow", NO_OFFSET, 0.013),
    BoneSpec("radius", "radius", "elbow", (0.012, 0.009, 0.004), "wrist", (-0.004, 0.0, 0.010), 0.008),
    BoneSpec("ulna", "elbow", "elbow", (0.0, -0.006, -0.004), "wrist", (-0.008, 0.0, -0.012), 0.008),
    BoneSpec("hand", "wrist", "wrist", NO_OFFSET, "hand", NO_OFFSET, 0.035),
)
"""Bones of the left side; x changes sign on the right. At rest the palm faces down and the radius is in front."""


@dataclass(frozen=True)
class RibSpec:
    """A rib: half-width and half-depth of the rib cage at its level, its angular extent and its descent."""

    vertebra: str
    half_width_m: float
    half_depth_m: float
    round_deg: float
    """Angle of the bone's front end about the cage's axis, 0 at the back, 90 at the side [deg]."""
    drop_m: float
    """Height difference between the vertebra and the front end of the bone [m]."""


RIBS = tuple(
    RibSpec(f"T{number}", width_m, depth_m, round_deg, drop_m)
    for number, width_m, depth_m, round_deg, drop_m in (
        (1, 0.056, 0.047, 150.0, 0.030),
        (2, 0.080, 0.060, 152.0, 0.048),
        (3, 0.097, 0.070, 152.0, 0.062),
        (4, 0.108, 0.077, 151.0, 0.074),
        (5, 0.116, 0.082, 149.0, 0.084),
        (6, 0.121, 0.086, 146.0, 0.092),
        (7, 0.124, 0.088, 142.0, 0.099),
        (8, 0.125, 0.088, 136.0, 0.103),
        (9, 0.124, 0.086, 129.0, 0.104),
        (10, 0.120, 0.083, 118.0, 0.098),
        (11, 0.112, 0.077, 88.0, 0.070),
        (12, 0.100, 0.070, 58.0, 0.042),
    )
)
RIB_RADIUS_M = 0.006
"""Half the thickness of a rib [m]."""
