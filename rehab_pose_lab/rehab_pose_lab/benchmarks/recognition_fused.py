"""Cost of the exercise stage with all streams: time of a frame, and how much later the label comes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.exercise.recogniser import ExerciseRecogniser
from rehab_pose.exercise.settings import ExerciseSettings
from rehab_pose.pipeline import Pipeline
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from rehab_pose.pipeline import PipelineResult

__all__ = ["fused_frame_metrics"]

RATE_HZ = 30.0
"""Rate of the camera [Hz]."""
RECORDED_FRAMES, MEASURED_FRAMES, FIRST_FRAMES = 60, 900, 150
"""Frames that are rendered, frames that are measured (the rendered ones forwards and backwards), and frames before
them, in which the window fills: 5 s."""
CLASSIFIED_PERCENTILE = 500.0 / 6.0
"""Every third frame is classified and takes longest: this percentile of all frames is the median of those [%]."""


def fused_frame_metrics() -> dict[str, float]:
    """Return times of the processor on one thread [ms], so that other programs on the machine count little.

    `fused_frame_ms` is the median of a frame with `exercise.streams` = fused, with taking up the other stages' results;
    `fused_classified_ms` that of a frame in which the window is classified; `joints_frame_ms` and
    `joints_classified_ms` are those with the joints alone. `fused_label_growth_ms` is how much later the label of a
    classified frame comes: results are taken up after it.
    """
    camera = SimulatedCamera(SimulationSettings(exercise="squat", rate_hz=RATE_HZ, gap_s=0.0))
    pipeline = Pipeline()
    results = [pipeline.process(camera.frame(index).frame) for index in range(RECORDED_FRAMES)]
    (labels_ms, frames_ms), (fused_labels_ms, fused_frames_ms) = _times(results)
    slow = CLASSIFIED_PERCENTILE
    return {
        "fused_frame_ms": float(np.median(fused_frames_ms)),
        "fused_classified_ms": float(np.percentile(fused_frames_ms, slow)),
        "joints_frame_ms": float(np.median(frames_ms)),
        "joints_classified_ms": float(np.percentile(frames_ms, slow)),
        "fused_label_growth_ms": float(np.percentile(fused_labels_ms, slow) - np.percentile(labels_ms, slow)),
    }


def _times(results: Sequence[PipelineResult]) -> list[tuple[NDArray[np.float64], NDArray[np.float64]]]:
    """Return the processor's time of each frame until the label is there, and the whole time [ms].

    The stages of the joints alone and of all streams take turns, so that a busy machine slows both.
    """
    recognisers = [ExerciseRecogniser(ExerciseSettings(streams=streams)) for streams in ("joints", "fused")]
    order = [*range(len(results)), *range(len(results) - 2, 0, -1)]
    times_ms = np.zeros((len(recognisers), 2, FIRST_FRAMES + MEASURED_FRAMES))
    for frame in range(FIRST_FRAMES + MEASURED_FRAMES):
        result = results[order[frame % len(order)]]
        stamp_ns = round((frame + 1) * 1e9 / RATE_HZ)
        for recogniser, (labels_ms, frames_ms) in zip(recognisers, times_ms, strict=True):
            began = time.thread_time()
            recogniser.set_floor_plane(result.floor_plane)
            recogniser.recognise(stamp_ns, result.frame_id, result.joints)
            labels_ms[frame] = (time.thread_time() - began) * 1e3
            if recogniser.findings is not None:
                recogniser.findings.add_frame(stamp_ns, result.keypoints, result.parts, result.body)
            frames_ms[frame] = (time.thread_time() - began) * 1e3
    return [(labels_ms[FIRST_FRAMES:], frames_ms[FIRST_FRAMES:]) for labels_ms, frames_ms in times_ms]
