"""The space of added exercises: windows of one movement are near each other in it, and it is read by the product."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.exercise.few_shot import FewShotSpace
from rehab_pose_lab.training.few_shot_space import DIMENSIONS, PROTOTYPES, fit_space, write_space

if TYPE_CHECKING:
    from pathlib import Path


def test_movements_have_unit_spread_and_are_apart(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    size, count = 40, 120
    noise = rng.normal(size=(3 * count, size)) * np.geomspace(0.1, 10.0, size)
    movements = np.repeat(["a/x", "a/y", "kimore/squat"], count)
    centres = {"a/x": 0.0, "a/y": 6.0, "kimore/squat": -6.0}
    values = noise + np.array([centres[name] for name in movements])[:, None] * np.geomspace(0.1, 10.0, size)
    write_space(tmp_path / "few_shot.npz", fit_space(values, movements), "model")
    space = FewShotSpace.load(tmp_path / "few_shot.npz")
    assert space.model_id == "model"
    assert space.projection.shape == (size, min(size, DIMENSIONS))
    assert space.movements == tuple(np.repeat(["a/x", "a/y", "kimore/squat"], PROTOTYPES).tolist())
    points = (values - space.centre) @ space.projection
    own = [points[movements == name] for name in centres]
    spread = np.mean([np.square(part - part.mean(axis=0)).sum(axis=1).mean() for part in own])
    between = np.square(own[0].mean(axis=0) - own[1].mean(axis=0)).sum()
    assert between > 10.0 * spread
    assert space.resembled(own[1]) == ("a/y",)
    assert space.resembled(own[2]) == ()
