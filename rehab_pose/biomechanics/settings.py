"""Settings of the joint angles."""

from __future__ import annotations

from dataclasses import dataclass

from rehab_pose.settings import Settings, setting

__all__ = ["BiomechanicsSettings"]


@dataclass(frozen=True)
class BiomechanicsSettings(Settings):
    """Joint angles, their limits and their velocities."""

    model_path: str = setting(
        "", "YAML file that defines the joint angles and their ranges; empty: the one in this package"
    )
    smooth: bool = setting(False, "Smooth the angles over time (One Euro filter); the velocities are always smoothed")
    smoothing_cutoff_hz: float = setting(
        2.0, "Cut-off frequency of the filter at rest; lower: smoother and later [Hz]", minimum=0.1, maximum=30.0
    )
    smoothing_speed_coefficient: float = setting(
        2.0, "Increase of the cut-off frequency per angular speed [Hz / (rad/s)]", minimum=0.0, maximum=50.0
    )
    residual_scale_m: float = setting(
        0.10, "Confidence falls to 1/e when the body's joints are this far from the measured ones [m]",
        minimum=0.01, maximum=1.0,
    )  # fmt: skip
