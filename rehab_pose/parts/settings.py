"""What a person may change about parts."""

from __future__ import annotations

from dataclasses import dataclass

from rehab_pose.settings import Settings, setting

__all__ = ["PartSettings"]


@dataclass(frozen=True)
class PartSettings(Settings):
    """How parts are labelled and how many contour points each gets."""

    points_per_contour: int = setting(
        20, "Points evenly spaced along the outer contour of each part", minimum=3, maximum=500
    )
    stride_px: int = setting(2, "Label every so many pixels, then enlarge to the box", minimum=1, maximum=16)
