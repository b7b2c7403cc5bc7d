"""Detection of another person by a long absence and by the length of the limbs."""

from __future__ import annotations

import numpy as np
import pytest

from rehab_pose.body.loader import load_body_model
from rehab_pose.body.person_change import MAX_LENGTH_ERROR, PersonChangeDetector, limb_scale
from rehab_pose.geometry.rotations import matrices_from_axis_angles
from rehab_pose.units import NS_PER_S

MODEL = load_body_model()
REST_M = MODEL.joints(np.zeros(10))


def test_limb_scale_is_the_ratio_of_lengths_and_nan_with_few_limbs() -> None:
    rotated = REST_M @ matrices_from_axis_angles(np.array([0.3, -0.2, 0.9])).T
    assert limb_scale(1.07 * rotated, REST_M) == pytest.approx(1.07)
    hidden = rotated.copy()
    hidden[16:] = np.nan
    hidden[4] = np.nan
    assert np.isnan(limb_scale(hidden, REST_M))


def test_only_an_absence_longer_than_the_limit_or_a_stamp_in_the_past_is_another_person() -> None:
    detector = PersonChangeDetector(max_absence_s=2.0)
    assert not detector.returned_late(5 * NS_PER_S)
    assert not detector.returned_late(7 * NS_PER_S)
    assert detector.returned_late(9 * NS_PER_S + 1)
    assert detector.returned_late(8 * NS_PER_S)


@pytest.mark.parametrize(("error", "changed"), [(2.0, True), (-2.0, True), (0.8, False)])
def test_longer_or_shorter_limbs_over_many_frames_are_another_person(error: float, *, changed: bool) -> None:
    detector, limbs_m = PersonChangeDetector(max_absence_s=2.0), (1.0 + error * MAX_LENGTH_ERROR) * REST_M
    assert not detector.limbs_changed(limbs_m, REST_M), "a single frame is not enough"
    answers = [detector.limbs_changed(limbs_m, REST_M) for _ in range(100)]
    assert any(answers) is changed
    assert not detector.limbs_changed(REST_M, REST_M), "the mean starts again at zero"
