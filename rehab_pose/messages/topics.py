"""Every topic of this package, once: name, type, how it is delivered."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["CAMERA_TOPICS", "RESULT_TOPICS", "STAGE_TOPICS", "Delivery", "Topic"]


class Delivery(Enum):
    """What a stream needs; rehab_pose.ros.io.qos and rehab_pose.bags.bag turn it into QoS."""

    CAMERA = "camera"
    """Reliable where the publisher is, best effort where it is not."""
    IMAGE = "image"
    """Reliable, a few kept: large, and every frame counts."""
    RESULT = "result"
    """Reliable, ten kept: small, must not vanish."""
    LATCHED = "latched"
    """Reliable, the last one is given to whoever comes later."""
    MARKER = "marker"
    """Reliable, one kept: an old picture is worth nothing."""


@dataclass(frozen=True)
class Topic:
    """A topic, relative to the node's namespace unless its name begins with a slash."""

    name: str
    type_name: str
    delivery: Delivery = Delivery.RESULT


COLOR = Topic("rgb/image_rect_color", "sensor_msgs/msg/Image", Delivery.CAMERA)
CAMERA_INFO = Topic("rgb/camera_info", "sensor_msgs/msg/CameraInfo", Delivery.CAMERA)
DEPTH = Topic("depth_registered/image_rect", "sensor_msgs/msg/Image", Delivery.CAMERA)

RGBD = Topic("rgbd", "rehab_pose_msgs/msg/RgbdFrame", Delivery.IMAGE)
SILHOUETTE = Topic("silhouette", "rehab_pose_msgs/msg/Silhouette", Delivery.IMAGE)
SILHOUETTE_IMAGE = Topic("silhouette/image", "sensor_msgs/msg/Image", Delivery.IMAGE)
KEYPOINTS = Topic("keypoints", "rehab_pose_msgs/msg/Keypoints")
PARTS = Topic("parts", "rehab_pose_msgs/msg/BodyParts")
JOINTS = Topic("joints", "rehab_pose_msgs/msg/Joints")
BODY = Topic("body", "rehab_pose_msgs/msg/Body")
VERTICES = Topic("body/vertices", "rehab_pose_msgs/msg/MeshVertices")
TOPOLOGY = Topic("body/topology", "rehab_pose_msgs/msg/MeshTopology", Delivery.LATCHED)
JOINT_ANGLES = Topic("joint_angles", "rehab_pose_msgs/msg/JointAngles")
JOINT_STATES = Topic("joint_states", "sensor_msgs/msg/JointState")
BONES = Topic("bones", "rehab_pose_msgs/msg/Bones")
EXERCISE = Topic("exercise", "rehab_pose_msgs/msg/ExerciseClassification")
EXERCISE_LABEL = Topic("exercise/label", "std_msgs/msg/String")
EXERCISE_LIST = Topic("exercise/list", "rehab_pose_msgs/msg/ExerciseList", Delivery.LATCHED)
REPETITION = Topic("repetition", "rehab_pose_msgs/msg/Repetition")
REPETITION_PROGRESS = Topic("repetition/progress", "rehab_pose_msgs/msg/RepetitionProgress")
SESSION_STATE = Topic("session_state", "rehab_pose_msgs/msg/SessionState", Delivery.LATCHED)
MARKERS = Topic("markers", "visualization_msgs/msg/MarkerArray", Delivery.MARKER)
MESH_MARKER = Topic("mesh_marker", "visualization_msgs/msg/Marker", Delivery.MARKER)
TF = Topic("/tf", "tf2_msgs/msg/TFMessage")
# ROS4HRI's names hold a body's id: this package follows one subject, so that they are known beforehand.
HRI_TRACKED = Topic("/humans/bodies/tracked", "hri_msgs/msg/IdsList")
HRI_SKELETON = Topic("/humans/bodies/aaaaa/skeleton2d", "hri_msgs/msg/Skeleton2D")
HRI_REGION = Topic("/humans/bodies/aaaaa/roi", "hri_msgs/msg/NormalizedRegionOfInterest2D")
HRI_JOINT_STATES = Topic("/humans/bodies/aaaaa/joint_states", "sensor_msgs/msg/JointState")

CAMERA_TOPICS = (COLOR, CAMERA_INFO, DEPTH)
STAGE_TOPICS = (
    KEYPOINTS,
    PARTS,
    JOINTS,
    BODY,
    TOPOLOGY,
    JOINT_ANGLES,
    JOINT_STATES,
    BONES,
    EXERCISE,
    EXERCISE_LABEL,
    EXERCISE_LIST,
    REPETITION,
    REPETITION_PROGRESS,
)
"""What the stages say, without images and mesh."""
RESULT_TOPICS = (*STAGE_TOPICS, SESSION_STATE)
"""What a recording keeps by default: results only, no image of the person."""
