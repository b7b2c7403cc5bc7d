"""Settings of the capture."""

from __future__ import annotations

from dataclasses import dataclass

from rehab_pose.settings import Settings, setting

__all__ = ["CaptureSettings"]


@dataclass(frozen=True)
class CaptureSettings(Settings):
    """Pairing, rectification, depth cleaning, registration and the camera's mounting."""

    pairing_slop_s: float = setting(
        0.016, "Largest difference of the stamps of colour and depth in one frame [s]", minimum=0.0, maximum=0.5
    )
    pairing_queue: int = setting(8, "Number of images of each kind that wait for their partner", minimum=1, maximum=100)
    depth_minimum_m: float = setting(0.3, "Smaller depths are taken as no return [m]", minimum=0.0, maximum=10.0)
    depth_maximum_m: float = setting(6.0, "Larger depths are taken as no return [m]", minimum=0.1, maximum=20.0)
    remove_flying_pixels: bool = setting(
        True, "Remove depth pixels between a near and a far surface that are on neither"
    )
    rectify: str = setting(
        "auto",
        "Correct the lens distortion of camera_info; auto: in images whose topic is named raw (image_raw), because the "
        "camera_info of a rectified image may contain the distortion of the raw one",
        choices=("auto", "always", "never"),
    )
    depth_calibration_path: str = setting(
        "",
        "JSON file with the depth camera and color_from_depth, for registration of depth to colour by this node; empty "
        "= the driver registers depth, which is preferable because it has the camera's calibration",
    )
    mounting: str = setting(
        "auto",
        "Orientation of the camera's body, as seen from behind the camera in its viewing direction: upright; "
        "turned_left: a quarter turn counter-clockwise, so that heads are at the right side of the image; "
        "turned_right: clockwise, heads at the left side; upside_down; auto: from the floor that is seen. An IMU takes "
        "precedence",
        choices=("auto", "upright", "turned_left", "turned_right", "upside_down"),
    )
    imu_axes: str = setting(
        "auto",
        "Axes of the measurements on the topic imu, whose sensor has to be in the camera's body: optical: x right, y "
        "down, z forward as in the camera's optical frame; body: x forward, y left, z up; auto: optical if the "
        "frame_id ends with optical_frame, else body",
        choices=("auto", "optical", "body"),
    )
