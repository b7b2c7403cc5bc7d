"""All topics of this package: name, type, delivery, and a description if the message type is another package's."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = ["CAMERA_TOPICS", "PAGE_TOPICS", "RESULT_TOPICS", "SHAPE_TOPICS", "STAGE_TOPICS", "Delivery", "Topic"]


class Delivery(Enum):
    """Kinds of QoS that topics need; `rehab_pose.ros.io.qos` and `rehab_pose.bags.writer` turn it into profiles."""

    CAMERA = "camera"
    IMAGE = "image"
    RESULT = "result"
    LATCHED = "latched"
    EVENT = "event"
    MARKER = "marker"

    @property
    def description(self) -> str:
        """The delivery in one sentence."""
        return _DELIVERY_DESCRIPTIONS[self]


_DELIVERY_DESCRIPTIONS = {
    Delivery.CAMERA: "Reliable if the publisher is, else best effort.",
    Delivery.IMAGE: "Reliable, the last five messages are kept; for large messages that must not be skipped.",
    Delivery.RESULT: "Reliable, the last ten messages are kept; for small messages that must not be skipped.",
    Delivery.LATCHED: "Reliable, the last message is delivered to late subscribers (transient local).",
    Delivery.EVENT: "Reliable, the last 50 messages are delivered to late subscribers (transient local); for events "
    "that a restarted node must not miss.",
    Delivery.MARKER: "Reliable, the last message is kept; for data of which only the newest is used.",
}


@dataclass(frozen=True)
class Topic:
    """A topic; `rehab_pose.messages.topic_names` gives its full name in a namespace."""

    name: str
    type_name: str
    delivery: Delivery = Delivery.RESULT
    description: str = ""
    """One phrase; empty for the message types of rehab_pose_msgs, which describe themselves."""


COLOR = Topic("rgb/image_rect_color", "sensor_msgs/msg/Image", Delivery.CAMERA, "the camera's colour image")
CAMERA_INFO = Topic("rgb/camera_info", "sensor_msgs/msg/CameraInfo", Delivery.CAMERA, "the colour camera's intrinsics")
DEPTH = Topic(
    "depth_registered/image_rect",
    "sensor_msgs/msg/Image",
    Delivery.CAMERA,
    "depth registered to the colour image: 16UC1 [mm] or 32FC1 [m]",
)
IMU = Topic(
    "imu",
    "sensor_msgs/msg/Imu",
    Delivery.CAMERA,
    "the camera's inertial sensor, for the direction of gravity; optional",
)

RGBD = Topic("rgbd", "rehab_pose_msgs/msg/RgbdFrame", Delivery.IMAGE)
FLOOR_PLANE = Topic("floor_plane", "rehab_pose_msgs/msg/FloorPlane", Delivery.LATCHED)
SILHOUETTE = Topic("silhouette", "rehab_pose_msgs/msg/Silhouette", Delivery.IMAGE)
SILHOUETTE_IMAGE = Topic(
    "silhouette/image",
    "sensor_msgs/msg/Image",
    Delivery.IMAGE,
    "the silhouette over the whole image: 255 = person; only while it has subscribers",
)
PEOPLE = Topic("people", "rehab_pose_msgs/msg/People", Delivery.LATCHED)
IMAGE_JOINTS = Topic("image_joints", "rehab_pose_msgs/msg/ImageJoints")
KEYPOINTS = Topic("keypoints", "rehab_pose_msgs/msg/Keypoints")
PARTS = Topic("parts", "rehab_pose_msgs/msg/BodyParts")
JOINTS = Topic("joints", "rehab_pose_msgs/msg/Joints")
BODY = Topic("body", "rehab_pose_msgs/msg/Body")
VERTICES = Topic("body/vertices", "rehab_pose_msgs/msg/MeshVertices")
TOPOLOGY = Topic("body/topology", "rehab_pose_msgs/msg/MeshTopology", Delivery.LATCHED)
JOINT_ANGLES = Topic("joint_angles", "rehab_pose_msgs/msg/JointAngles")
JOINT_STATES = Topic(
    "human_joint_states",  # `joint_states` is the robot's own
    "sensor_msgs/msg/JointState",
    description="the measured joint angles as ROS's own message [rad]; nothing while no person is in view",
)
BONES = Topic("bones", "rehab_pose_msgs/msg/Bones")
EXERCISE = Topic("exercise", "rehab_pose_msgs/msg/ExerciseClassification")
EXERCISE_LABEL = Topic("exercise/label", "std_msgs/msg/String", description="the name of the exercise")
EXERCISE_LIST = Topic("exercise/list", "rehab_pose_msgs/msg/ExerciseList", Delivery.LATCHED)
REPETITION = Topic("repetition", "rehab_pose_msgs/msg/Repetition", Delivery.EVENT)
REPETITION_PROGRESS = Topic("repetition/progress", "rehab_pose_msgs/msg/RepetitionProgress")
SESSION_STATE = Topic("session_state", "rehab_pose_msgs/msg/SessionState", Delivery.LATCHED)
FEEDBACK = Topic(
    "feedback",
    "std_msgs/msg/String",
    description="sentences for the person who exercises, to be spoken by the robot, such as the count",
)
MARKERS = Topic(
    "markers",
    "visualization_msgs/msg/MarkerArray",
    Delivery.RESULT,  # joints and bones of one frame are two messages
    "joints, bones, angles and label for RViz; only while it has subscribers",
)
MESH_MARKER = Topic(
    "mesh_marker",
    "visualization_msgs/msg/Marker",
    Delivery.MARKER,
    "the mesh for RViz; only while it has subscribers",
)
TF = Topic(
    "/tf",
    "tf2_msgs/msg/TFMessage",
    description="`body_<id>` in the camera's frame, and each link of the body in `body_<id>`",
)
# ROS4HRI's topic names contain a body's id, of the one subject here; `topic_names` gives it the robot's prefix.
HRI_TRACKED = Topic(
    "/humans/bodies/tracked", "hri_msgs/msg/IdsList", description="the ids of the tracked bodies (REP-155)"
)
HRI_SKELETON = Topic(
    "/humans/bodies/aaaaa/skeleton2d",
    "hri_msgs/msg/Skeleton2D",
    description="18 points of the body in the image, 0 to 1; confidence 0 = missing (REP-155)",
)
HRI_REGION = Topic(
    "/humans/bodies/aaaaa/roi",
    "hri_msgs/msg/NormalizedRegionOfInterest2D",
    description="the box around the body in the image, 0 to 1 (REP-155)",
)
HRI_JOINT_STATES = Topic(
    "/humans/bodies/aaaaa/joint_states",
    "sensor_msgs/msg/JointState",
    description="the joints of ROS4HRI's human_description [rad] (REP-155)",
)

CAMERA_TOPICS = (COLOR, CAMERA_INFO, DEPTH)
STAGE_TOPICS = (
    FLOOR_PLANE,
    IMAGE_JOINTS,
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
"""Results of the stages, without images and mesh."""
SHAPE_TOPICS = (KEYPOINTS, PARTS)
"""Results that show the person's shape: a label for each pixel, and descriptors of the image around each keypoint."""
RESULT_TOPICS = (*(topic for topic in STAGE_TOPICS if topic not in SHAPE_TOPICS), SESSION_STATE)
"""Topics that are recorded by default: results without images and shapes of the person."""
PAGE_TOPICS = (COLOR, CAMERA_INFO, JOINTS, VERTICES, JOINT_ANGLES, BONES, EXERCISE, REPETITION_PROGRESS)
"""Streams that the page in a browser shows while it is open."""
