"""Recorded movements rendered as RGB-D, and the results of all stages of the pipeline on the images.

The public recordings of exercises contain only skeletons. Rendered images of the same movements give every stream of Eq
30, with the movements of real people and the errors of silhouettes, keypoints, parts and fits.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np
from tqdm import tqdm

from rehab_pose.array_file import ArrayFile
from rehab_pose.errors import RecordingError
from rehab_pose.exercise.catalogue import LABELS
from rehab_pose.exercise.fused_features import VERTEX_COUNT, Findings, contour_points, keypoint_summary
from rehab_pose.exercise.window_features import SAMPLE_RATE_HZ, SMPL_INDICES
from rehab_pose.geometry.floor import CAMERA_UP, up_of_floor
from rehab_pose.pipeline import Pipeline
from rehab_pose_lab.datasets.clip import middle_of_clip
from rehab_pose_lab.datasets.kimore import SUSPECT_CLIPS
from rehab_pose_lab.training.exercise_windows import label_of
from rehab_pose_lab.training.recorded_motion import recorded_motion
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose.datatypes import Body, BodyParts, Keypoints
    from rehab_pose_lab.datasets.clip import Clip

__all__ = [
    "FusionClip",
    "chosen_recordings",
    "farthest_vertices",
    "findings_of_frame",
    "fusion_clips",
    "read_frames",
    "write_frames",
]

logger = logging.getLogger(__name__)

SECONDS = 5.0
"""Length of the part from the middle of each recording [s]."""
MAX_YAW_DEG = 25.0
DISTANCE_RANGE_M = (2.2, 3.2)
"""Range of the camera's distance [m]."""
FINDINGS = ("boxes_px", "families", "contours_px", "rotations_rad", "vertices_m")
"""Arrays of `Findings` in a file."""


@dataclass(frozen=True, eq=False)
class FusionClip:
    """One rendered recording, a sample every 0.1 s."""

    dataset: str
    name: str
    subject: str
    label: str
    """One of LABELS."""
    positions_m: NDArray[np.float32]
    """(T, J, 3) FEATURE_JOINTS from the pipeline [m]; NaN = missing."""
    up: NDArray[np.float64]
    """(3) unit vector against gravity, from the detected floor."""
    findings: Findings
    """One window of T samples."""


def chosen_recordings(clips: Sequence[Clip], exercises: int, others: int, seed: int) -> list[Clip]:
    """Return recordings of exercises and of other movements, in turn from each label, set, movement and person.

    Args:
        clips: Recordings of several sets; suspect and ambiguous ones are left out.
        exercises: Number of recordings of LABELS without `none`.
        others: Number of recordings of movements that are none of them.
        seed: The same seed and clips give the same recordings; larger numbers add to them.
    """
    random = np.random.default_rng(seed)
    shuffled = [clips[place] for place in random.permutation(len(clips))]
    kinds: tuple[dict[str, list[Clip]], dict[str, list[Clip]]] = ({}, {})
    for clip in shuffled:
        label = label_of(clip)
        if label is not None and clip.name not in SUSPECT_CLIPS:
            kinds[label == 0].setdefault(f"{clip.dataset}/{clip.label}", []).append(clip)
    return _in_turn(kinds[0], exercises) + _in_turn(kinds[1], others)


def _in_turn(movements: dict[str, list[Clip]], count: int) -> list[Clip]:
    """Return up to `count` recordings, one of each movement in turn, of people who were taken least."""
    taken: dict[str, int] = {}
    left = {name: list(members) for name, members in sorted(movements.items())}
    chosen: list[Clip] = []
    while left and len(chosen) < count:
        for name in list(left):
            rarest = min(left[name], key=lambda clip: taken.get(f"{clip.dataset}/{clip.subject}", 0))
            person = f"{rarest.dataset}/{rarest.subject}"
            taken[person] = taken.get(person, 0) + 1
            chosen.append(rarest)
            left[name].remove(rarest)
            if not left[name]:
                del left[name]
    return chosen[:count]


def fusion_clips(recordings: Sequence[Clip], folder: Path, *, seed: int) -> list[FusionClip]:
    """Return one clip per recording; clips that exist in the folder are not rendered again.

    Args:
        recordings: SMPL_24 joints in the optical frame.
        folder: Folder of the rendered clips, one file each.
        seed: Seed of bodies, rooms and cameras.
    """
    folder.mkdir(parents=True, exist_ok=True)
    clips, left_out = [], 0
    pipeline: Pipeline | None = None
    for recording in tqdm(recordings, unit="clip", desc="rendered recordings", mininterval=5.0):
        path = folder / f"{recording.dataset}_{recording.name.replace('/', '_')}.npz"
        if not path.is_file():
            pipeline = pipeline or Pipeline()
            try:
                _make(recording, pipeline, path, [seed, crc32(path.stem.encode())])
            except RecordingError as error:
                logger.info("%s", error)
                left_out += 1
                continue
        names = {"dataset": recording.dataset, "name": recording.name, "subject": recording.subject}
        clips.append(read_frames(path, **names, label=LABELS[label_of(recording) or 0]))
    logger.info("%d recordings rendered, %d show no possible pose", len(clips), left_out)
    return clips


def farthest_vertices(model: BodyModel, count: int = VERTEX_COUNT) -> NDArray[np.int64]:
    """Return vertices (count) distributed over the surface by farthest-point sampling."""
    points_m = model.v_template
    chosen = [int(points_m[:, 1].argmax())]
    distance = np.linalg.norm(points_m - points_m[chosen[0]], axis=1)
    while len(chosen) < count:
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(points_m - points_m[chosen[-1]], axis=1))
    return np.array(chosen, dtype=np.int64)


def _make(recording: Clip, pipeline: Pipeline, path: Path, seed: list[int]) -> None:
    """Render a recording and write the results of the pipeline.

    Raises:
        RecordingError: Too few of its frames show a possible pose.
    """
    random = np.random.default_rng(seed)
    settings = SimulationSettings(
        rate_hz=SAMPLE_RATE_HZ,
        seed=int(random.integers(1, 2**31)),
        yaw_deg=0.0,
        distance_m=float(random.uniform(*DISTANCE_RANGE_M)),
        clothing_m=float(random.uniform(0.0, 0.03)),
        background_seed=int(random.integers(1, 2**31)),
        noise=str(random.choice(["realsense", "kinect"])),
    )
    heading_rad = float(np.radians(random.uniform(-MAX_YAW_DEG, MAX_YAW_DEG)))
    part = middle_of_clip(recording, SECONDS)
    motion = recorded_motion(part, pipeline.model, random.normal(size=10), heading_rad=heading_rad)
    camera = SimulatedCamera(settings, pipeline.model, motion)
    vertices = farthest_vertices(pipeline.model)
    pipeline.reset()
    positions, up, frames = [], CAMERA_UP, []
    for index in range(round(min(SECONDS, part.duration_s) * SAMPLE_RATE_HZ)):
        result = pipeline.process(camera.frame(index).frame)
        joints = result.joints
        measured_m = np.full((len(SMPL_INDICES), 3), np.nan) if joints is None else joints.positions_m[SMPL_INDICES]
        floor_up = None if joints is None else up_of_floor(result.floor_plane)
        up = up if floor_up is None else floor_up
        positions.append(measured_m)
        frames.append(findings_of_frame(result.keypoints, result.parts, result.body, vertices))
    write_frames(path, positions, up, frames)


def write_frames(
    path: Path, positions_m: Sequence[NDArray[Any]], up: NDArray[np.float64], frames: Sequence[Findings]
) -> None:
    """Write the joints (J, 3) [m] and the findings of consecutive frames, and the direction (3) against gravity."""
    partial = path.with_suffix(".part.npz")
    arrays: dict[str, Any] = {name: np.concatenate([getattr(frame, name)[0] for frame in frames]) for name in FINDINGS}
    np.savez_compressed(partial, positions_m=np.array(positions_m, dtype=np.float32), up=up, **arrays)
    partial.replace(path)


def findings_of_frame(
    keypoints: Keypoints | None, parts: BodyParts | None, body: Body | None, vertices: NDArray[np.int64]
) -> Findings:
    """Return what was found in one frame, None = missing, as a window of one sample with some of the vertices."""
    findings = Findings.missing(1, 1)
    if parts is not None:
        findings.boxes_px[0, 0] = parts.box_px
        findings.contours_px[0, 0] = contour_points(parts)
    if keypoints is not None and parts is not None:
        findings.families[0, 0] = keypoint_summary(keypoints, findings.boxes_px[0, 0])
    if body is not None:
        findings.rotations_rad[0, 0] = body.parameters.rotations_rad[1:]
        findings.vertices_m[0, 0] = body.vertices_m[vertices]
    return findings


def read_frames(path: Path, *, dataset: str, name: str, subject: str, label: str) -> FusionClip:
    """Return the clip that `write_frames` wrote, with its names."""
    with ArrayFile(path) as arrays:
        return FusionClip(
            dataset=dataset,
            name=name,
            subject=subject,
            label=label,
            positions_m=arrays["positions_m"],
            up=arrays["up"],
            findings=Findings(*(arrays[name][None] for name in FINDINGS)),
        )
