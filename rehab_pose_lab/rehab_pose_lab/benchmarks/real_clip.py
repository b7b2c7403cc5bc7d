"""Metrics of the pipeline on a clip of a real person, whose colour and depth images are in two folders."""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass, field
from itertools import islice, pairwise
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.bags.image_folders import ImageFolders
from rehab_pose.capture.calibration_file import read_calibration
from rehab_pose.drawing.rasteriser import render_person
from rehab_pose.errors import RecordingError
from rehab_pose.skeletons.blazepose33 import landmark
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.benchmarks.coverage import CONFIDENT, pixel_coverage_pct
from rehab_pose_lab.benchmarks.perception_errors import overlap

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose.datatypes import JointAngles, RgbdFrame
    from rehab_pose.pipeline import Pipeline, PipelineResult

__all__ = [
    "ClipRun",
    "Marks",
    "PlaneSteps",
    "load_marks",
    "mark_metrics",
    "mesh_overlap",
    "mesh_wrist_ok_pct",
    "plane_steps",
    "read_clip",
    "run_clip",
    "segment_metrics",
]

RATE_HZ = 15.0
"""Frame rate of the clips, whose files contain no stamps [Hz]: chosen, half that of the camera."""
MARGIN_PX = 20.0
"""Marks farther than this are missed [px]; a wrist is as broad at 2 m."""
SEGMENTS = {
    "upper_arm": ("shoulder", "elbow"),
    "forearm": ("elbow", "wrist"),
    "thigh": ("hip", "knee"),
    "shank": ("knee", "ankle"),
}
"""Upper and lower joint of the measured segments of both sides."""
WRISTS = tuple((SMPL_24.index(f"{side}_wrist"), landmark(f"{side}_wrist")) for side in ("left", "right"))
"""Index of each wrist in SMPL_24 and among the landmarks."""
MESH_NEAR_M, MESH_NEAR_PX = 0.060, 20.0
"""Largest distance of a mesh's wrist from the published one [m] and from the landmark [px]."""
VISIBLE = 0.9
"""A landmark with at least this visibility is compared with the mesh."""
MAX_STEP_RAD = np.radians(15.0)
"""Change of the plane of elevation from one frame to the next that counts as a step [rad]."""
PLANE_SUFFIX = "shoulder_elevation_plane"
MAX_MARK_FRAMES = 10_000
"""Largest number of frames that are read from a file of marks."""


@dataclass(frozen=True, eq=False)
class Marks:
    """Positions of joints that a person marked in colour images."""

    tolerance_px: float
    """Accuracy of the marks [px]."""
    frames: Mapping[str, Mapping[int, tuple[float, float]]]
    """Name of a frame: index in SMPL_24 of each marked joint: column and row [px]."""


@dataclass(frozen=True, eq=False)
class ClipRun:
    """The results of one pipeline on all frames of a clip."""

    names: tuple[str, ...]
    frames: tuple[RgbdFrame, ...]
    results: tuple[PipelineResult, ...]
    stage_ms: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    """Times of each stage in the frames in which it ran [ms]."""

    def joints_m(self) -> NDArray[np.float64]:
        """Return the published joints (T, 24, 3) [m]; NaN where no person was found."""
        missing = np.full((len(SMPL_24), 3), np.nan)
        return np.array([missing if r.joints is None else r.joints.positions_m for r in self.results])

    def found_pct(self) -> float:
        """Return the share of frames with a person [%]."""
        return 100.0 * float(np.mean([result.joints is not None for result in self.results]))


def read_clip(folder: Path) -> tuple[tuple[str, ...], tuple[RgbdFrame, ...]]:
    """Return names and frames of a folder with color/, depth/ (registered, millimetres) and one .json of intrinsics.

    Raises:
        RecordingError: A folder or the intrinsics are missing, or a file is damaged.
    """
    cameras = sorted(folder.glob("*.json"))
    if len(cameras) != 1 or not (folder / "color").is_dir() or not (folder / "depth").is_dir():
        msg = (
            f"{folder}: expected the folders color and depth and one .json with the intrinsics, "
            f"got {sorted(path.name for path in folder.glob('*'))[:8]}"
        )
        raise RecordingError(msg)
    images = ImageFolders(folder / "depth", read_calibration(cameras[0]), folder / "color", rate_hz=RATE_HZ)
    names, frames = zip(*images.frames(), strict=True)
    return names, frames


def load_marks(path: Path) -> Marks:
    """Read a file of marks.

    Raises:
        RecordingError: The file is missing or has other content.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        tolerance_px = float(content["tolerance_px"])
        frames = {
            str(frame): {SMPL_24.index(joint): (float(u), float(v)) for joint, (u, v) in joints.items()}
            for frame, joints in islice(content["frames"].items(), MAX_MARK_FRAMES)
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"{path}: expected tolerance_px and frames with joints of SMPL_24 and their u, v [px] ({error})"
        raise RecordingError(msg) from error
    if not np.isfinite([position for joints in frames.values() for position in joints.values()]).all():
        msg = f"{path}: expected finite positions [px]; correct or remove the marks that are not"
        raise RecordingError(msg)
    return Marks(tolerance_px, frames)


def run_clip(
    pipeline: Pipeline, names: Sequence[str], frames: Sequence[RgbdFrame], *, repeat_for_times: bool = False
) -> ClipRun:
    """Process a clip from its first frame.

    Args:
        pipeline: Reset before the clip.
        names: (T) of the frames.
        frames: (T) in order of time.
        repeat_for_times: The times are those of a second run through the clip, so that no kernel is loaded meanwhile.
    """
    pipeline.reset()
    results = tuple(pipeline.process(frame) for frame in frames)
    timed = results
    if repeat_for_times:
        pipeline.reset()
        timed = tuple(pipeline.process(frame) for frame in frames)
    stages = {stage for result in timed for stage in result.stage_ms}
    stage_ms = {
        stage: np.array([result.stage_ms[stage] for result in timed if stage in result.stage_ms]) for stage in stages
    }
    return ClipRun(tuple(names), tuple(frames), results, stage_ms)


def mark_metrics(run: ClipRun, marks: Marks) -> dict[str, float]:
    """Return distances of the projected published joints from the marks, and the coverage of their 90 % intervals.

    A joint that is missing at a mark is part of the marks over 20 px but not of the mean; `marks_followed_pct` is the
    share of marked frames whose silhouette's box contains most of the marks.
    """
    errors, sigmas, scales, followed = [], [], [], []
    for name, frame, result in zip(run.names, run.frames, run.results, strict=True):
        marked = marks.frames.get(name)
        if not marked:
            continue
        places, marked_px = list(marked), np.array(list(marked.values()))
        followed.append(_box_contains(result, marked_px))
        if result.joints is None:
            errors += [np.nan] * len(places)
            sigmas += [np.nan] * len(places)
            scales += [np.nan] * len(places)
            continue
        positions_m = result.joints.positions_m[places]
        errors += list(np.linalg.norm(frame.intrinsics.project(positions_m) - marked_px, axis=1))
        sigmas += list(result.joints.sigma_m[places])
        scales += list(0.5 * (frame.intrinsics.fx + frame.intrinsics.fy) / positions_m[:, 2])
    if not errors:
        return dict.fromkeys(_MARK_KEYS, float("nan"))
    errors_px = np.array(errors)
    known = errors_px[np.isfinite(errors_px)]
    far = np.nan_to_num(errors_px, nan=np.inf) > MARGIN_PX
    values = (
        float(known.mean()) if known.size else float("nan"),
        float(np.percentile(known, 90)) if known.size else float("nan"),
        100.0 * float(far.mean()),
        float(np.count_nonzero(~np.isfinite(errors_px))),
        100.0 * float(np.mean(followed)),
        pixel_coverage_pct(errors_px, np.array(sigmas), np.array(scales), marks.tolerance_px),
    )
    return dict(zip(_MARK_KEYS, values, strict=True))


_MARK_KEYS = (
    "marks_px_mean",
    "marks_px_p90",
    "marks_over_20px_pct",
    "marks_missing",
    "marks_followed_pct",
    "cover90_marks_pct",
)


def _box_contains(result: PipelineResult, marked_px: NDArray[np.float64]) -> bool:
    """Return whether the box of the silhouette, with a margin, contains more than half of the marks (N, 2) [px]."""
    if result.silhouette is None:
        return False
    x, y, width, height = result.silhouette.box_px
    inside = (marked_px >= (x - MARGIN_PX, y - MARGIN_PX)) & (
        marked_px <= (x + width + MARGIN_PX, y + height + MARGIN_PX)
    )
    return bool(inside.all(axis=1).mean() > 0.5)


def segment_metrics(joints_m: NDArray[np.float64]) -> dict[str, float]:
    """Return the standard deviation of the length of each kind of segment [mm], the mean of both sides.

    Args:
        joints_m: (T, 24, 3) of SMPL_24 over a clip [m]; NaN = missing.
    """
    metrics = {}
    for segment, (upper, lower) in SEGMENTS.items():
        sides = []
        for side in ("left", "right"):
            ends = joints_m[:, [SMPL_24.index(f"{side}_{upper}"), SMPL_24.index(f"{side}_{lower}")]]
            length_m = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
            known = length_m[np.isfinite(length_m)]
            sides.append(1e3 * float(known.std()) if known.size else float("nan"))
        metrics[f"{segment}_sd_mm"] = float(np.mean(sides))
    return metrics


def mesh_wrist_ok_pct(run: ClipRun) -> float:
    """Return the share of wrists in all frames at which the fitted mesh's wrist agrees with what is known [%].

    It agrees if it is within 60 mm of a confident published wrist and within 20 px of a landmark with a visibility of
    at least 0.9. The second condition is needed because the published joints may come from the mesh. Wrists with
    neither are left out; a frame without a body does not agree.
    """
    agree = []
    for frame, result in zip(run.frames, run.results, strict=True):
        landmarks = result.image_joints
        for wrist, mark in WRISTS:
            confident = result.joints is not None and result.joints.confidence[wrist] > CONFIDENT
            visible = landmarks is not None and landmarks.visibility[mark] >= VISIBLE
            if not (confident or visible):
                continue
            if result.body is None:
                agree.append(False)
                continue
            wrist_m = result.body.joint_positions_m[wrist]
            near = True
            if confident and result.joints is not None:
                near = float(np.linalg.norm(wrist_m - result.joints.positions_m[wrist])) <= MESH_NEAR_M
            if visible and landmarks is not None:
                distance_px = np.linalg.norm(frame.intrinsics.project(wrist_m) - landmarks.pixels[mark])
                near = near and bool(distance_px <= MESH_NEAR_PX)
            agree.append(near)
    return 100.0 * float(np.mean(agree)) if agree else float("nan")


def mesh_overlap(run: ClipRun, model: BodyModel) -> float:
    """Return the median intersection over union of the fitted mesh and the silhouette, 0-1; NaN without a body.

    Args:
        run: Results with vertices.
        model: Body model with the triangles of the meshes.
    """
    overlaps = []
    for frame, result in zip(run.frames, run.results, strict=True):
        if result.body is None or result.silhouette is None or not len(result.body.vertices_m):
            continue
        _, triangle_id = render_person(model, result.body.vertices_m, frame.intrinsics)
        overlaps.append(overlap(triangle_id >= 0, result.silhouette.full_mask()))
    return float(np.median(overlaps)) if overlaps else float("nan")


@dataclass(frozen=True)
class PlaneSteps:
    """Changes of the shoulders' planes of elevation between consecutive frames, both sides together."""

    confident_steps: int = 0
    """Steps over 15 degrees with a confidence over 0.5 in both frames."""
    confident_pairs: int = 0
    """Pairs of frames with that confidence."""
    steps: int = 0
    """Steps over 15 degrees at any confidence."""
    pairs: int = 0
    """Pairs of frames in which the plane is known."""
    true_steps: int = 0
    """Confident steps, not part of `confident_steps`, in which a reference shows that the arm turned as fast."""

    def __add__(self, other: PlaneSteps) -> PlaneSteps:
        """Return the sums."""
        return PlaneSteps(*(mine + theirs for mine, theirs in zip(astuple(self), astuple(other), strict=True)))


def plane_steps(angles: Sequence[JointAngles | None], turned: NDArray[np.bool_] | None = None) -> PlaneSteps:
    """Count the steps of the planes of elevation.

    Args:
        angles: (T) angles of consecutive frames; None where no person was found.
        turned: (T - 1, 2) True where a reference shows that the left and right upper arm really turned quickly from a
            frame to the next; None = there is no reference.
    """
    total = PlaneSteps()
    for place, (before, after) in enumerate(pairwise(angles)):
        if before is None or after is None:
            continue
        planes = [after.names.index(f"{side}_{PLANE_SUFFIX}") for side in ("left", "right")]
        change_rad = after.angles_rad[planes] - before.angles_rad[planes]
        change_rad = np.abs((change_rad + np.pi) % (2.0 * np.pi) - np.pi)
        known, large = np.isfinite(change_rad), change_rad > MAX_STEP_RAD
        sure = known & (np.minimum(before.confidence[planes], after.confidence[planes]) > CONFIDENT)
        moved = np.zeros(2, dtype=np.bool_) if turned is None else turned[place]
        total += PlaneSteps(
            confident_steps=int((sure & large & ~moved).sum()),
            confident_pairs=int(sure.sum()),
            steps=int((known & large & ~moved).sum()),
            pairs=int(known.sum()),
            true_steps=int((sure & large & moved).sum()),
        )
    return total
