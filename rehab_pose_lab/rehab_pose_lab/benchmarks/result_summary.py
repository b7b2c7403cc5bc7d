"""Results of the whole pipeline as numbers in full precision, and their comparison between two versions of the code.

`rehab-pose process` rounds its summary for people; here every float keeps all its digits, so that a change of the code
can be shown to leave the results as they are.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.errors import RecordingError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose.datatypes import RgbdFrame
    from rehab_pose.pipeline import Pipeline, PipelineResult

__all__ = ["compare_summaries", "read_summary", "summarise", "write_summary"]

HASH_LENGTH = 12
MAX_LISTED = 20
"""Differences that are listed one by one; the rest is counted."""


def summarise(pipeline: Pipeline, frames: Iterable[RgbdFrame], source: str) -> list[dict[str, Any]]:
    """Run the pipeline on frames and return one entry a frame; `source` names the recording in each."""
    return [_entry(f"{source} {index}", frame, pipeline.process(frame)) for index, frame in enumerate(frames)]


def _entry(name: str, frame: RgbdFrame, result: PipelineResult) -> dict[str, Any]:
    joints, body, update = result.joints, result.body, result.exercise
    repetition = update.repetition
    return {
        "name": name,
        "stamp_ns": result.stamp_ns,
        "input": hashlib.sha256(frame.color.tobytes() + frame.depth_m.tobytes()).hexdigest()[:HASH_LENGTH],
        "silhouette_px": 0 if result.silhouette is None else result.silhouette.area_px,
        "joints_m": None if joints is None else _numbers(joints.positions_m),
        "joint_sigma_m": None if joints is None else _numbers(joints.sigma_m),
        "joint_rotations": None if body is None else _numbers(body.joint_rotations),
        "betas": None if body is None else _numbers(body.parameters.betas),
        "angles_rad": None if result.joint_angles is None else _numbers(result.joint_angles.angles_rad),
        "label": update.classification.label,
        "confidence": _numbers(np.array([update.classification.confidence]))[0],
        "repetition": None
        if repetition is None
        else [
            repetition.label,
            repetition.count,
            repetition.start_ns,
            repetition.end_ns,
            float(repetition.signal_minimum),
            float(repetition.signal_maximum),
        ],
    }


def _numbers(values: NDArray[Any]) -> list[float | None]:
    """Return all numbers of an array, None for those that JSON cannot write."""
    return [float(value) if math.isfinite(value) else None for value in np.asarray(values, float).ravel()]


def write_summary(path: Path, frames: list[dict[str, Any]]) -> None:
    """Write entries as JSON.

    Raises:
        RecordingError: The file exists already, or cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8") as file:
            json.dump({"frames": frames}, file, allow_nan=False)
    except OSError as error:
        msg = f"expected a new file that can be written at {path}: {error}"
        raise RecordingError(msg) from error


def read_summary(path: Path) -> list[dict[str, Any]]:
    """Return the entries of a summary.

    Raises:
        RecordingError: The file cannot be read, or is no summary.
    """
    try:
        frames = json.loads(path.read_text(encoding="utf-8"))["frames"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"{path}: expected a summary written by `rehab-pose-lab summarise`, got {error!r}"
        raise RecordingError(msg) from error
    if not isinstance(frames, list) or not all(isinstance(frame, dict) for frame in frames):
        msg = f"{path}: expected a list of frames, got another structure"
        raise RecordingError(msg)
    return frames


def compare_summaries(
    first: list[dict[str, Any]], second: list[dict[str, Any]], tolerance: float
) -> tuple[dict[str, float], list[str]]:
    """Compare two summaries frame by frame; fields that only one of them has are left out.

    Args:
        first: Entries of one version.
        second: Entries of the other version.
        tolerance: Largest absolute difference of two floats that counts as equal.

    Returns:
        The largest difference of each field with floats, and a sentence for each difference that counts.
    """
    largest: dict[str, float] = {}
    sentences: list[str] = []
    if len(first) != len(second):
        sentences.append(f"{len(first)} frames against {len(second)}")
    count = 0
    for one, other in zip(first, second, strict=False):
        for field in one.keys() & other.keys():
            for difference in _differences(one[field], other[field]):
                if isinstance(difference, float):
                    largest[field] = max(largest.get(field, 0.0), difference)
                if difference is None or difference > tolerance:
                    count += 1
                    if count <= MAX_LISTED:
                        sentences.append(f"{one.get('name', '?')}: {field} differs by {difference}")
    if count > MAX_LISTED:
        sentences.append(f"{count - MAX_LISTED} more differences")
    return largest, sentences


def _differences(one: object, other: object) -> Iterator[float | None]:
    """Yield the difference of each pair of floats, and None for each pair of other values that are not equal."""
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for left, right in zip(one, other, strict=True):
            yield from _differences(left, right)
    elif isinstance(one, float) and isinstance(other, float):
        yield abs(one - other)
    elif one != other:
        yield None
