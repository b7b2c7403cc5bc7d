"""SubjectSelector: policies, tracking, and a lost subject."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rehab_pose.silhouette.settings import SilhouetteSettings
from rehab_pose.silhouette.subject_selection import FOLLOW_RADIUS_M, FORGET_S, Candidate, SubjectSelector


def candidate(
    label: int, x_m: float, z_m: float, *, height_m: float = 1.7, area: float = 1.0, offset: float = 0.5
) -> Candidate:
    return Candidate(label, np.array([x_m, 0.0, z_m]), height_m, area, offset)


def at(seconds: float) -> int:
    return round(seconds * 1e9)


SITTING = candidate(1, -0.8, 2.2, height_m=1.1, area=0.7, offset=0.1)
STANDING = candidate(2, 0.5, 2.4, offset=0.4)
FAR = candidate(3, 0.0, 4.5, height_m=1.8, offset=0.05)
NEAR = candidate(4, 1.2, 1.5, height_m=0.9, area=0.5, offset=0.9)


@pytest.mark.parametrize(("policy", "label"), [("followed", 2), ("nearest", 4), ("central", 3)])
def test_the_first_subject_is_that_of_the_policy(policy: str, label: int) -> None:
    selector = SubjectSelector(SilhouetteSettings(subject=policy))
    people = [SITTING, STANDING, FAR] + ([NEAR] if policy == "nearest" else [])
    subject = selector.select(people, at(0.0))
    assert subject is not None
    assert subject.label == label


def test_the_subject_is_followed_by_its_position() -> None:
    selector = SubjectSelector(SilhouetteSettings())
    assert selector.select([candidate(1, 0.0, 2.0)], at(0.0)) is not None
    for step in range(1, 11):
        # Another person comes closer to the camera than the subject, who walks away.
        subject = selector.select([candidate(7, 1.5, 1.0), candidate(8, 0.0, 2.0 + 0.2 * step)], at(0.1 * step))
        assert subject is not None
        assert subject.label == 8


def test_another_person_is_selected_only_after_a_delay() -> None:
    selector = SubjectSelector(SilhouetteSettings())
    assert selector.select([candidate(1, 0.0, 2.0)], at(0.0)) is not None
    other = candidate(2, FOLLOW_RADIUS_M + 0.01, 2.0)
    assert all(selector.select([other], at(0.1 * step)) is None for step in range(1, round(10 * FORGET_S) + 1))
    assert selector.select([other], at(FORGET_S + 0.1)) is other


def test_a_returning_subject_restarts_the_delay() -> None:
    selector = SubjectSelector(SilhouetteSettings())
    subject = candidate(1, 0.0, 2.0)
    for start_s in (0.0, FORGET_S, 2.0 * FORGET_S):
        assert selector.select([subject], at(start_s)) is subject
        assert selector.select([], at(start_s + 0.9 * FORGET_S)) is None


def test_after_a_reset_the_policy_applies_again() -> None:
    selector = SubjectSelector(SilhouetteSettings(subject="nearest"))
    assert selector.select([candidate(1, 0.0, 2.0)], at(0.0)) is not None
    selector.reset()
    assert selector.select([NEAR], at(0.1)) is NEAR


def test_a_known_subject_is_waited_for_and_recognised_elsewhere() -> None:
    selector = SubjectSelector(SilhouetteSettings(resume_s=20.0))
    patient, therapist = replace(STANDING, person_id=1), replace(NEAR, person_id=2)
    assert selector.select([patient, therapist], at(0.0)) is patient
    assert all(selector.select([therapist], at(step)) is None for step in range(1, 20))
    elsewhere = replace(FAR, person_id=1)
    assert selector.select([therapist, elsewhere], at(20.0)) is elsewhere


def test_after_the_wait_another_person_is_followed() -> None:
    selector = SubjectSelector(SilhouetteSettings(resume_s=20.0))
    assert selector.select([replace(STANDING, person_id=1)], at(0.0)) is not None
    other = replace(NEAR, person_id=2)
    assert selector.select([other], at(20.0)) is None
    assert selector.select([other], at(20.1)) is other


def test_another_person_at_the_subjects_place_is_not_followed() -> None:
    selector = SubjectSelector(SilhouetteSettings())
    assert selector.select([replace(STANDING, person_id=1)], at(0.0)) is not None
    assert selector.select([], at(0.5)) is None
    assert selector.select([replace(STANDING, person_id=2)], at(1.0)) is None
    assert selector.select([STANDING], at(1.1)) is STANDING  # not looked up: the place decides


@pytest.mark.parametrize(
    ("policy", "better", "hardly_better"),
    [
        ("nearest", candidate(2, 1.5, 1.6), candidate(2, 1.5, 1.9)),
        ("central", candidate(2, 1.5, 2.0, offset=0.1), candidate(2, 1.5, 2.0, offset=0.4)),
    ],
)
def test_nearest_and_central_decide_again_but_not_at_every_step(
    policy: str, better: Candidate, hardly_better: Candidate
) -> None:
    selector = SubjectSelector(SilhouetteSettings(subject=policy))
    first, other = candidate(1, 0.0, 2.0), replace(hardly_better, person_id=2)
    selector.select([first], at(0.0))
    for step in range(1, 8):
        selector.compare([first, other], at(0.5 * step))
        assert selector.select([first, other], at(0.5 * step)) is first
    selector.compare([first, replace(better, person_id=2)], at(4.0))
    assert selector.select([first, better], at(4.0)) is first  # not yet for a second
    selector.compare([first, replace(better, person_id=2)], at(5.0))
    assert selector.select([first, better], at(5.0)) is better


def test_a_chosen_person_is_kept_whatever_the_policy_says() -> None:
    selector = SubjectSelector(SilhouetteSettings(subject="nearest"))
    near, chosen = replace(NEAR, person_id=1), replace(FAR, person_id=2)
    selector.select([near, chosen], at(0.0))
    selector.choose(2, FAR.centre_m, at(0.1))
    for step in range(1, 10):
        selector.compare([near, chosen], at(0.5 * step))
        assert selector.select([near, chosen], at(0.5 * step)) is chosen
