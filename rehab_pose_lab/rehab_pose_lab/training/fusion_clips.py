"""Recorded people as RGB-D: KIMORE's movements rendered, and what every stage of the pipeline found in the images.

KIMORE holds skeletons alone; on rendered images of the same movements every stream of Eq 30 can be had, with a real
person's way of moving and the errors that silhouettes, keypoints, parts and fits really have.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from rehab_pose.errors import RecordingError
from rehab_pose.exercise.features import FEATURE_INDEX, SAMPLE_RATE_HZ
from rehab_pose.geometry.floor import CAMERA_UP, up_of_floor
from rehab_pose.pipeline import Pipeline
from rehab_pose_lab.datasets.clip import middle_of_clip
from rehab_pose_lab.datasets.kimore import SUSPECT_CLIPS, load_kimore
from rehab_pose_lab.methods.exercise.fusion import FrameFindings, gather_frame
from rehab_pose_lab.training.recorded_motion import recorded_motion
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose.body.model import BodyModel
    from rehab_pose_lab.datasets.clip import Clip

__all__ = ["FusionClip", "fusion_clips", "spread_vertices"]

logger = logging.getLogger(__name__)

SECONDS = 6.0
"""From the middle of each recording, where the exercise is under way."""
MAX_YAW_DEG = 25.0
DISTANCE_RANGE_M = (2.2, 3.2)
VERTICES = 128


@dataclass(frozen=True, eq=False)
class FusionClip:
    """One rendered recording, a sample every 0.1 s."""

    name: str
    subject: str
    label: str
    positions_m: NDArray[np.float32]
    """(T, J, 3) FEATURE_JOINTS as the pipeline found them [m]; NaN = missing."""
    up: NDArray[np.float64]
    """(3) against gravity, by the floor that was seen."""
    frames: tuple[FrameFindings, ...]
    """T findings."""


def fusion_clips(data: Path, folder: Path, *, seed: int) -> list[FusionClip]:
    """Return one clip a recording of KIMORE; those already made are read from the folder.

    Args:
        data: Folder with one folder a data set.
        folder: Where the made clips are kept, a file each.
        seed: Of bodies, rooms and cameras.
    """
    folder.mkdir(parents=True, exist_ok=True)
    recordings = [clip for clip in load_kimore(data / "kimore") if clip.name not in SUSPECT_CLIPS]
    found, left_out = [], 0
    pipeline: Pipeline | None = None
    for number, recording in enumerate(tqdm(recordings, unit="clip", desc="rendered recordings", mininterval=5.0)):
        path = folder / f"{recording.name}.npz"
        if not path.is_file():
            pipeline = pipeline or Pipeline()
            try:
                _make(recording, pipeline, path, [seed, number])
            except RecordingError as error:
                logger.info("%s", error)
                left_out += 1
                continue
        found.append(_read(path, recording))
    logger.info("%d recordings rendered, %d show no posture that a body can take", len(found), left_out)
    return found


def spread_vertices(model: BodyModel, count: int) -> NDArray[np.int64]:
    """Return vertices (count) spread over the surface: each the farthest from those before it."""
    points_m = model.v_template
    chosen = [int(points_m[:, 1].argmax())]
    distance = np.linalg.norm(points_m - points_m[chosen[0]], axis=1)
    while len(chosen) < count:
        chosen.append(int(distance.argmax()))
        distance = np.minimum(distance, np.linalg.norm(points_m - points_m[chosen[-1]], axis=1))
    return np.array(chosen, dtype=np.int64)


def _make(recording: Clip, pipeline: Pipeline, path: Path, seed: list[int]) -> None:
    """Render a recording and write what the pipeline found.

    Raises:
        RecordingError: Too few of its frames show a posture that a body can take.
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
    motion = recorded_motion(
        middle_of_clip(recording, SECONDS), pipeline.model, random.normal(size=10), heading_rad=heading_rad
    )
    camera = SimulatedCamera(settings, pipeline.model, motion)
    vertices = spread_vertices(pipeline.model, VERTICES)
    pipeline.reset()
    positions, up, frames = [], CAMERA_UP, []
    for index in range(round(SECONDS * SAMPLE_RATE_HZ)):
        result = pipeline.process(camera.frame(index).frame)
        joints = result.joints
        seen = np.full((len(FEATURE_INDEX), 3), np.nan) if joints is None else joints.positions_m[FEATURE_INDEX]
        seen_up = None if joints is None else up_of_floor(result.floor_plane)
        up = up if seen_up is None else seen_up
        positions.append(seen)
        frames.append(gather_frame(result.keypoints, result.parts, result.body, vertices))
    points = max(frame.contours_px.shape[1] for frame in frames)
    contours = [np.broadcast_to(frame.contours_px, (len(frame.contours_px), points, 2)) for frame in frames]
    part = path.with_suffix(".part.npz")
    np.savez_compressed(
        part,
        positions_m=np.array(positions, dtype=np.float32),
        up=up,
        families=np.array([frame.families for frame in frames]),
        contours_px=np.array(contours, dtype=np.float32),
        box_px=np.array([frame.box_px for frame in frames]),
        rotations_rad=np.array([frame.rotations_rad for frame in frames]),
        vertices_m=np.array([frame.vertices_m for frame in frames]),
    )
    part.replace(path)


def _read(path: Path, recording: Clip) -> FusionClip:
    with np.load(path) as arrays:
        names = ("families", "contours_px", "box_px", "rotations_rad", "vertices_m")
        columns = [arrays[name] for name in names]
        frames = tuple(FrameFindings(*row) for row in zip(*columns, strict=True))
        return FusionClip(
            recording.name, recording.subject, recording.label, arrays["positions_m"], arrays["up"], frames
        )
