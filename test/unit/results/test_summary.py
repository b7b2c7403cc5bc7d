"""Summaries of frames: a repetition with its quality, its interval, and why it is withheld."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from rehab_pose.datatypes import ExerciseClassification, ExerciseUpdate, Repetition
from rehab_pose.results.summary import frame_summary


def result_with(**fields: Any) -> Any:  # noqa: ANN401
    """Return the result of a frame in which a repetition was finished."""
    bare = Repetition(9, "cam", "squat", 2, 1, 8, "pelvis_drop_m", 0.0, 0.3, float("nan"))
    classification = ExerciseClassification(9, "cam", 1, "squat", 0.9, np.array([0.1, 0.9]), False, "m")
    update = ExerciseUpdate(classification, replace(bare, **fields))
    return SimpleNamespace(stamp_ns=9, frame_id="cam", silhouette=None, joints=None, exercise=update)


def test_a_repetition_has_its_quality_with_the_interval() -> None:
    found = frame_summary(result_with(quality=0.8, quality_low=0.7, quality_high=0.9, reasons=("slow",)))["repetition"]
    assert [found[name] for name in ("quality", "quality_low", "quality_high")] == [0.8, 0.7, 0.9]
    assert (found["quality_withheld"], found["reasons"]) == ("", ["slow"])


def test_a_repetition_without_a_quality_says_why() -> None:
    found = frame_summary(result_with(quality_withheld="not assessed: 5 frames/s"))["repetition"]
    assert found["quality"] is None
    assert found["quality_withheld"] == "not assessed: 5 frames/s"
