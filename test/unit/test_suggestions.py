"""Suggestions for wrong names."""

from __future__ import annotations

from rehab_pose.suggestions import did_you_mean

KNOWN = ("squat", "lunge", "bridge", "bird_dog")


def test_the_nearest_names_are_suggested_once() -> None:
    assert did_you_mean("sqat", KNOWN) == "did you mean squat?"
    assert did_you_mean(["sqat", "squatt", "lung"], KNOWN) == "did you mean squat or lunge?"
    assert did_you_mean("brid", KNOWN, most=2, similarity=0.4) == "did you mean bridge or bird_dog?"


def test_nothing_is_suggested_where_no_name_is_near() -> None:
    assert not did_you_mean("xyz", KNOWN)
    assert not did_you_mean([], KNOWN)
