"""One JSON file that says what was found in every frame of a recording."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rehab_pose.datatypes import Joints, Repetition
    from rehab_pose.pipeline import PipelineResult

__all__ = ["frame_summary", "write_summary"]


def frame_summary(result: PipelineResult) -> dict[str, Any]:
    """Return what one frame gave, as plain numbers.

    `joints` maps each name to [x, y, z, confidence] in metres in the camera's optical frame; it is null when nobody is
    there, and a coordinate is null when the joint is missing.
    """
    silhouette = result.silhouette
    recognition = result.exercise.classification
    return {
        "stamp_ns": result.stamp_ns,
        "silhouette_area_px": 0 if silhouette is None else silhouette.area_px,
        "silhouette_box": None if silhouette is None else list(silhouette.box_px),
        "joints": None if result.joints is None else _joints(result.joints),
        "label": recognition.label,
        "confidence": _number(recognition.confidence),
        "repetition": None if result.exercise.repetition is None else _repetition(result.exercise.repetition),
    }


def write_summary(path: Path, recording: str, models: dict[str, str], frames: Iterable[dict[str, Any]]) -> None:
    """Write the frames' summaries with the names of the models that made them."""
    content = {"recording": recording, "models": models, "frames": list(frames)}
    path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n")


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
    }


def _number(value: float) -> float | None:
    """Return a number rounded to 0.1 mm or 0.0001, or None for one that JSON cannot write."""
    return round(float(value), 4) if math.isfinite(value) else None
