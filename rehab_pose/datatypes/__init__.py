"""Every record that flows between stages.

Frames of reference: positions are in the camera's optical frame (x right, y down, z forward) unless a name says
otherwise. Units stand in the names. Missing is NaN; nobody present is None. Arrays are checked on entry and read-only.
Every record carries the stamp and the frame_id of the colour image it was computed from.
"""

from rehab_pose.datatypes.exercise import (
    ExerciseClassification,
    ExerciseUpdate,
    Repetition,
    RepetitionPhase,
    RepetitionProgress,
    Side,
)
from rehab_pose.datatypes.perception import (
    BodyParts,
    FloorPlane,
    KeypointFamily,
    Keypoints,
    RgbdFrame,
    Silhouette,
    unknown_plane,
)
from rehab_pose.datatypes.person import (
    Body,
    BodyParameters,
    BoneMesh,
    Bones,
    JointAngles,
    Joints,
    JointsOfFrame,
    JointVisibility,
    PersonView,
)

__all__ = [
    "Body",
    "BodyParameters",
    "BodyParts",
    "BoneMesh",
    "Bones",
    "ExerciseUpdate",
    "JointAngles",
    "JointVisibility",
    "FloorPlane",
    "Joints",
    "JointsOfFrame",
    "PersonView",
    "KeypointFamily",
    "Keypoints",
    "ExerciseClassification",
    "Repetition",
    "RepetitionPhase",
    "RepetitionProgress",
    "RgbdFrame",
    "Side",
    "Silhouette",
    "unknown_plane",
]
