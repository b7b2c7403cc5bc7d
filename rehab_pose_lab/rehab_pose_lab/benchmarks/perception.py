"""Benchmark of perception: silhouettes and joints against ground truth, on rendered scenes and one real frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rehab_pose.body.loader import load_body_model
from rehab_pose.silhouette.settings import SilhouetteSettings
from rehab_pose_lab.benchmarks.kinect_frame import error_after_offset_mm, kinect_frames, process_kinect_frame
from rehab_pose_lab.benchmarks.perception_evaluation import TRUTH, evaluate_scenes, metrics_of_frames
from rehab_pose_lab.benchmarks.perception_pictures import PictureBook
from rehab_pose_lab.benchmarks.perception_scenes import clips_of_scenes, perception_scenes
from rehab_pose_lab.benchmarks.perception_speed import perception_speed_metrics
from rehab_pose_lab.benchmarks.perception_tables import joint_table, scene_table
from rehab_pose_lab.benchmarks.posture_evaluation import posture_metrics
from rehab_pose_lab.datasets.location import data_folder

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["PerceptionResult", "perception_metrics"]

KINECT_FOLDER, STANDING = "irds/irds_depth", "stand"
"""Folder of the real frames, and part of the name of the one that is evaluated."""


@dataclass(frozen=True)
class PerceptionResult:
    """Result of the benchmark."""

    metrics: dict[str, float]
    tables: tuple[str, ...]
    """Lines of the tables per scene, per joint, per posture and per attitude of the camera."""
    pictures: Path | None
    """Contact sheet, where pictures were requested."""


def perception_metrics(*, method: str = "", pictures: Path | None = None) -> PerceptionResult:
    """Evaluate all scenes, one real frame, the computing times and, by the default method, postures and attitudes.

    Args:
        method: Method of the silhouettes that joints are predicted from; empty: the default of the settings; truth: the
            true silhouettes, without real frame and computing times.
        pictures: Folder for one picture per scene, or None.

    Returns:
        Metrics, tables and pictures; metrics that need missing data sets are NaN.

    Raises:
        RecordingError: A data set is unusable, or a picture cannot be written.
    """
    method = method or SilhouetteSettings().method
    folder, scenes = data_folder(), perception_scenes()
    clips = clips_of_scenes(scenes, folder)
    book = None if pictures is None else PictureBook(pictures, load_body_model())
    results = evaluate_scenes(scenes, clips, method=method, show=None if book is None else book.show)
    metrics = metrics_of_frames(results)
    metrics["recorded_scenes"] = float(len(clips))
    if method != TRUTH:
        metrics["irds_error_mm"] = _kinect_error_mm(folder, method, book)
        metrics.update(perception_speed_metrics(method))
    tables = [*scene_table(results, clips), "", *joint_table(results)]
    if method == SilhouetteSettings().method:
        of_postures, lines = posture_metrics()
        metrics.update(of_postures)
        tables += ["", *lines]
    return PerceptionResult(metrics, tuple(tables), None if book is None else book.finish())


def _kinect_error_mm(folder: Path, method: str, book: PictureBook | None) -> float:
    """Return the joint error on the real frame of a standing person [mm]; NaN where the data are missing."""
    error_mm = float("nan")
    for given in kinect_frames(folder / KINECT_FOLDER):
        silhouette, joints = process_kinect_frame(given, method)
        if STANDING in given.name and joints is not None:
            error_mm = error_after_offset_mm(joints.positions_m, given.joints_m)
        if book is not None:
            book.show_result(given.name, given.frame, silhouette, joints)
    return error_mm
