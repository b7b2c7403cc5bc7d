"""Settings of the body fit."""

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
        0.02, "Standard deviation assumed for a joint position that comes without one [m]", minimum=0.001, maximum=0.5
    )
    shape_frames: int = setting(
        60, "Frames from which the body's shape is learnt before it is kept fixed", minimum=1, maximum=10_000
    )
    shape_memory_s: float = setting(
        10.0, "A person who was out of view for no longer is taken for the same one and keeps the shape [s]",
        minimum=0.0, maximum=3600.0,
    )  # fmt: skip
    shape_sigma: float = setting(
        1.0, "Standard deviation of the shape coefficients in the population", minimum=0.01, maximum=10.0
    )
    pose_weight: float = setting(
        3.0,
        "Weight with which joints are kept near their rest position, where the images do not show them",
        minimum=0.0,
        maximum=100.0,
    )
    change_sigma_rad: float = setting(
        0.1, "Standard deviation of the change of a joint's rotation from one frame to the next [rad]",
        minimum=0.001, maximum=10.0,
    )  # fmt: skip
    surface_rounds: int = setting(
        1, "Rounds of matching depth points to the mesh in a frame; 0: the surface is not used",
        minimum=0, maximum=10,
    )  # fmt: skip
    surface_points: int = setting(700, "Number of depth points that are matched at most", minimum=50, maximum=5000)
    surface_sigma_m: float = setting(
        0.04, "Error of a depth point as a measure of the body's surface, from clothes, skinning and correlation [m]",
        minimum=0.005, maximum=1.0,
    )  # fmt: skip
    surface_iterations: int = setting(3, "Iterations after each matching at most", minimum=1, maximum=50)
    tolerance: float = setting(
        3e-3,
        "The fit of a frame ends with a step that lowers its error by less than this fraction",
        minimum=1e-15,
        maximum=0.5,
    )
    cold_iterations: int = setting(20, "Iterations on a person's first frame at most", minimum=1, maximum=200)
    warm_iterations: int = setting(4, "Iterations on a later frame at most", minimum=1, maximum=200)
