"""What a person may change about the silhouette."""

from __future__ import annotations

from dataclasses import dataclass

from rehab_pose.settings import Settings, setting

__all__ = ["SilhouetteSettings"]


@dataclass(frozen=True)
class SilhouetteSettings(Settings):
    """How the person is found and which one is followed."""

    method: str = setting(
        "rgbd",
        "rgbd: a small network on depth, borders by depth and colour; depth: floor, height and connected surfaces, no "
        "weights; deeplabv3plus: a public network on the colour image, slow without a GPU, weights from weights_path",
        choices=("rgbd", "depth", "deeplabv3plus"),
    )
    weights_path: str = setting(
        "", "rgbd: its weights (.onnx), empty: the ones in this package; deeplabv3plus: a checkpoint (.pth)"
    )
    device: str = setting("cpu", "deeplabv3plus: where it calculates: cpu, cuda or cuda:N")
    probability_threshold: float = setting(
        0.5, "Networks: a pixel is the person's from this probability", minimum=0.01, maximum=0.99
    )
    subject: str = setting(
        "followed",
        "Who is the subject when several are there: the nearest to the camera, the most central in the image, or the "
        "one followed so far (at first the largest upright one)",
        choices=("followed", "nearest", "central"),
    )
    minimum_height_m: float = setting(0.7, "A person's visible height is at least this [m]", minimum=0.1, maximum=2.0)
    maximum_distance_m: float = setting(5.0, "Farther people are bystanders [m]", minimum=0.5, maximum=10.0)
