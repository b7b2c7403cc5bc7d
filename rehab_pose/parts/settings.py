"""What a person may change about parts."""

from __future__ import annotations

from dataclasses import dataclass

from rehab_pose.settings import Settings, setting

__all__ = ["PartSettings"]


@dataclass(frozen=True)
class PartSettings(Settings):
    """How parts are labelled and how many contour points each gets."""

    method: str = setting(
        "joints",
        "joints: each pixel takes the part of the nearest bone, no weights; psp: a parsing network on the person's "
        "colours (Single-Human-Parsing-LIP, Eq 13), which needs PyTorch and weights_path",
        choices=("joints", "psp"),
    )
    weights_path: str = setting("", "psp: checkpoint of Single-Human-Parsing-LIP; none comes with this package")
    points_per_contour: int = setting(
        20, "Points evenly spaced along the outer contour of each part", minimum=3, maximum=500
    )
    stride_px: int = setting(
        2, "joints: measure one point in each square of so many pixels a side", minimum=1, maximum=16
    )
