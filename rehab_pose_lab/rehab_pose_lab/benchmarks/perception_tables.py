"""Tables of the perception benchmark: one line per scene, and one per joint, next to the published rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.benchmarks.perception_evaluation import metrics_of_frames

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rehab_pose_lab.benchmarks.perception_evaluation import FrameResult
    from rehab_pose_lab.benchmarks.perception_scenes import PerceptionScene
    from rehab_pose_lab.datasets.clip import Clip

__all__ = ["joint_table", "scene_table"]


def scene_table(shots: Sequence[FrameResult], clips: Mapping[str, Clip]) -> list[str]:
    """Return two heading lines and one line per scene: camera, overlaps (median), joint errors (mean), swaps."""
    heading = (
        "scene                      subject    sensor  dist  high  yaw furniture detect    IoU by depth   joints  publ."
        "  swaps publ."
    )
    units = (
        "                                               [m]   [m]                   [%]                     [mm]   [mm]"
    )
    lines = [heading, units]
    for scene in dict.fromkeys(shot.scene for shot in shots):
        of_scene = [shot for shot in shots if shot.scene == scene]
        clip = clips.get(scene.name)
        lines.append(_scene_line(scene, of_scene, clip.subject if clip else "script"))
    return lines


def _scene_line(scene: PerceptionScene, of_scene: Sequence[FrameResult], subject: str) -> str:
    settings, metrics = scene.settings, metrics_of_frames(of_scene)
    errors_mm = [_mean_mm([shot.errors_m[shot.visible] for shot in of_scene])]
    errors_mm.append(_mean_mm([shot.published_errors_m[shot.visible] for shot in of_scene]))
    return (
        f"{scene.name:25s}{subject:>9s}{settings.noise:>10s}{settings.distance_m:6.1f}{settings.camera_height_m:6.1f}"
        f"{settings.yaw_deg:5.0f}{settings.furniture:>10s}{metrics['found_pct']:7.0f}"
        f"{metrics['silhouette_iou_median']:7.3f}{metrics['silhouette_depth_iou_median']:9.3f}"
        f"{errors_mm[0]:9.0f}{errors_mm[1]:7.0f}{metrics['swaps']:7.0f}{metrics['published_swaps']:6.0f}"
    )


def joint_table(shots: Sequence[FrameResult]) -> list[str]:
    """Return a heading and one line per joint: mean and 95th percentile of the error where the joint is visible."""
    lines = ["joint               visible  error [mm]    p95  within 100  published [mm]    p95"]
    for index, name in enumerate(SMPL_24.joint_names):
        visible = [shot for shot in shots if shot.visible[index]]
        errors_mm = np.array([1e3 * shot.errors_m[index] for shot in visible])
        published = np.array([1e3 * shot.published_errors_m[index] for shot in visible])
        within = (
            100.0 * float(np.mean(np.nan_to_num(errors_mm, nan=np.inf) <= 100.0)) if len(errors_mm) else float("nan")
        )
        mean, high = _mean_and_p95(errors_mm)
        published_mean, published_high = _mean_and_p95(published)
        lines.append(
            f"{name:18s}{len(visible):9d}{mean:12.0f}{high:7.0f}{within:11.0f}%{published_mean:16.0f}{published_high:7.0f}"
        )
    return lines


def _mean_mm(parts_m: Sequence[np.ndarray[tuple[int, ...], np.dtype[np.float64]]]) -> float:
    return 1e3 * _mean_and_p95(np.concatenate(parts_m))[0] if parts_m else float("nan")


def _mean_and_p95(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> tuple[float, float]:
    known = values[np.isfinite(values)]
    if not known.size:
        return float("nan"), float("nan")
    return float(known.mean()), float(np.percentile(known, 95))
