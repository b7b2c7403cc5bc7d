"""Summary of a recording: one JSON file with the results of every frame."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from rehab_pose.output_file import write_new

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rehab_pose.datatypes import Joints, Repetition
    from rehab_pose.pipeline import PipelineResult

__all__ = ["RESULT_FOLDER", "SUMMARY", "frame_summary", "write_summary"]

RESULT_FOLDER = "results"
"""Name of the bag of results beside the file."""
SUMMARY = "summary.json"
"""Name of the file."""


def frame_summary(result: PipelineResult) -> dict[str, Any]:
    """Return the results of one frame as JSON values.

    `joints` maps each name to [x, y, z, confidence] in metres in the camera's optical frame. It is null if no person
    was found, and a coordinate is null if the joint is missing.
    """
    silhouette = result.silhouette
    classification = result.exercise.classification
    return {
        "stamp_ns": result.stamp_ns,
        "silhouette_area_px": 0 if silhouette is None else silhouette.area_px,
        "silhouette_box": None if silhouette is None else list(silhouette.box_px),
        "joints": None if result.joints is None else _joints(result.joints),
        "label": classification.label,
        "confidence": _number(classification.confidence),
        "repetition": None if result.exercise.repetition is None else _repetition(result.exercise.repetition),
    }


def write_summary(path: Path, recording: str, models: dict[str, str], frames: Iterable[dict[str, Any]]) -> None:
    """Write the summaries of frames, with the ids of the models that computed them.

    Raises:
        RecordingError: The file exists already or cannot be written.
    """
    content = {"recording": recording, "models": models, "frames": list(frames)}
    write_new(path, f"{json.dumps(content, indent=1, allow_nan=False)}\n".encode())


def _joints(joints: Joints) -> dict[str, list[float | None]]:
    return {
        name: [*(_number(value) for value in position), _number(confidence)]
        for name, position, confidence in zip(
            joints.skeleton.joint_names, joints.positions_m, joints.confidence, strict=True
        )
    }


def _repetition(repetition: Repetition) -> dict[str, Any]:
    return {
        "label": repetition.label,
        "count": repetition.count,
        "start_ns": repetition.start_ns,
        "end_ns": repetition.end_ns,
        "signal": repetition.signal_name,
        "minimum": _number(repetition.signal_minimum),
        "maximum": _number(repetition.signal_maximum),
        "quality": _number(repetition.quality),
        "quality_low": _number(repetition.quality_low),
        "quality_high": _number(repetition.quality_high),
        "quality_withheld": repetition.quality_withheld,
        "reasons": list(repetition.reasons),
    }


def _number(value: float) -> float | None:
    """Return a number rounded to 0.0001 (0.1 mm), None for NaN and infinity, which JSON lacks."""
    return round(float(value), 4) if math.isfinite(value) else None
