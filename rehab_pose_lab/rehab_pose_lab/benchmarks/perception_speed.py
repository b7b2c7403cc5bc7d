"""Computing time of each perception stage per frame on one core: 640 x 480, simulated person, medians."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, TypeVar

import cv2
import numpy as np

from rehab_pose.body.settings import BodySettings
from rehab_pose.datatypes import Silhouette
from rehab_pose.errors import ContractError
from rehab_pose.image_joints.settings import ImageJointSettings
from rehab_pose.joints.predictor import JointPredictor
from rehab_pose.joints.settings import JointSettings
from rehab_pose.keypoints.detector import KeypointDetector
from rehab_pose.keypoints.settings import KeypointSettings
from rehab_pose.parts.labeller import PartLabeller
from rehab_pose.silhouette.segmenter import SilhouetteSegmenter
from rehab_pose.silhouette.settings import SilhouetteSettings
from rehab_pose.stage_groups import ImageStages, PoseStages, Stopwatch
from rehab_pose_sim.camera import SimulatedCamera

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rehab_pose.datatypes import RgbdFrame

__all__ = ["machine_metrics", "perception_speed_metrics", "reference_clock_rate"]

FRAMES = 90
FRAME_STEP = 10
"""Step between the frames of the simulated person that are used."""
WARM_UP_FRAMES = 5
"""Frames that are processed before the measurement."""
NAIVE_FRAMES = 8
"""Frames on which keypoints at full resolution are measured."""

REFERENCE_NAIVE_MS = 104.0
"""`keypoints_naive_ms` of the machine on which the documented times were measured [ms]."""

Item = TypeVar("Item")


def perception_speed_metrics(method: str = SilhouetteSettings().method) -> dict[str, float]:
    """Return the median time of each stage [ms], with silhouettes by `method`.

    Raises:
        ContractError: The simulated person is not detected.
    """
    metrics = machine_metrics()
    camera = SimulatedCamera()
    frames = [camera.frame(FRAME_STEP * index).frame for index in range(FRAMES)]
    segmenter = SilhouetteSegmenter(SilhouetteSettings(method="depth"))
    metrics["silhouette_depth_ms"] = _median_ms(segmenter.segment, frames)
    metrics |= _times_of_groups(method)
    silhouettes = [silhouette for frame in frames if (silhouette := segmenter.segment(frame)) is not None]
    if len(silhouettes) < FRAMES // 2:
        msg = (
            f"bench: expected the simulated person in all {FRAMES} frames, detected in {len(silhouettes)}; "
            "run the tests of the silhouette stage"
        )
        raise ContractError(msg)
    metrics["keypoints_ms"] = _median_ms(KeypointDetector().detect, silhouettes)
    metrics["joints_published_ms"] = _median_ms(JointPredictor(JointSettings(method="paper")).predict, silhouettes)
    predictor, labeller = JointPredictor(), PartLabeller()
    pairs = [(silhouette, predictor.predict(silhouette)) for silhouette in silhouettes]
    metrics["parts_ms"] = _median_ms(lambda pair: labeller.label(*pair), pairs)
    return metrics


def _times_of_groups(method: str) -> dict[str, float]:
    """Return the median times of the stages up to the joints on consecutive frames [ms]."""
    uses_landmarks = method == SilhouetteSettings().method
    images = ImageStages(ImageJointSettings(enabled=uses_landmarks), SilhouetteSettings(method=method))
    pose = PoseStages(JointSettings(), BodySettings())
    camera, spent = SimulatedCamera(), []
    for index in range(WARM_UP_FRAMES + FRAMES):
        stopwatch = Stopwatch()
        seen = images.process(camera.frame(index).frame, stopwatch)
        pose.process(seen.silhouette, seen.image_joints, stopwatch)
        spent.append(stopwatch.elapsed_ms)
    names = {
        "image_joints": "image_joints",
        f"silhouette_{method}": "silhouette",
        "joints": "joints",
        "estimate": "body",
    }
    return {
        f"{name}_ms": float(np.median([times.get(stage, np.nan) for times in spent[WARM_UP_FRAMES:]]))
        for name, stage in names.items()
    }


def machine_metrics() -> dict[str, float]:
    """Return how fast this machine is: times of two benchmarks are compared after division by `machine_factor`.

    `keypoints_naive_ms` is the median time of all keypoint detectors on whole images at full resolution [ms];
    `machine_factor` is that time by the one of the machine for which the documented times hold.
    """
    cv2.setNumThreads(1)
    camera = SimulatedCamera()
    images = [_whole_image(camera.frame(FRAME_STEP * index).frame) for index in range(NAIVE_FRAMES)]
    naive_ms = _median_ms(KeypointDetector(KeypointSettings(half_resolution=False)).detect, images)
    return {"keypoints_naive_ms": naive_ms, "machine_factor": naive_ms / REFERENCE_NAIVE_MS}


def reference_clock_rate(machine_factor: float) -> float:
    """Return the speed of a clock by which this machine is as fast as the reference machine; 1 on a faster machine."""
    return 1.0 / max(machine_factor, 1.0)


def _whole_image(frame: RgbdFrame) -> Silhouette:
    """Return a silhouette that is the whole image."""
    height, width = frame.depth_m.shape
    return Silhouette(
        stamp_ns=frame.stamp_ns,
        frame_id=frame.frame_id,
        intrinsics=frame.intrinsics,
        box_px=(0, 0, width, height),
        inside=np.ones((height, width), dtype=np.bool_),
        color=frame.color,
        depth_m=frame.depth_m,
    )


def _median_ms(work: Callable[[Item], object], items: Sequence[Item]) -> float:
    """Return the median time of `work` on the items [ms]."""
    for item in items[:WARM_UP_FRAMES]:
        work(item)
    spent_ms = []
    for item in items:
        start = time.perf_counter()
        work(item)
        spent_ms.append((time.perf_counter() - start) * 1e3)
    return float(np.median(spent_ms))
