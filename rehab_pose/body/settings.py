"""What a person may change about the body."""

from __future__ import annotations

from dataclasses import dataclass

from rehab_pose.settings import Settings, setting

__all__ = ["BodySettings"]


@dataclass(frozen=True)
class BodySettings(Settings):
    """Which body model is fitted to the joints, and how."""

    model_path: str = setting("", "Body model in SMPL's format (.npz or .pkl); empty: the free body in this package")
    with_vertices: bool = setting(True, "Compute the mesh's vertices as well")
    joint_sigma_m: float = setting(
        0.02, "Error assumed for a joint that comes without one [m]", minimum=0.001, maximum=0.5
    )
    shape_frames: int = setting(
        60, "Frames from which the body's shape is learnt before it is kept fixed", minimum=1, maximum=10_000
    )
    shape_sigma: float = setting(
        1.0, "Spread of shape coefficients among people [standard deviations]", minimum=0.01, maximum=10.0
    )
    pose_weight: float = setting(1.0, "Weight of the prior that keeps joints near rest", minimum=0.0, maximum=100.0)
    change_sigma_rad: float = setting(
        0.3, "Change of a joint's rotation from one frame to the next that is nothing unusual [rad]",
        minimum=0.001, maximum=10.0,
    )  # fmt: skip
    tolerance: float = setting(
        1e-3, "A step that lowers the objective by less than this share is the last", minimum=1e-15, maximum=0.5
    )
    cold_iterations: int = setting(20, "Most iterations on a person's first frame", minimum=1, maximum=200)
    warm_iterations: int = setting(4, "Most iterations on a later frame", minimum=1, maximum=200)
