"""Tests of the names of exercises and sides for people."""

from __future__ import annotations

from rehab_pose.datatypes import Side
from rehab_pose.exercise.display_names import exercise_display_name, side_display_name
from rehab_pose.exercise.exercise_library import shipped_library


def test_every_shipped_exercise_has_a_name_without_underscores() -> None:
    for label in shipped_library().names:
        name = exercise_display_name(label)
        assert name[0].isupper(), label
        assert "_" not in name, label
    assert exercise_display_name("single_leg_stance") == "Single-leg stance"


def test_unknown_labels_are_made_readable() -> None:
    assert exercise_display_name("my_own_move") == "My own move"
    assert exercise_display_name("none") == exercise_display_name("") == "No exercise"


def test_every_side_has_a_name() -> None:
    assert [side_display_name(side) for side in Side] == ["either side", "left", "right", "both sides"]
