"""Tally, session state, codes in file names, and the topics of the recording tiers."""

from __future__ import annotations

import math

import pytest

from rehab_pose.datatypes import Repetition, Side
from rehab_pose.errors import InputError
from rehab_pose.exercise.catalogue import LABELS, UNLISTED_ID
from rehab_pose.messages import topics
from rehab_pose.session.recording_policy import recorded_topics, session_folder
from rehab_pose.session.state import (
    ANY_EXERCISE,
    Recording,
    Session,
    SessionStage,
    Tally,
    check_code,
    check_exercise,
)
from rehab_pose.units import NS_PER_S

SQUAT = "squat"


def repetition(label: str = "squat", end_s: float = 2.0, side: Side = Side.ANY, quality: float = 0.5) -> Repetition:
    end_ns = round(end_s * NS_PER_S)
    stamp_ns = end_ns + NS_PER_S // 2
    return Repetition(stamp_ns, "cam", label, 1, end_ns - NS_PER_S, end_ns, "pelvis_height_m", 0.4, 0.9, quality, side)


def running(tally: Tally) -> Session:
    return Session("s", stage=SessionStage.RUNNING, tally=tally)


def test_only_repetitions_of_the_chosen_exercise_are_counted() -> None:
    session = running(Tally(SQUAT))
    assert session.count(repetition())
    assert not session.count(repetition("arm_lifting"))
    assert (len(session.tally.counted), session.tally.others, len(session.repetitions)) == (1, 1, 2)


def test_without_a_chosen_exercise_all_repetitions_are_counted() -> None:
    tally = Tally()
    assert tally.count(repetition())
    assert tally.count(repetition("arm_lifting"))
    assert tally.others == 0


@pytest.mark.parametrize(
    ("chosen", "counted"),
    [(Side.ANY, 4), (Side.LEFT, 2), (Side.RIGHT, 2), (Side.BOTH, 2)],
    ids=str,
)
def test_a_repetition_with_both_sides_counts_for_each_side(chosen: Side, counted: int) -> None:
    tally = Tally(side=chosen)
    for side in Side:
        tally.count(repetition(side=side))
    assert len(tally.counted) == counted


def test_repetitions_are_counted_separately_for_left_and_right() -> None:
    tally = Tally()
    for side in (Side.LEFT, Side.LEFT, Side.BOTH, Side.ANY):
        tally.count(repetition(side=side))
    assert (tally.of_side(Side.LEFT), tally.of_side(Side.RIGHT)) == (3, 1)


def test_an_earlier_repetition_is_not_counted_unless_time_jumped_back() -> None:
    tally = Tally(since_ns=10 * NS_PER_S)
    assert not tally.count(repetition(end_s=9.9))
    assert tally.count(repetition(end_s=10.1))
    assert tally.count(repetition(end_s=2.0))


def test_the_mean_quality_ignores_repetitions_without_a_quality() -> None:
    tally = Tally()
    assert math.isnan(tally.mean_quality)
    for quality in (0.5, math.nan, 1.0):
        tally.count(repetition(quality=quality))
    assert tally.mean_quality == 0.75


def test_a_tally_is_done_at_its_target_and_never_without_a_target() -> None:
    tally, endless = Tally(target=2), Tally()
    done = []
    for _ in range(3):
        tally.count(repetition())
        endless.count(repetition())
        done.append(tally.done)
    assert done == [False, True, True]
    assert not endless.done


@pytest.mark.parametrize("stage", [SessionStage.IDLE, SessionStage.DONE])
def test_a_session_that_is_not_running_counts_nothing(stage: SessionStage) -> None:
    session = Session("s", stage=stage)
    assert not session.count(repetition())
    assert session.repetitions == []


@pytest.mark.parametrize("code", ["", "p07", "A-1_b", "0", "x" * 64])
def test_codes_of_letters_digits_and_signs_are_accepted(code: str) -> None:
    assert check_code("subject_code", code) == code


@pytest.mark.parametrize(
    "code", ["..", "../x", "a/b", "/etc", "a\\b", "Anna Schmidt", "-rf", "_x", ".hidden", "ä", "a\n", "x" * 65, "a\0b"]
)
def test_codes_that_could_be_a_path_or_a_persons_name_are_refused(code: str) -> None:
    with pytest.raises(InputError, match="subject_code: expected a code of at most 64 letters"):
        check_code("subject_code", code)


def test_an_unknown_exercise_id_is_refused() -> None:
    assert check_exercise(LABELS.index("squat")) == SQUAT
    assert check_exercise(0) == ANY_EXERCISE
    with pytest.raises(InputError, match=f"expected an exercise_id from 0 to {len(LABELS) - 1}, got 99"):
        check_exercise(99)


def test_an_exercise_is_selected_by_its_name_and_a_misspelt_one_is_refused_with_near_matches() -> None:
    known = (*LABELS, "lunge_left", "bridge")
    assert check_exercise(0, "bridge", known) == "bridge"
    assert check_exercise(99, "squat", known) == SQUAT, "the number is not used where a name is given"
    for name, words in (("lunge_lef", "did you mean lunge_left"), ("none", "got 'none'"), ("zzz", "exercise add")):
        with pytest.raises(InputError, match=words):
            check_exercise(0, name, known)
    with pytest.raises(InputError, match="has not sent its list"):
        check_exercise(0, "bridge")
    with pytest.raises(InputError, match="by its name"):
        check_exercise(UNLISTED_ID)


def test_a_tally_of_an_added_exercise_counts_by_name() -> None:
    tally = Tally("bridge")
    assert tally.count(repetition("bridge"))
    assert not tally.count(repetition("lunge_left"))
    assert (tally.exercise_id, Tally(SQUAT).exercise_id, Tally().exercise_id) == (UNLISTED_ID, 5, 0)


def test_only_the_last_tier_records_images() -> None:
    pictures = {topics.COLOR.name, topics.DEPTH.name, topics.SILHOUETTE.name, topics.SILHOUETTE_IMAGE.name}
    pictures |= {topics.PARTS.name, topics.KEYPOINTS.name}  # a label for each pixel of the person, and descriptors
    names = {tier: {topic.name for topic in recorded_topics(tier)} for tier in Recording}
    assert names[Recording.NOTHING] == set()
    for tier in (Recording.RESULTS, Recording.MESH):
        assert not names[tier] & pictures
    assert topics.VERTICES.name not in names[Recording.RESULTS]
    assert names[Recording.RESULTS] < names[Recording.MESH] < names[Recording.IMAGES]
    assert pictures - {topics.SILHOUETTE_IMAGE.name} < names[Recording.IMAGES]
    assert {topics.JOINTS.name, topics.BODY.name, topics.JOINT_ANGLES.name} < names[Recording.RESULTS]


def test_the_default_folder_of_sessions_is_in_the_folder_of_ros(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_HOME", "/somewhere")
    assert str(session_folder("")) == "/somewhere/rehab_pose/sessions"
    assert str(session_folder("/else")) == "/else"
    monkeypatch.delenv("ROS_HOME")
    assert str(session_folder("")).endswith("/.ros/rehab_pose/sessions")
