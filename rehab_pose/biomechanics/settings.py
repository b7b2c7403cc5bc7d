"""Settings of the joint angles."""

from __future__ import annotations

from dataclasses import dataclass

from rehab_pose.settings import Settings, setting

__all__ = ["BiomechanicsSettings"]


@dataclass(frozen=True)
class BiomechanicsSettings(Settings):
    """Joint angles, their limits and their velocities."""

    model_path: str = setting("", "YAML file of joint angles and their ranges; empty = the one in this package")
    smooth: bool = setting(False, "Smooth the angles too (One Euro); their velocities always are")
    smoothing_cutoff_hz: float = setting(2.0, "Cut-off at rest [Hz]", minimum=0.1, maximum=30.0)
    smoothing_speed_coefficient: float = setting(
        2.0, "Hz of cut-off added for each radian a second", minimum=0.0, maximum=50.0
    )
    residual_scale_m: float = setting(
        0.10, "Confidence falls to 1/e when the body's joints are this far from the measured ones [m]",
        minimum=0.01, maximum=1.0,
    )  # fmt: skip
