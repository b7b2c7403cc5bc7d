"""Clips of the stick figure that several tests of the recogniser's training use."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from rehab_pose.exercise.catalogue import LABELS
from rehab_pose_lab.datasets.clip import clip_from_joints
from rehab_pose_lab.training.exercise_windows import TrainingClip, prepare

if TYPE_CHECKING:
    from rehab_pose_sim.stick_figure import FilmMaker


@pytest.fixture(scope="session")
def training_clips(make_film: FilmMaker) -> list[TrainingClip]:
    """Return a clip of each exercise with three repetitions, and one of standing still."""
    prepared = []
    for place, label in enumerate(LABELS):
        clip = clip_from_joints(make_film(label, 3), name=label, dataset="kimore", subject="s1", label=label)
        prepared.append(prepare(clip, place))
    return [clip for clip in prepared if clip is not None]
