"""Measure silhouettes and joints on the scenes of `perception_scenes`, beside the published rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from tqdm import tqdm

from rehab_pose.body.loader import load_body_model
from rehab_pose.capture.cleaning import DepthCleaner
from rehab_pose.datatypes import JointVisibility
from rehab_pose.joints.predictor import JointPredictor
from rehab_pose.joints.settings import JointSettings
from rehab_pose.silhouette.segmenter import SilhouetteSegmenter
from rehab_pose.silhouette.settings import SilhouetteSettings
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.benchmarks.perception_metrics import joint_errors_m, overlap, pck, sides_swapped
from rehab_pose_lab.benchmarks.perception_truth import true_silhouette
from rehab_pose_lab.training.recorded_motion import recorded_motion
from rehab_pose_sim.camera import SHAPE_SPREAD, SimulatedCamera

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from rehab_pose.datatypes import Joints, Silhouette
    from rehab_pose_lab.benchmarks.perception_scenes import PerceptionScene
    from rehab_pose_lab.datasets.clip import Clip
    from rehab_pose_sim.camera import SimulatedFrame, SimulatedTruth

__all__ = ["TRUTH", "Look", "Shot", "figures_of", "look_at", "shots_of_scenes"]

TRUTH = "truth"
"""Method of silhouettes that takes the true ones: what remains is the joints' own error."""
TIMES_A_SCENE = 25
FRAMES_A_TIME = 3
"""Filters need consecutive frames: of each burst the last frame counts."""


@dataclass(frozen=True, eq=False)
class Look:
    """What was seen in the last frame of a burst, and the truth; None where nobody was found."""

    shot: SimulatedFrame
    silhouette: Silhouette | None
    silhouette_depth: Silhouette | None
    joints: Joints | None
    published: Joints | None


@dataclass(frozen=True, eq=False)
class Shot:
    """The figures of one frame."""

    scene: PerceptionScene
    found: bool
    overlap: float
    overlap_depth: float
    errors_m: NDArray[np.float64]
    """(24) [m]; NaN = missing."""
    published_errors_m: NDArray[np.float64]
    """(24) of the published rules on the same silhouette [m]; NaN = missing."""
    visible: NDArray[np.bool_]
    """(24) which joints the image shows."""
    hidden: NDArray[np.bool_]
    """(24) which joints lie in the image behind something else."""
    observed: NDArray[np.bool_]
    """(24) which joints are said to be seen."""
    whole: bool
    """All joints lie in the image."""
    swapped: bool
    published_swapped: bool


def shots_of_scenes(
    scenes: Sequence[PerceptionScene],
    clips: Mapping[str, Clip],
    *,
    method: str = SilhouetteSettings().method,
    times: int = TIMES_A_SCENE,
    show: Callable[[PerceptionScene, Look], None] | None = None,
    quiet: bool = False,
) -> list[Shot]:
    """Look at every scene and return the figures of each frame.

    Args:
        scenes: What to look at.
        clips: The recorded movement of some scenes, by the scene's name.
        method: How the silhouettes are found that the joints are taken from: one of the settings', or TRUTH.
        times: How many moments of each scene.
        show: Called once a scene, with the moment in its middle.
        quiet: No progress bar.
    """
    cv2.setNumThreads(1)
    shots = []
    for scene in tqdm(scenes, desc="scenes", disable=quiet):
        looks = look_at(scene, clips.get(scene.name), method, times)
        shots += [_shot(scene, entry) for entry in looks]
        if show is not None:
            show(scene, looks[len(looks) // 2])
    return shots


def look_at(scene: PerceptionScene, clip: Clip | None, method: str, times: int) -> list[Look]:
    """Run silhouette and joints on short bursts spread over a scene's motion.

    The floor and the subject are followed through the whole scene; the joints' filter starts afresh with each burst.
    """
    model, motion = load_body_model(), None
    if clip is not None:
        random = np.random.default_rng(scene.settings.shape_seed)
        betas = np.clip(random.normal(0.0, SHAPE_SPREAD, model.shape_count), -2.0, 2.0)
        motion = recorded_motion(clip, model, betas, heading_rad=float(np.radians(scene.settings.yaw_deg)))
    camera = SimulatedCamera(scene.settings, model, motion)
    segment = true_silhouette if method == TRUTH else _by(method)
    segment_by_depth = _by("depth")
    predictors = (JointPredictor(), JointPredictor(JointSettings(method="paper")))
    cleaner = DepthCleaner()
    looks = []
    for last in np.linspace(FRAMES_A_TIME, camera.length_frames - 1, times).round().astype(int):
        for predictor in predictors:
            predictor.reset()
        for index in range(int(last) - FRAMES_A_TIME + 1, int(last) + 1):
            shot = camera.frame(index)
            shot = replace(shot, frame=replace(shot.frame, depth_m=cleaner.clean(shot.frame.depth_m)))
            silhouette, by_depth = segment(shot), segment_by_depth(shot)
            joints, published = (
                None if silhouette is None else predictor.predict(silhouette) for predictor in predictors
            )
        looks.append(Look(shot, silhouette, by_depth, joints, published))
    return looks


def _by(method: str) -> Callable[[SimulatedFrame], Silhouette | None]:
    segmenter = SilhouetteSegmenter(SilhouetteSettings(method=method))
    return lambda shot: segmenter.segment(shot.frame)


def _shot(scene: PerceptionScene, seen: Look) -> Shot:
    truth = seen.shot.truth
    pixels = seen.shot.frame.intrinsics.project(truth.joints_m)
    camera = seen.shot.frame.intrinsics
    in_image = ((pixels > -0.5) & (pixels < [camera.width_px - 0.5, camera.height_px - 0.5])).all(axis=1)
    state = np.full(len(SMPL_24), JointVisibility.MISSING) if seen.joints is None else seen.joints.visibility
    return Shot(
        scene=scene,
        found=seen.joints is not None,
        overlap=_overlap(seen.silhouette, truth),
        overlap_depth=_overlap(seen.silhouette_depth, truth),
        errors_m=_errors_m(seen.joints, truth),
        published_errors_m=_errors_m(seen.published, truth),
        visible=truth.joint_visible,
        hidden=in_image & ~truth.joint_visible,
        observed=state == JointVisibility.OBSERVED,
        whole=bool(in_image.all()),
        swapped=seen.joints is not None and sides_swapped(seen.joints.positions_m, truth.joints_m),
        published_swapped=seen.published is not None and sides_swapped(seen.published.positions_m, truth.joints_m),
    )


def _overlap(silhouette: Silhouette | None, truth: SimulatedTruth) -> float:
    return overlap(None if silhouette is None else silhouette.full_mask(), truth.silhouette)


def _errors_m(joints: Joints | None, truth: SimulatedTruth) -> NDArray[np.float64]:
    if joints is None:
        return np.full(len(SMPL_24), np.nan)
    return joint_errors_m(joints.positions_m, truth.joints_m)


def figures_of(shots: Sequence[Shot]) -> dict[str, float]:
    """Return the figures of all scenes together.

    The joints' main figures are over frames that show the whole person with nothing before it, all 24 joints; missing
    joints count against `pck100`, not in the errors. Silhouettes are measured in every scene.
    """
    whole = [shot for shot in shots if shot.whole and not shot.scene.occluded]
    clear = [shot for shot in shots if not shot.scene.occluded]
    occluded = [shot for shot in shots if shot.scene.occluded]
    overlaps, by_depth = [shot.overlap for shot in shots], [shot.overlap_depth for shot in shots]
    errors_mm = _joined([1e3 * shot.errors_m for shot in whole])
    published_mm = _joined([1e3 * shot.published_errors_m for shot in whole])
    hidden_said = _joined([~shot.observed[shot.hidden] for shot in occluded])
    visible_denied = _joined([~shot.observed[shot.visible] for shot in clear])
    return {
        "frames": float(len(shots)),
        "frames_whole_person": float(len(whole)),
        "found_pct": 100.0 * _mean([float(shot.found) for shot in shots]),
        "silhouette_iou_median": _percentile(overlaps, 50),
        "silhouette_iou_p5": _percentile(overlaps, 5),
        "silhouette_depth_iou_median": _percentile(by_depth, 50),
        "silhouette_depth_iou_p5": _percentile(by_depth, 5),
        "joint_error_mm_mean": _mean(errors_mm),
        "joint_error_mm_p95": _percentile(errors_mm, 95),
        "joint_error_visible_mm_mean": _mean(_joined([1e3 * shot.errors_m[shot.visible] for shot in clear])),
        "pck100": 100.0 * pck(errors_mm / 1e3),
        "swaps": float(sum(shot.swapped for shot in shots)),
        "published_joint_error_mm_mean": _mean(published_mm),
        "published_joint_error_mm_p95": _percentile(published_mm, 95),
        "published_joint_error_visible_mm_mean": _mean(
            _joined([1e3 * shot.published_errors_m[shot.visible] for shot in clear])
        ),
        "published_pck100": 100.0 * pck(published_mm / 1e3),
        "published_swaps": float(sum(shot.published_swapped for shot in shots)),
        "occluded_visible_error_mm": _mean(_joined([1e3 * shot.errors_m[shot.visible] for shot in occluded])),
        "occluded_said_pct": 100.0 * _mean(hidden_said),
        "visible_denied_pct": 100.0 * _mean(visible_denied),
    }


def _joined(parts: Sequence[NDArray[np.float64] | NDArray[np.bool_]]) -> NDArray[np.float64]:
    return np.concatenate([np.asarray(part, dtype=np.float64) for part in parts]) if parts else np.empty(0)


def _mean(values: Sequence[float] | NDArray[np.float64]) -> float:
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    return float(known.mean()) if known.size else float("nan")


def _percentile(values: Sequence[float] | NDArray[np.float64], share: float) -> float:
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    return float(np.percentile(known, share)) if known.size else float("nan")
