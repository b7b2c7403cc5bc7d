"""What a person may change about capture."""

from __future__ import annotations

from dataclasses import dataclass

from rehab_pose.settings import Settings, setting

__all__ = ["CaptureSettings"]


@dataclass(frozen=True)
class CaptureSettings(Settings):
    """Pairing, rectification, depth cleaning and registration."""

    pairing_slop_s: float = setting(
        0.016, "Largest difference of stamps between colour and depth of one frame [s]", minimum=0.0, maximum=0.5
    )
    pairing_queue: int = setting(8, "Images of each kind kept while waiting for their partner", minimum=1, maximum=100)
    depth_minimum_m: float = setting(0.3, "Depth below this is taken as no return [m]", minimum=0.0, maximum=10.0)
    depth_maximum_m: float = setting(6.0, "Depth above this is taken as no return [m]", minimum=0.1, maximum=20.0)
    remove_flying_pixels: bool = setting(True, "Drop depth pixels that float between a near and a far surface")
    rectify: str = setting(
        "auto",
        "Undo the lens's distortion as camera_info says; auto: of images whose topic is named raw (image_raw), as a "
        "rectified image's camera_info may carry the raw one's distortion",
        choices=("auto", "always", "never"),
    )
    depth_calibration_path: str = setting(
        "",
        "JSON file with the depth camera and color_from_depth: depth is moved into the colour image here; empty: the "
        "driver registers it (better: it knows its calibration)",
    )
