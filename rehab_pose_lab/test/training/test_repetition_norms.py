"""Norms of repetitions: their file, and their discrimination of healthy people from patients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.exercise.repetition_quality import assess_measures, load_norms
from rehab_pose_lab.datasets.kimore import load_kimore
from rehab_pose_lab.training.repetition_norms import clip_repetitions, healthy_norms, write_norms

if TYPE_CHECKING:
    from pathlib import Path

TORSO_M = 0.5


def test_written_norms_are_read_back(tmp_path: Path) -> None:
    write_norms(tmp_path / "norms.json", load_norms(), {})
    assert load_norms(tmp_path / "norms.json") == load_norms()


@pytest.mark.slow
def test_unseen_controls_have_higher_quality_than_unseen_patients(shared_data: Path) -> None:
    """Compares the second half of the healthy subjects with the patients, by norms from the first half."""
    clips = load_kimore(shared_data / "kimore")
    controls = sorted({clip.subject for clip in clips if clip.group.startswith("CG")})
    known = set(controls[::2])
    norms = healthy_norms(clip for clip in clips if clip.subject in known)
    for label in ("arm_lifting", "squat", "lateral_trunk_tilt"):
        mean: dict[bool, list[float]] = {True: [], False: []}
        for clip in clips:
            if clip.label == label and clip.subject not in known:
                for number, measures in enumerate(clip_repetitions(clip)):
                    quality = assess_measures(norms[label], number + 1, measures, TORSO_M).quality
                    mean[clip.group.startswith("CG")].append(quality)
        assert np.nanmedian(mean[True]) > np.nanmedian(mean[False]) + 0.05, label
