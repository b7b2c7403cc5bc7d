"""Settings of the keypoints."""

from __future__ import annotations

from dataclasses import dataclass

from rehab_pose.settings import Settings, setting

__all__ = ["KeypointSettings"]


@dataclass(frozen=True)
class KeypointSettings(Settings):
    """Selection of the detectors and their resolution."""

    contour: bool = setting(True, "Corners of the outline after Douglas-Peucker simplification (Eq 9)")
    harris: bool = setting(True, "Harris corners (Eq 10-11)")
    shi_tomasi: bool = setting(True, "Shi-Tomasi corners")
    orb: bool = setting(True, "ORB points with binary descriptors")
    brisk: bool = setting(True, "BRISK points with binary descriptors")
    sift: bool = setting(True, "SIFT points with 128 float descriptors (Eq 12)")
    akaze: bool = setting(True, "AKAZE points with binary descriptors")
    skeleton: bool = setting(True, "End and branch points of the silhouette's medial axis (Zhang-Suen)")
    half_resolution: bool = setting(True, "Detect on the person's box at half resolution: 15 times faster")
    maximum_points: int = setting(100, "Number of strongest points kept for each detector", minimum=1, maximum=5000)
    contour_tolerance: float = setting(
        0.005, "Douglas-Peucker tolerance as a fraction of the outline's length", minimum=0.0001, maximum=0.1
    )
