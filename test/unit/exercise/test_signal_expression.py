"""The language of signals: values on known poses, and texts that it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from rehab_pose.errors import InputError
from rehab_pose.exercise.signal_expression import FUNCTIONS, MAX_TEXT, of_side, parse_expression
from rehab_pose.exercise.window_features import FEATURE_INDEX, FEATURE_JOINTS

AXES = np.eye(3)
"""The frame of the points is the body frame: left, up, front."""
VALUES = (
    ("height(head)", 1.7),
    ("position(head, front)", 0.3),
    ("along(pelvis, head, up)", 0.7),
    ("along(head, pelvis, left)", -0.1),
    ("distance(pelvis, left_hip)", 0.5),
    ("angle(left_hip, pelvis, neck)", np.arccos(0.8)),
    ("between(pelvis, neck, pelvis, left_hip)", np.arccos(0.8)),
    ("elevation(neck, pelvis)", 0.0),
    ("elevation(pelvis, neck)", np.pi),
    ("tilt(pelvis, left_hip)", np.arctan2(0.3, 0.4)),
    ("lean(pelvis, spine2)", np.arctan2(0.1, 0.2)),
    ("yaw(right_shoulder, left_shoulder)", np.pi / 4.0),
    ("above_line(spine2, pelvis, neck)", 0.0),
    ("off_line(spine2, pelvis, neck)", 0.1),
    ("above_line(pelvis, left_shoulder, right_shoulder)", -0.4),
    ("height(middle(pelvis, neck))", 1.25),
    ("-2 * (height(head) - 1.5) / 4 + pi", np.pi - 0.1),
    ("maximum(height(head), height(neck), 0)", 1.7),
    ("minimum(height(head), height(neck))", 1.5),
    ("difference(height(head), height(neck))", 0.2),
    ("absolute(-height(head))", 1.7),
    ("mean(height(head), height(left_knee))", 1.7),
)
"""Expressions and their values on the pose of `points`; the left knee is missing."""
REFUSED = (
    "",
    "height(pelvis",
    "1 + 2",
    "pelvis",
    "height(toe)",
    "height(pelvis, neck)",
    "height(1)",
    "position(pelvis, north)",
    "position(pelvis)",
    "mean()",
    "minimum(height(pelvis))",
    "cosine(height(pelvis))",
    "height(pelvis) ** 2",
    "height(pelvis) if 1 else 2",
    "height(a=pelvis)",
    "height(*pelvis)",
    "height.__class__",
    "__import__('os').system('true')",
    "(lambda: 0)()",
    "[height(pelvis)][0]",
    "height(pelvis) + 1e999",
    "height(pelvis) + True",
    "height(pelvis) + 'a'",
    "height(pelvis) < 1",
    "height(middle(pelvis))",
    "height(pelvis)" + " + height(pelvis)" * 100,
    "(" * 300 + "height(pelvis)" + ")" * 300,
)


def points() -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return one sample (1, J, 3); the joints that are not set are missing."""
    positions = np.full((1, len(FEATURE_JOINTS), 3), np.nan)
    for name, position in {
        "pelvis": (0.0, 1.0, 0.0),
        "left_hip": (0.3, 1.4, 0.0),
        "spine2": (0.0, 1.2, 0.1),
        "neck": (0.0, 1.5, 0.0),
        "head": (0.1, 1.7, 0.3),
        "left_shoulder": (0.2, 1.4, -0.2),
        "right_shoulder": (-0.2, 1.4, 0.2),
    }.items():
        positions[0, FEATURE_INDEX[name]] = position
    return positions


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_values_on_a_known_pose(text: str, value: float) -> None:
    assert parse_expression(text).evaluate(points(), AXES)[0] == pytest.approx(value, abs=1e-7)


def test_every_function_is_tried() -> None:
    assert all(any(f"{name}(" in text for text, _ in VALUES) for name in FUNCTIONS)


@pytest.mark.parametrize("text", REFUSED)
def test_other_texts_are_refused_with_the_reason(text: str) -> None:
    with pytest.raises(InputError, match="signal expression"):
        parse_expression(text)


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(InputError, match=f"at most {MAX_TEXT}"):
        parse_expression("height(pelvis)" + " " * MAX_TEXT)


def test_missing_joints_and_divisions_by_zero_are_nan_at_their_moment_only() -> None:
    positions = np.tile(points(), (3, 1, 1))
    positions[1, FEATURE_INDEX["head"]] = np.nan
    np.testing.assert_array_equal(
        np.isnan(parse_expression("maximum(height(head), height(neck))").evaluate(positions, AXES)),
        [False, True, False],
    )
    positions[2, FEATURE_INDEX["head"]] = positions[2, FEATURE_INDEX["neck"]]
    ratio = parse_expression("1 / distance(head, neck)").evaluate(positions, AXES)
    np.testing.assert_array_equal(np.isnan(ratio), [False, True, True])


def test_an_expression_knows_its_joints_and_whether_gravity_is_enough() -> None:
    lying = parse_expression("above_line(hip_centre, middle(left_shoulder, right_shoulder), left_knee)")
    assert lying.joints == {"pelvis", "left_shoulder", "right_shoulder", "left_knee"}
    assert not lying.needs_frame
    assert not parse_expression("along(pelvis, neck, up)").needs_frame
    assert parse_expression("along(pelvis, neck, left)").needs_frame
    assert parse_expression("tilt(pelvis, neck)").needs_frame


def test_a_limb_is_named_by_prefixes() -> None:
    assert of_side("distance(side_knee, other_ankle)", "right") == "distance(right_knee, left_ankle)"
