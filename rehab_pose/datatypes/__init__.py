"""Records that flow between stages.

Positions are in the camera's optical frame (x right, y down, z forward) unless a name states another frame. Names end
with their unit. Missing values are NaN; a frame without a person is None. Arrays are checked on construction and
read-only. Every record has the stamp and the frame_id of the colour image that it was computed from.
"""

from rehab_pose.datatypes.exercise import (
    ExerciseClassification,
    ExerciseUpdate,
    Repetition,
    RepetitionPhase,
    RepetitionProgress,
    Side,
)
from rehab_pose.datatypes.image_joints import ImageJoints, PersonMask
from rehab_pose.datatypes.perception import (
    BodyParts,
    FloorPlane,
    KeypointFamily,
    Keypoints,
    RgbdFrame,
    Silhouette,
    unknown_direction,
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
    SeenPerson,
)

__all__ = [
    "Body",
    "BodyParameters",
    "BodyParts",
    "BoneMesh",
    "Bones",
    "ExerciseClassification",
    "ExerciseUpdate",
    "FloorPlane",
    "ImageJoints",
    "JointAngles",
    "JointVisibility",
    "Joints",
    "JointsOfFrame",
    "KeypointFamily",
    "Keypoints",
    "PersonMask",
    "PersonView",
    "Repetition",
    "RepetitionPhase",
    "RepetitionProgress",
    "RgbdFrame",
    "SeenPerson",
    "Side",
    "Silhouette",
    "unknown_direction",
    "unknown_plane",
]
