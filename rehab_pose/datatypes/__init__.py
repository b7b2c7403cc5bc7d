"""Every record that flows between stages.

Frames of reference: positions are in the camera's optical frame (x right, y down, z forward) unless a name says
otherwise. Units stand in the names. Missing is NaN; nobody present is None. Arrays are checked on entry and read-only.
Every record carries the stamp and the frame_id of the colour image it was computed from.
"""

from rehab_pose.datatypes.exercise import (
    ExerciseUpdate,
    Recognition,
    Repetition,
    RepetitionPhase,
    RepetitionProgress,
    Side,
)
from rehab_pose.datatypes.perception import BodyParts, KeypointFamily, Keypoints, RgbdFrame, Silhouette, unknown_plane
from rehab_pose.datatypes.person import (
    Body,
    BodyParameters,
    BoneMesh,
    Bones,
    JointAngles,
    Joints,
    JointState,
)

__all__ = [
    "Body",
    "BodyParameters",
    "BodyParts",
    "BoneMesh",
    "Bones",
    "ExerciseUpdate",
    "JointAngles",
    "JointState",
    "Joints",
    "KeypointFamily",
    "Keypoints",
    "Recognition",
    "Repetition",
    "RepetitionPhase",
    "RepetitionProgress",
    "RgbdFrame",
    "Side",
    "Silhouette",
    "unknown_plane",
]
