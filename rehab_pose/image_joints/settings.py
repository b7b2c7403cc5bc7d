"""Settings of the landmarks in the colour image."""

from __future__ import annotations

from dataclasses import dataclass

from rehab_pose.settings import Settings, setting

__all__ = ["ImageJointSettings"]


@dataclass(frozen=True)
class ImageJointSettings(Settings):
    """Use of the colour image, and how often the mask is computed."""

    enabled: bool = setting(True, "Find the person in the colour image as well; false: depth only")
    minimum_score: float = setting(
        0.5, "Below this score of the network the person is lost in colour", minimum=0.05, maximum=0.99
    )
    extrapolation_s: float = setting(
        0.045,
        "Landmarks of slow movements are extrapolated in every second frame, for up to this long after the network's "
        "last run; 0: it runs in every frame [s]",
        minimum=0.0,
        maximum=0.2,
    )
    mask_interval: int = setting(
        4,
        "The person's mask is computed in every n-th frame at most, of a faster camera as often as with 30 Hz",
        minimum=1,
        maximum=30,
    )
    landmarks_path: str = setting("", "ONNX file of the landmarks; empty = the shipped weights")
    mask_path: str = setting(
        "", "ONNX file of the mask, which belongs to that of the landmarks; empty = the shipped one"
    )
