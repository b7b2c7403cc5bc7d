"""Settings of the joints."""

from __future__ import annotations

from dataclasses import dataclass

from rehab_pose.settings import Settings, setting

__all__ = ["JointSettings"]


@dataclass(frozen=True)
class JointSettings(Settings):
    """Method of prediction and smoothing."""

    method: str = setting(
        "fused",
        "fused: joints of the body that fits colour, depth and the network on depth; network: the network on depth "
        "alone; paper: DKP-Net-24-L and -R, tables of Ashraf et al. (2025)",
        choices=("fused", "network", "paper"),
    )
    weights_path: str = setting("", "ONNX file of the network; empty = the shipped weights")
    extrapolation_s: float = setting(
        0.045,
        "Method fused, with landmarks: the network's joints are extrapolated in every second frame, for up to this "
        "long after its last run; 0: it runs in every frame [s]",
        minimum=0.0,
        maximum=0.2,
    )
    smooth: bool = setting(
        True,
        "Filter the depth network's positions over time (one-euro filter); fused: before the body is fitted to them",
    )
    smoothing_cutoff_hz: float = setting(
        2.0, "Cut-off frequency of the filter at rest; lower: smoother and later [Hz]", minimum=0.05, maximum=30.0
    )
    smoothing_speed_coefficient: float = setting(
        4.0, "Increase of the cut-off frequency per speed [Hz / (m/s)]", minimum=0.0, maximum=100.0
    )
