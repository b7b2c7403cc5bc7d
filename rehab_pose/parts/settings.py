"""Settings of the parts."""

from __future__ import annotations

from dataclasses import dataclass

from rehab_pose.settings import Settings, setting

__all__ = ["PartSettings"]


@dataclass(frozen=True)
class PartSettings(Settings):
    """Method of labelling and number of contour points."""

    method: str = setting(
        "joints",
        "joints: each pixel takes the part of the nearest bone, no weights; psp: a human parsing network on the colour "
        "image (Single-Human-Parsing-LIP, Eq 13), which needs PyTorch and weights_path",
        choices=("joints", "psp"),
    )
    weights_path: str = setting("", "psp: checkpoint of Single-Human-Parsing-LIP; this package contains none")
    points_per_contour: int = setting(
        20, "Points evenly spaced along the outer contour of each part", minimum=3, maximum=500
    )
    stride_px: int = setting(
        2, "joints: side of the square cells that are labelled by one measured point each [px]", minimum=1, maximum=16
    )
