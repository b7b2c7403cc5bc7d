"""Benchmark on recordings of real people, next to the published rules and the networks that use only depth.

The default pipeline is measured on a clip with marked joints, on UTD-MHAD, on one frame of IRDS and, for intervals and
jitter, on simulated people. Metrics that need a missing data set are NaN, and a note says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from rehab_pose.joints.settings import JointSettings
from rehab_pose.pipeline import Pipeline, PipelineSettings
from rehab_pose.silhouette.settings import SilhouetteSettings
from rehab_pose_lab.benchmarks.coverage import coverage_pct, overconfident_pct
from rehab_pose_lab.benchmarks.depth_estimators import FittedJoints, PredictedJoints
from rehab_pose_lab.benchmarks.kinect_frame import error_after_offset_mm, kinect_frames, process_kinect_frame
from rehab_pose_lab.benchmarks.perception_speed import machine_metrics
from rehab_pose_lab.benchmarks.real_clip import (
    PlaneSteps,
    load_marks,
    mark_metrics,
    mesh_overlap,
    mesh_wrist_ok_pct,
    plane_steps,
    read_clip,
    run_clip,
    segment_metrics,
)
from rehab_pose_lab.benchmarks.real_pictures import check_new_folder, write_contact_sheets
from rehab_pose_lab.benchmarks.real_utd import utd_errors, utd_metrics
from rehab_pose_lab.benchmarks.simulated_people import simulated_errors, simulated_jitter_mm
from rehab_pose_lab.datasets.location import data_folder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rehab_pose.body.model import BodyModel
    from rehab_pose_lab.benchmarks.real_clip import ClipRun, Marks

__all__ = ["RealResult", "real_metrics", "real_table"]

CLIP, MARKS = "rgbd_realsense/two_people_n40", "rgbd_realsense/two_people_marks.json"
UTD, KINECT, STANDING = "utd_mhad", "irds/irds_depth", "stand"
NAN = float("nan")
NETWORK, PAPER = "network", "paper"
DEPTH_ONLY: Mapping[str, Mapping[str, object]] = {
    "image_joints": {"enabled": False},
    "joints": {"method": NETWORK},
    "silhouette": {"method": "rgbd"},
}
PUBLISHED: Mapping[str, Mapping[str, object]] = {"joints": {"method": PAPER}}
FIRST_KEYS = (
    "marks_px_mean",
    "marks_over_20px_pct",
    "upper_arm_sd_mm",
    "forearm_sd_mm",
    "thigh_sd_mm",
    "shank_sd_mm",
    "still_rms_mm",
    "mesh_wrist_ok_pct",
    "plane_steps",
    "utd_mm_mean",
    "utd_wrist_mm",
    "utd_ankle_mm",
    "irds_error_mm",
    "cover90_pct",
    "image_joints_ms",
    "silhouette_ms",
    "estimate_ms",
    "machine_factor",
)
"""Metrics that come first, in this order."""
STAGES = {"image_joints": "image_joints", "silhouette": "silhouette", "estimate": "body"}
"""Metric and stage of the measured times."""


@dataclass(frozen=True)
class RealResult:
    """Result of the benchmark."""

    metrics: dict[str, float]
    """Of the default pipeline, FIRST_KEYS first."""
    columns: dict[str, dict[str, float]]
    """Metrics of the other methods: `network` (only depth) and `paper` (the published rules)."""
    notes: tuple[str, ...]
    """Lines about data sets that are missing."""
    pictures: tuple[Path, ...]
    """Contact sheets, where they were requested."""


def real_metrics(*, pictures: Path | None = None, clips: Sequence[Path] = ()) -> RealResult:
    """Measure everything.

    Args:
        pictures: New or empty folder for contact sheets of every clip, or None.
        clips: Further folders with color/, depth/ and a .json of intrinsics; their metrics begin with the name of the
            folder.

    Raises:
        RecordingError: A data set or clip is damaged, or the folder of the pictures is not empty.
    """
    if pictures is not None:
        check_new_folder(pictures)
    cv2.setNumThreads(1)
    folder, notes = data_folder(), []
    pipeline = Pipeline()
    pipeline.warm_up()
    metrics: dict[str, float] = dict.fromkeys(FIRST_KEYS, NAN)
    columns: dict[str, dict[str, float]] = {NETWORK: {}, PAPER: {}}
    planes: dict[str, PlaneSteps] = {}
    sheets: list[Path] = []
    if (folder / CLIP).is_dir() and (folder / MARKS).is_file():
        marks = load_marks(folder / MARKS)
        run = _clip(pipeline, folder / CLIP, for_times=True)
        # The machine is measured directly after the times, as other processes may slow down both.
        metrics |= clip_metrics(run, marks, pipeline.model) | _times(run) | machine_metrics()
        planes["clip"] = plane_steps([result.joint_angles for result in run.results])
        sheets += [] if pictures is None else write_contact_sheets(run, pipeline.model, pictures, (folder / CLIP).name)
        for name, values in ((NETWORK, DEPTH_ONLY), (PAPER, PUBLISHED)):
            other = _clip(Pipeline(PipelineSettings.from_mapping(values)), folder / CLIP)
            columns[name] |= clip_metrics(other, marks, pipeline.model)
        metrics["marks_depth_only_px_mean"] = columns[NETWORK]["marks_px_mean"]
    else:
        notes.append(_missing(folder, CLIP))
        metrics |= machine_metrics()
    for extra in clips:
        run = _clip(pipeline, extra)
        of_clip = clip_metrics(run, None, pipeline.model)
        metrics |= {f"{extra.name}_{key}": value for key, value in of_clip.items()}
        sheets += [] if pictures is None else write_contact_sheets(run, pipeline.model, pictures, extra.name)
    if (folder / UTD).is_dir():
        planes["utd"] = _add_utd(folder / UTD, metrics, columns)
    else:
        notes.append(_missing(folder, UTD))
    if (folder / KINECT).is_dir():
        metrics["irds_error_mm"] = _kinect_error_mm(folder / KINECT)
    else:
        notes.append(_missing(folder, KINECT))
    planes["simulated"] = _add_simulated(pipeline, metrics)
    metrics |= _plane_metrics(planes)
    return RealResult(metrics, columns, tuple(notes), tuple(sheets))


def clip_metrics(run: ClipRun, marks: Marks | None, model: BodyModel) -> dict[str, float]:
    """Return the metrics of one pipeline on a clip.

    Args:
        run: Results of the clip.
        marks: Marked joints, or None.
        model: Body model with the triangles of the fitted meshes.
    """
    metrics = {} if marks is None else mark_metrics(run, marks)
    metrics |= segment_metrics(run.joints_m())
    metrics |= {"mesh_wrist_ok_pct": mesh_wrist_ok_pct(run), "mesh_overlap": mesh_overlap(run, model)}
    return metrics | {"clip_found_pct": run.found_pct()}


def real_table(result: RealResult) -> list[str]:
    """Return one line per metric: the default pipeline, and the other methods where they are measured."""
    titles = ("here", "depth only", PAPER)
    width = max(len(name) for name in result.metrics) + 2
    lines = [f"{'':{width}s}" + "".join(f"{title:>12s}" for title in titles)]
    for name, value in result.metrics.items():
        others = [result.columns[column].get(name) for column in (NETWORK, PAPER)]
        cells = "".join(f"{'':12s}" if other is None else f"{other:12.2f}" for other in others)
        lines.append(f"{name:{width}s}{value:12.2f}{cells}".rstrip())
    return [*lines, *result.notes]


def _clip(pipeline: Pipeline, folder: Path, *, for_times: bool = False) -> ClipRun:
    names, frames = read_clip(folder)
    return run_clip(pipeline, names, frames, repeat_for_times=for_times)


def _times(run: ClipRun) -> dict[str, float]:
    """Return the median and mean time of the measured stages per frame [ms]; NaN for a stage that never ran."""
    times = {}
    for name, stage in STAGES.items():
        spent_ms = run.stage_ms.get(stage)
        times[f"{name}_ms"] = NAN if spent_ms is None else float(np.median(spent_ms))
        times[f"{name}_mean_ms"] = NAN if spent_ms is None else float(np.mean(spent_ms))
    return times


def _add_utd(root: Path, metrics: dict[str, float], columns: dict[str, dict[str, float]]) -> PlaneSteps:
    """Add the metrics of all methods on UTD-MHAD; return the steps of the planes of the fitted body."""
    rules = PredictedJoints(JointSettings(method=PAPER))
    network = PredictedJoints(JointSettings(method=NETWORK))
    errors = utd_errors(root, {"fitted": FittedJoints(), NETWORK: network, PAPER: rules})
    metrics |= utd_metrics(errors["fitted"])
    for name in columns:
        columns[name] |= utd_metrics(errors[name])
    steps = PlaneSteps()
    for run, turned in zip(errors["fitted"].angles, errors["fitted"].turned, strict=True):
        steps += plane_steps(run, turned)
    return steps


def _add_simulated(pipeline: Pipeline, metrics: dict[str, float]) -> PlaneSteps:
    """Add the metrics on simulated people; return the steps of the planes."""
    errors = simulated_errors(pipeline)
    jitter = simulated_jitter_mm(pipeline)
    metrics["cover90_pct"] = coverage_pct(errors.errors_m, errors.sigma_m)
    metrics["simulated_overconfident_pct"] = overconfident_pct(errors.errors_m, errors.sigma_m, errors.confidence)
    metrics["simulated_error_mm_mean"] = 1e3 * float(np.nanmean(errors.errors_m))
    metrics["still_simulated_rms_mm"] = float(np.sqrt(np.nanmean(jitter**2)))
    metrics["still_rms_mm"] = float(np.fmax(metrics["still_simulated_rms_mm"], metrics.get("still_utd_rms_mm", NAN)))
    return errors.planes


def _plane_metrics(planes: Mapping[str, PlaneSteps]) -> dict[str, float]:
    """Return the steps of the planes of elevation in all recordings and in each kind, by name of the kind."""
    total = sum(planes.values(), PlaneSteps())
    return {
        "plane_steps": float(total.confident_steps),
        "plane_confident_pct": _percent(total.confident_pairs, total.pairs),
        "plane_steps_any_confidence_pct": _percent(total.steps, total.pairs),
        "plane_steps_true": float(total.true_steps),
        **{f"plane_steps_{name}": float(of_kind.confident_steps) for name, of_kind in planes.items()},
    }


def _kinect_error_mm(folder: Path) -> float:
    """Return the joint error on the frame of a standing person [mm]; NaN where no joints are found."""
    for given in kinect_frames(folder):
        if STANDING in given.name:
            _, joints = process_kinect_frame(given, SilhouetteSettings().method)
            return NAN if joints is None else error_after_offset_mm(joints.positions_m, given.joints_m)
    return NAN


def _missing(folder: Path, name: str) -> str:
    return f"{name}: not in {folder}; its metrics are not measured (set REHAB_POSE_DATA to the folder of the data sets)"


def _percent(count: int, total: int) -> float:
    return 100.0 * count / total if total else NAN
