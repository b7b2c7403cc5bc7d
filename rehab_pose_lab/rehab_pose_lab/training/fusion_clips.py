"""KIMORE's movements rendered as RGB-D, and the results of all stages of the pipeline on the images.

KIMORE contains only skeletons. Rendered images of the same movements give every stream of Eq 30, with the movements of
real people and the errors of silhouettes, keypoints, parts and fits.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from rehab_pose.errors import RecordingError
from rehab_pose.exercise.window_features import SAMPLE_RATE_HZ, SMPL_INDICES
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

__all__ = ["FusionClip", "farthest_vertices", "fusion_clips"]

logger = logging.getLogger(__name__)

SECONDS = 6.0
"""Length of the part from the middle of each recording [s]."""
MAX_YAW_DEG = 25.0
DISTANCE_RANGE_M = (2.2, 3.2)
"""Range of the camera's distance [m]."""
VERTICES = 128
"""Vertices of the body that are stored."""


@dataclass(frozen=True, eq=False)
class FusionClip:
    """One rendered recording, a sample every 0.1 s."""

    name: str
    subject: str
    label: str
    positions_m: NDArray[np.float32]
    """(T, J, 3) FEATURE_JOINTS from the pipeline [m]; NaN = missing."""
    up: NDArray[np.float64]
    """(3) unit vector against gravity, from the detected floor."""
    frames: tuple[FrameFindings, ...]
    """Results of the T frames."""


def fusion_clips(data: Path, folder: Path, *, seed: int) -> list[FusionClip]:
    """Return one clip per recording of KIMORE; clips that exist in the folder are not rendered again.

    Args:
        data: Folder with one folder per data set.
        folder: Folder of the rendered clips, one file each.
        seed: Seed of bodies, rooms and cameras.
    """
    folder.mkdir(parents=True, exist_ok=True)
    recordings = [clip for clip in load_kimore(data / "kimore") if clip.name not in SUSPECT_CLIPS]
    clips, left_out = [], 0
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
        clips.append(_read(path, recording))
    logger.info("%d recordings rendered, %d show no possible pose", len(clips), left_out)
    return clips


def farthest_vertices(model: BodyModel, count: int) -> NDArray[np.int64]:
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
    motion = recorded_motion(
        middle_of_clip(recording, SECONDS), pipeline.model, random.normal(size=10), heading_rad=heading_rad
    )
    camera = SimulatedCamera(settings, pipeline.model, motion)
    vertices = farthest_vertices(pipeline.model, VERTICES)
    pipeline.reset()
    positions, up, frames = [], CAMERA_UP, []
    for index in range(round(SECONDS * SAMPLE_RATE_HZ)):
        result = pipeline.process(camera.frame(index).frame)
        joints = result.joints
        measured_m = np.full((len(SMPL_INDICES), 3), np.nan) if joints is None else joints.positions_m[SMPL_INDICES]
        floor_up = None if joints is None else up_of_floor(result.floor_plane)
        up = up if floor_up is None else floor_up
        positions.append(measured_m)
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
