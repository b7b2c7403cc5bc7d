"""Benchmark of perception: silhouettes and joints on the scenes of `perception_scenes`, and the published rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from tqdm import tqdm

from rehab_pose.body.loader import load_body_model
from rehab_pose.body.settings import BodySettings
from rehab_pose.capture.cleaning import DepthCleaner
from rehab_pose.datatypes import JointVisibility
from rehab_pose.image_joints.settings import ImageJointSettings
from rehab_pose.joints.predictor import JointPredictor
from rehab_pose.joints.settings import JointSettings
from rehab_pose.silhouette.segmenter import SilhouetteSegmenter
from rehab_pose.silhouette.settings import SilhouetteSettings
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose.stage_groups import ImageResult, ImageStages, PoseStages
from rehab_pose_lab.benchmarks.perception_errors import joint_errors_m, overlap, pck, sides_swapped
from rehab_pose_lab.benchmarks.perception_truth import true_silhouette
from rehab_pose_lab.training.recorded_motion import recorded_motion
from rehab_pose_sim.camera import SimulatedCamera, random_shape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from rehab_pose.datatypes import Joints, Silhouette
    from rehab_pose_lab.benchmarks.perception_scenes import PerceptionScene
    from rehab_pose_lab.datasets.clip import Clip
    from rehab_pose_sim.camera import SimulatedFrame, SimulatedTruth

__all__ = ["TRUTH", "FrameResult", "Observation", "evaluate_scenes", "metrics_of_frames", "observe_scene"]

TRUTH = "truth"
"""Method that uses the true silhouettes, so that only the error of the joint predictor remains."""
TIMES_PER_SCENE = 25
"""Moments of each scene that are evaluated."""
FRAMES_PER_TIME = 3
"""Consecutive frames of each moment, which filters need; the last frame is evaluated."""


@dataclass(frozen=True, eq=False)
class Observation:
    """Results for the last frame of a moment, and the frame with its ground truth; None where no person is detected."""

    shot: SimulatedFrame
    silhouette: Silhouette | None
    silhouette_depth: Silhouette | None
    """Silhouette by the depth method."""
    joints: Joints | None
    published: Joints | None
    """Joints by the published rules."""


@dataclass(frozen=True, eq=False)
class FrameResult:
    """Errors of one frame."""

    scene: PerceptionScene
    detected: bool
    overlap: float
    """Intersection over union of the silhouettes."""
    overlap_depth: float
    """The same by the depth method."""
    errors_m: NDArray[np.float64]
    """(24) [m]; NaN = missing."""
    published_errors_m: NDArray[np.float64]
    """(24) of the published rules on the same silhouette [m]; NaN = missing."""
    visible: NDArray[np.bool_]
    """(24) joints that are visible in the image."""
    hidden: NDArray[np.bool_]
    """(24) joints that project into the image but are hidden by another surface."""
    observed: NDArray[np.bool_]
    """(24) joints that the predictor reports as observed."""
    complete: bool
    """All joints project into the image."""
    swapped: bool
    published_swapped: bool


def evaluate_scenes(
    scenes: Sequence[PerceptionScene],
    clips: Mapping[str, Clip],
    *,
    method: str = SilhouetteSettings().method,
    times: int = TIMES_PER_SCENE,
    show: Callable[[PerceptionScene, Observation], None] | None = None,
    quiet: bool = False,
) -> list[FrameResult]:
    """Evaluate every scene and return the results of each frame.

    Args:
        scenes: The scenes.
        clips: Recorded movement of some scenes, by name of the scene.
        method: Method of the silhouettes that joints are predicted from: one of the settings, or TRUTH.
        times: Number of moments of each scene.
        show: Called once per scene with the moment in its middle.
        quiet: No progress bar.
    """
    cv2.setNumThreads(1)
    shots = []
    for scene in tqdm(scenes, desc="scenes", disable=quiet):
        observations = observe_scene(scene, clips.get(scene.name), method, times)
        shots += [_frame_result(scene, entry) for entry in observations]
        if show is not None:
            show(scene, observations[len(observations) // 2])
    return shots


def observe_scene(scene: PerceptionScene, clip: Clip | None, method: str, times: int) -> list[Observation]:
    """Run the stages up to the joints on short sequences of frames distributed over a scene's motion.

    Floor, subject and shape are kept through the whole scene; the pose is forgotten before each sequence.
    """
    model, motion = load_body_model(), None
    if clip is not None:
        random = np.random.default_rng(scene.settings.shape_seed)
        betas = random_shape(random, model.shape_count)
        motion = recorded_motion(clip, model, betas, heading_rad=float(np.radians(scene.settings.yaw_deg)))
    camera = SimulatedCamera(scene.settings, model, motion)
    observe = _TrueImages() if method == TRUTH else _Images(method)
    segment_by_depth = SilhouetteSegmenter(SilhouetteSettings(method="depth"))
    pose, rules = PoseStages(JointSettings(), BodySettings()), JointPredictor(JointSettings(method="paper"))
    cleaner = DepthCleaner()
    observations = []
    for last in np.linspace(FRAMES_PER_TIME, camera.length_frames - 1, times).round().astype(int):
        pose.process(None, None)  # Forgets the pose and keeps the person's shape.
        rules.reset()
        for index in range(int(last) - FRAMES_PER_TIME + 1, int(last) + 1):
            shot = camera.frame(index)
            shot = replace(shot, frame=replace(shot.frame, depth_m=cleaner.clean(shot.frame.depth_m)))
            seen, by_depth = observe.process(shot), segment_by_depth.segment(shot.frame)
            joints = pose.process(seen.silhouette, seen.image_joints).joints
            published = None if seen.silhouette is None else rules.predict(seen.silhouette)
        observations.append(Observation(shot, seen.silhouette, by_depth, joints, published))
    return observations


class _TrueImages:
    """The true silhouettes, without landmarks."""

    @staticmethod
    def process(shot: SimulatedFrame) -> ImageResult:
        return ImageResult(true_silhouette(shot), None)


class _Images:
    """The stages on the images, with silhouettes by a method; only the default one uses landmarks."""

    def __init__(self, method: str) -> None:
        uses_landmarks = method == SilhouetteSettings().method
        self._stages = ImageStages(ImageJointSettings(enabled=uses_landmarks), SilhouetteSettings(method=method))

    def process(self, shot: SimulatedFrame) -> ImageResult:
        return self._stages.process(shot.frame)


def _frame_result(scene: PerceptionScene, observed: Observation) -> FrameResult:
    """Compare one observation with its ground truth."""
    truth = observed.shot.truth
    pixels = observed.shot.frame.intrinsics.project(truth.joints_m)
    camera = observed.shot.frame.intrinsics
    in_image = ((pixels > -0.5) & (pixels < [camera.width_px - 0.5, camera.height_px - 0.5])).all(axis=1)
    visibility = (
        np.full(len(SMPL_24), JointVisibility.MISSING) if observed.joints is None else observed.joints.visibility
    )
    return FrameResult(
        scene=scene,
        detected=observed.joints is not None,
        overlap=_overlap(observed.silhouette, truth),
        overlap_depth=_overlap(observed.silhouette_depth, truth),
        errors_m=_errors_m(observed.joints, truth),
        published_errors_m=_errors_m(observed.published, truth),
        visible=truth.joint_visible,
        hidden=in_image & ~truth.joint_visible,
        observed=visibility == JointVisibility.OBSERVED,
        complete=bool(in_image.all()),
        swapped=observed.joints is not None and sides_swapped(observed.joints.positions_m, truth.joints_m),
        published_swapped=observed.published is not None
        and sides_swapped(observed.published.positions_m, truth.joints_m),
    )


def _overlap(silhouette: Silhouette | None, truth: SimulatedTruth) -> float:
    return overlap(None if silhouette is None else silhouette.full_mask(), truth.silhouette)


def _errors_m(joints: Joints | None, truth: SimulatedTruth) -> NDArray[np.float64]:
    if joints is None:
        return np.full(len(SMPL_24), np.nan)
    return joint_errors_m(joints.positions_m, truth.joints_m)


def metrics_of_frames(shots: Sequence[FrameResult]) -> dict[str, float]:
    """Return the metrics of all frames together.

    The main metrics of the joints are over frames that show the complete person without furniture in front, for all 24
    joints; missing joints reduce `pck100` but are not part of the errors. Silhouettes are evaluated in every scene.
    """
    complete = [shot for shot in shots if shot.complete and not shot.scene.occluded]
    clear = [shot for shot in shots if not shot.scene.occluded]
    occluded = [shot for shot in shots if shot.scene.occluded]
    overlaps, by_depth = [shot.overlap for shot in shots], [shot.overlap_depth for shot in shots]
    errors_mm = _joined([1e3 * shot.errors_m for shot in complete])
    published_mm = _joined([1e3 * shot.published_errors_m for shot in complete])
    reported_hidden = _joined([~shot.observed[shot.hidden] for shot in occluded])
    reported_missing = _joined([~shot.observed[shot.visible] for shot in clear])
    return {
        "frames": float(len(shots)),
        "frames_whole_person": float(len(complete)),
        "found_pct": 100.0 * _mean([float(shot.detected) for shot in shots]),
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
        "occluded_said_pct": 100.0 * _mean(reported_hidden),
        "visible_denied_pct": 100.0 * _mean(reported_missing),
    }


def _joined(parts: Sequence[NDArray[np.float64] | NDArray[np.bool_]]) -> NDArray[np.float64]:
    return np.concatenate([np.asarray(part, dtype=np.float64) for part in parts]) if parts else np.empty(0)


def _mean(values: Sequence[float] | NDArray[np.float64]) -> float:
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    return float(known.mean()) if known.size else float("nan")


def _percentile(values: Sequence[float] | NDArray[np.float64], percent: float) -> float:
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    return float(np.percentile(known, percent)) if known.size else float("nan")
