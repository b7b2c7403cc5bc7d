"""The benchmark of counting: its cameras, its people and its sets are what they claim to be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rehab_pose.body.loader import load_body_model
from rehab_pose.exercise.recogniser import ExerciseRecogniser
from rehab_pose.geometry.floor import height_above_floor_m
from rehab_pose_lab.benchmarks.counting_activities import (
    daily_activities,
    disturbed_by_therapist,
    optical,
    still_person,
)
from rehab_pose_lab.benchmarks.counting_cameras import WAYS, film_of, moved_camera
from rehab_pose_lab.benchmarks.counting_sets import GROUPS, GivenLabels, counted, is_exact, plans, simulated_set


@pytest.mark.parametrize("way", WAYS)
def test_the_exact_floor_moves_with_the_camera(way: str) -> None:
    stamps_s = np.arange(0.0, 10.0, 1.0 / 30.0)
    points_m = np.random.default_rng(1).normal((0.0, 0.3, 2.6), 0.5, (24, 3))
    film = np.tile(points_m, (len(stamps_s), 1, 1))
    seen, planes = moved_camera(stamps_s, film, way, "exact", np.random.default_rng(2))
    heights = np.array([height_above_floor_m(points, plane) for points, plane in zip(seen, planes, strict=True)])
    np.testing.assert_allclose(heights, np.tile(1.2 - points_m[:, 1], (len(stamps_s), 1)), atol=1e-9)
    assert np.ptp(seen[:, :, :], axis=0).max() > 0.01


def test_people_without_an_exercise_keep_their_bones_and_move_as_said() -> None:
    body, random = load_body_model(), np.random.default_rng(3)
    stamps_s, still = still_person(6.0, random, body)
    assert np.ptp(still, axis=0).max() < 0.06
    _, daily = daily_activities(12.0, random, body)
    thighs_m = np.linalg.norm(daily[:, 4] - daily[:, 1], axis=-1)
    assert np.ptp(thighs_m) < 1e-6
    assert np.ptp(daily, axis=0).max() > 0.2
    disturbed = disturbed_by_therapist(np.arange(360) / 30.0, np.tile(still[:1], (360, 1, 1)), random)
    assert (np.isnan(disturbed).any(axis=-1) | (np.abs(disturbed - still[0]).max(axis=-1) > 0.02)).any()
    np.testing.assert_allclose(optical(np.zeros(3)), [0.0, 1.2, 2.6])
    assert len(film_of(stamps_s, optical(still), random).frames) == len(stamps_s)


def test_sets_of_every_kind_have_their_disturbances_and_are_counted() -> None:
    given = GivenLabels()
    recogniser = ExerciseRecogniser(classifier=given)
    chosen = {plan.group: plan for plan in plans(5) if plan.settings.exercise == "seated_trunk_rotation"}
    assert set(chosen) == set(GROUPS)
    for group in ("hold", "one_sided", "dropout", "stamps"):
        settings = replace(chosen[group].settings, repetitions=3, tempo=1.5)
        simulated = simulated_set(replace(chosen[group], settings=settings))
        assert simulated.count == 3
        assert (None in simulated.film.frames) == (group == "dropout")
        assert bool((np.diff(simulated.film.stamps_ns) <= 0).any()) == (group == "stamps")
        assert is_exact(simulated, counted(simulated, recogniser, given)), group
