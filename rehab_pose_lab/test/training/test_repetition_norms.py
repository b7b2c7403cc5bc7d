"""Norms of repetitions: their file, and their discrimination of healthy people from patients."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.exercise.repetition_quality import assess_measures, load_norms
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.datasets.clip import clip_from_joints
from rehab_pose_lab.datasets.kimore import load_kimore
from rehab_pose_lab.training.repetition_norms import (
    clip_repetitions,
    healthy_norms,
    norms_of,
    ui_prmd_repetition,
    write_norms,
)

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from rehab_pose_sim.stick_figure import FilmMaker

TORSO_M = 0.5


def test_written_norms_are_read_back(tmp_path: Path) -> None:
    write_norms(tmp_path / "norms.json", load_norms(), {})
    assert load_norms(tmp_path / "norms.json") == load_norms()


def test_repetitions_with_the_right_leg_are_measured_like_those_with_the_left_one(make_film: FilmMaker) -> None:
    clip = clip_from_joints(
        make_film("squat", 1), name="m03", dataset="ui_prmd", subject="s1", group="correct", label="inline_lunge"
    )
    uneven = clip.positions_m.copy()
    uneven[:, SMPL_24.index("left_knee"), 1] -= 0.08  # the knee of the foot in front is the higher one
    left = ui_prmd_repetition(replace(clip, positions_m=uneven))
    right = ui_prmd_repetition(replace(clip, positions_m=mirrored(uneven)))
    for name, value in left.items():
        assert right[name] == pytest.approx(value, abs=1e-3), name
    assert left["left_knee"] != pytest.approx(left["right_knee"], abs=0.02)
    norms = norms_of([left, right])
    assert norms["left_knee"].median == pytest.approx(left["left_knee"], abs=1e-3)


def mirrored(positions_m: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return joints (T, 24, 3) of the mirrored movement."""
    names = SMPL_24.joint_names
    swap = [
        names.index(name.replace("left", "right") if "left" in name else name.replace("right", "left"))
        for name in names
    ]
    return np.asarray(positions_m[:, swap] * np.array([-1.0, 1.0, 1.0]), dtype=np.float32)


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
