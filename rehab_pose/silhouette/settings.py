"""Settings of the silhouette."""

from __future__ import annotations

from dataclasses import dataclass

from rehab_pose.settings import Settings, setting

__all__ = ["SilhouetteSettings"]


@dataclass(frozen=True)
class SilhouetteSettings(Settings):
    """Method of segmentation and selection of the subject."""

    method: str = setting(
        "fused",
        "fused: the image network's mask, surfaces and borders by depth; where colour cannot be used as rgbd; rgbd: a "
        "small network on depth, borders by depth and colour; depth: geometric rules on floor, height and "
        "connected surfaces, no weights; deeplabv3plus: a public network on the colour image, slow without a GPU, "
        "weights from weights_path",
        choices=("fused", "rgbd", "depth", "deeplabv3plus"),
    )
    weights_path: str = setting(
        "", "fused, rgbd: ONNX file, empty = the shipped weights; deeplabv3plus: a checkpoint (.pth)"
    )
    device: str = setting(
        "cpu",
        "deeplabv3plus: where its network is computed: cpu, cuda (the first graphics card) or cuda:N (card N, counted "
        "from 0); the other methods use the CPU",
    )
    probability_threshold: float = setting(
        0.5,
        "rgbd, deeplabv3plus, and fused without colour: pixels with at least this probability are a person's",
        minimum=0.01,
        maximum=0.99,
    )
    subject: str = setting(
        "followed",
        "Whom to follow among several people. nearest, central: the one nearer to the camera or to the middle of the "
        "image than the others for a second; followed: the person followed so far, at first the largest one near the "
        "camera. The service select_person chooses another one",
        choices=("followed", "nearest", "central"),
    )
    resume_s: float = setting(
        20.0,
        "Time for which a person who left the view is waited for, recognised by height and the colour of the clothes, "
        "before another one is followed; 0: another one is followed at once [s]",
        minimum=0.0,
        maximum=600.0,
    )
    minimum_extent_m: float = setting(
        0.45,
        "Smallest visible extent of a person in any direction [m]: head and shoulders behind a table",
        minimum=0.1,
        maximum=2.0,
    )
    maximum_distance_m: float = setting(5.0, "People at a larger distance are ignored [m]", minimum=0.5, maximum=10.0)
