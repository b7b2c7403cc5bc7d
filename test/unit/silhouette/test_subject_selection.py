"""SubjectSelector: policies, tracking, and a lost subject."""

from __future__ import annotations

import numpy as np
import pytest

from rehab_pose.silhouette.settings import SilhouetteSettings
from rehab_pose.silhouette.subject_selection import FOLLOW_RADIUS_M, FORGET_AFTER_FRAMES, Candidate, SubjectSelector


def candidate(
    label: int, x_m: float, z_m: float, *, height_m: float = 1.7, area: float = 1.0, offset: float = 0.5
) -> Candidate:
    return Candidate(label, np.array([x_m, 0.0, z_m]), height_m, area, offset)


SITTING = candidate(1, -0.8, 2.2, height_m=1.1, area=0.7, offset=0.1)
STANDING = candidate(2, 0.5, 2.4, offset=0.4)
FAR = candidate(3, 0.0, 4.5, height_m=1.8, offset=0.05)
NEAR = candidate(4, 1.2, 1.5, height_m=0.9, area=0.5, offset=0.9)


@pytest.mark.parametrize(("policy", "label"), [("followed", 2), ("nearest", 4), ("central", 3)])
def test_the_first_subject_is_that_of_the_policy(policy: str, label: int) -> None:
    selector = SubjectSelector(SilhouetteSettings(subject=policy))
    people = [SITTING, STANDING, FAR] + ([NEAR] if policy == "nearest" else [])
    subject = selector.select(people)
    assert subject is not None
    assert subject.label == label


def test_the_subject_is_followed_by_its_position() -> None:
    selector = SubjectSelector(SilhouetteSettings(subject="nearest"))
    assert selector.select([candidate(1, 0.0, 2.0)]) is not None
    for step in range(1, 11):
        # Another person comes closer to the camera than the subject, who walks away.
        subject = selector.select([candidate(7, 1.5, 1.0), candidate(8, 0.0, 2.0 + 0.2 * step)])
        assert subject is not None
        assert subject.label == 8


def test_another_person_is_selected_only_after_a_delay() -> None:
    selector = SubjectSelector(SilhouetteSettings())
    assert selector.select([candidate(1, 0.0, 2.0)]) is not None
    other = candidate(2, FOLLOW_RADIUS_M + 0.01, 2.0)
    assert all(selector.select([other]) is None for _ in range(FORGET_AFTER_FRAMES))
    assert selector.select([other]) is other


def test_a_returning_subject_restarts_the_delay() -> None:
    selector = SubjectSelector(SilhouetteSettings())
    subject = candidate(1, 0.0, 2.0)
    for _ in range(3):
        assert selector.select([subject]) is subject
        assert all(selector.select([]) is None for _ in range(FORGET_AFTER_FRAMES))


def test_after_a_reset_the_policy_applies_again() -> None:
    selector = SubjectSelector(SilhouetteSettings(subject="nearest"))
    assert selector.select([candidate(1, 0.0, 2.0)]) is not None
    selector.reset()
    assert selector.select([NEAR]) is NEAR
