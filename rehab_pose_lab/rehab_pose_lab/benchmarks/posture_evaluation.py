"""Benchmark of postures and camera attitudes: detection, errors and confidence of the published joints."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from rehab_pose.datatypes import unknown_direction
from rehab_pose.pipeline import LabelStages, PipelineSettings
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.benchmarks.coverage import overconfident_pct
from rehab_pose_lab.benchmarks.perception_errors import joint_errors_m
from rehab_pose_lab.benchmarks.posture_scenes import attitude_scenes, posture_scenes
from rehab_pose_sim.camera import SimulatedCamera

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from rehab_pose.datatypes import Joints
    from rehab_pose_lab.benchmarks.posture_scenes import PostureScene

__all__ = ["DEPTH_ONLY", "PostureRow", "counted_error_mm", "evaluate_postures", "posture_metrics", "posture_table"]

SETTLING_FRAMES = 4
"""First frames of a scene, in which the person is found for the first time; they are not evaluated."""
FRAMES = 20
"""Evaluated frames of a scene."""
ALLOWED_MM = 60.0
"""Mean error up to which all joints of a row count [mm]."""
COUNTED_CONFIDENCE = 0.3
"""In rows with a larger mean error, only joints with at least this confidence count."""
DEPTH_ONLY: Mapping[str, Mapping[str, object]] = {
    "image_joints": {"enabled": False},
    "joints": {"method": "network"},
    "silhouette": {"method": "rgbd"},
}
"""Settings of the networks that use only depth."""
WITH_COLOR, BY_DEPTH, WITHOUT_GRAVITY = "with colour", "depth only", "no gravity"


@dataclass(frozen=True, eq=False)
class PostureRow:
    """The published joints of one method in the N frames of all scenes with the same name."""

    name: str
    errors_m: NDArray[np.float64]
    """(N, 24) distance from the true position [m]; NaN where no person was found or the joint is missing."""
    sigma_m: NDArray[np.float64]
    """(N, 24) [m]."""
    confidence: NDArray[np.float64]
    """(N, 24) 0-1; 0 where no person was found."""

    @property
    def found_pct(self) -> float:
        """Share of frames in which a person was found [%]."""
        return 100.0 * float(np.isfinite(self.errors_m).any(axis=1).mean())

    @property
    def error_mm(self) -> float:
        """Mean error of all joints [mm]; NaN where the person was never found."""
        known = self.errors_m[np.isfinite(self.errors_m)]
        return 1e3 * float(known.mean()) if known.size else float("nan")

    @property
    def mean_confidence(self) -> float:
        """Mean confidence in the frames with a person."""
        found = np.isfinite(self.errors_m)
        return float(self.confidence[found].mean()) if found.any() else float("nan")

    @property
    def overconfident_pct(self) -> float:
        """Share of joints that are more than three sigma from the truth with a confidence over 0.5 [%]."""
        return overconfident_pct(self.errors_m, self.sigma_m, self.confidence)


def counted_error_mm(row: PostureRow) -> float:
    """Return the mean error of all joints [mm]; if that is over 60 mm, of the joints with a confidence of at least 0.3.

    NaN where no joint counts: nothing was found, or nothing is claimed.
    """
    if not row.error_mm > ALLOWED_MM:
        return row.error_mm
    counted = np.isfinite(row.errors_m) & (row.confidence >= COUNTED_CONFIDENCE)
    return 1e3 * float(row.errors_m[counted].mean()) if counted.any() else float("nan")


def evaluate_postures(
    scenes: Sequence[PostureScene], *, frames: int = FRAMES, quiet: bool = False
) -> dict[str, list[PostureRow]]:
    """Run the stages up to the joints on every scene.

    Args:
        scenes: Scenes; those of the same name make one row.
        frames: Evaluated frames of each scene.
        quiet: No progress bar.

    Returns:
        Rows by name of the method: with colour; by depth only; and, where the frames of a scene carry the direction of
        gravity, with colour but without that direction.
    """
    stages = {name: LabelStages(PipelineSettings()) for name in (WITH_COLOR, WITHOUT_GRAVITY)}
    stages[BY_DEPTH] = LabelStages(PipelineSettings.from_mapping(DEPTH_ONLY))
    measured: dict[str, dict[str, list[tuple[NDArray[np.float64], ...]]]] = {name: {} for name in stages}
    for scene in tqdm(scenes, desc="postures", disable=quiet):
        camera = SimulatedCamera(scene.settings)
        used = {name: entry for name, entry in stages.items() if scene.settings.imu or name != WITHOUT_GRAVITY}
        for entry in used.values():
            entry.reset()
        for index in range(SETTLING_FRAMES + frames):
            shot = camera.frame(index)
            for name, entry in used.items():
                frame = replace(shot.frame, up=unknown_direction()) if name == WITHOUT_GRAVITY else shot.frame
                joints = entry.process(frame).joints
                if index >= SETTLING_FRAMES:
                    measured[name].setdefault(scene.name, []).append(_measured(joints, shot.truth.joints_m))
    return {
        method: [
            PostureRow(name, *(np.array(values) for values in zip(*entries, strict=True)))
            for name, entries in rows.items()
        ]
        for method, rows in measured.items()
    }


def _measured(joints: Joints | None, truth_m: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
    """Return errors (24) [m], sigma (24) [m] and confidence (24) of one frame."""
    if joints is None:
        missing = np.full(len(SMPL_24), np.nan)
        return missing, missing, np.zeros(len(SMPL_24))
    return joint_errors_m(joints.positions_m, truth_m), joints.sigma_m, joints.confidence


def posture_metrics(*, quiet: bool = False) -> tuple[dict[str, float], list[str]]:
    """Evaluate all postures and attitudes; return metrics of the worst row of each kind, and the lines of both tables.

    Errors are those of `counted_error_mm`; a row in which no joint counts has none. Metrics that begin with
    `attitude_` are with the direction of gravity, those with `attitude_unaided_` without.
    """
    postures = evaluate_postures(posture_scenes(), quiet=quiet)
    attitudes = evaluate_postures(attitude_scenes(), quiet=quiet)
    unaided = attitudes[WITHOUT_GRAVITY]
    rows = (*postures[WITH_COLOR], *attitudes[WITH_COLOR])
    metrics = {
        "posture_found_pct_min": min(row.found_pct for row in postures[WITH_COLOR]),
        "posture_error_mm_max": _largest(postures[WITH_COLOR]),
        "posture_error_mm_mean": float(np.nanmean([row.error_mm for row in postures[WITH_COLOR]])),
        "attitude_found_pct_min": min(row.found_pct for row in attitudes[WITH_COLOR]),
        "attitude_error_mm_max": _largest(attitudes[WITH_COLOR]),
        "attitude_unaided_found_pct_min": min(row.found_pct for row in unaided),
        "attitude_unaided_error_mm_max": _largest(unaided),
        "overconfident_pct": float(np.nanmax([row.overconfident_pct for row in rows])),
        "overconfident_pct_mean": float(np.nanmean([row.overconfident_pct for row in rows])),
        "unaided_overconfident_pct": float(np.nanmax([row.overconfident_pct for row in unaided])),
        "depth_only_posture_found_pct_min": min(row.found_pct for row in postures[BY_DEPTH]),
        "depth_only_posture_error_mm_max": _largest(postures[BY_DEPTH]),
    }
    lines = [*posture_table(postures), "", *posture_table(attitudes)]
    return metrics, lines


def _largest(rows: Sequence[PostureRow]) -> float:
    """Return the largest counted error [mm]; NaN where no row has one."""
    errors = [counted_error_mm(row) for row in rows]
    return float(np.nanmax(errors)) if np.isfinite(errors).any() else float("nan")


def posture_table(measured: Mapping[str, Sequence[PostureRow]]) -> list[str]:
    """Return two heading lines and one line per row.

    Of each method: frames with a person [%], mean error of all joints and of those that count [mm], mean confidence,
    and joints more than three sigma from the truth with a confidence over 0.5 [%].
    """
    methods = [method for method, rows in measured.items() if rows]
    titles = f"{'':22s}" + "".join(f"  | {method:33s}" for method in methods)
    units = f"{'':22s}" + "  |  found  error counted  conf  over3s" * len(methods)
    lines = [titles.rstrip(), units]
    for rows in zip(*(measured[method] for method in methods), strict=True):
        cells = "".join(
            f"  |{row.found_pct:7.0f}{row.error_mm:7.0f}{counted_error_mm(row):8.0f}{row.mean_confidence:6.2f}"
            f"{row.overconfident_pct:8.1f}"
            for row in rows
        )
        lines.append(f"{rows[0].name:22s}{cells}")
    return lines
