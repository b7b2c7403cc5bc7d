"""Calibrated errors of joints: they grow with missing support, hidden parents, the network's error and disagreement."""

from __future__ import annotations

import numpy as np
import pytest

from rehab_pose.body.joint_errors import FLOOR_M, calibrated_sigma_m
from rehab_pose.skeletons.smpl24 import SMPL_24

KNEE, ANKLE, FOOT = (SMPL_24.index(f"left_{name}") for name in ("knee", "ankle", "foot"))


def sigma(
    support: float = 1.0,
    fit_m: float = 0.004,
    network_m: float = 0.02,
    visibility: float = 1.0,
    distance_m: float = 0.01,
) -> np.ndarray:
    values = (np.full(24, value) for value in (fit_m, support, network_m, visibility, distance_m))
    return calibrated_sigma_m(*values)


def test_the_error_is_never_below_the_floor() -> None:
    assert (sigma(fit_m=0.0, network_m=0.0, distance_m=0.0) == FLOOR_M).all()


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        (sigma(0.3), sigma(0.9)),
        (sigma(fit_m=0.03), sigma()),
        (sigma(network_m=0.2), sigma()),
        (sigma(np.nan), sigma(0.3)),
        (sigma(network_m=np.nan), sigma()),
        (sigma(visibility=0.2), sigma()),
        (sigma(distance_m=0.1), sigma()),
    ],
)
def test_less_evidence_gives_larger_errors(worse: np.ndarray, better: np.ndarray) -> None:
    assert np.isfinite(worse).all()
    assert (worse > better).all()


def test_a_small_distance_from_the_joints_of_the_depth_network_changes_nothing() -> None:
    np.testing.assert_array_equal(sigma(distance_m=0.04), sigma(distance_m=0.0))
    np.testing.assert_array_equal(sigma(distance_m=np.nan), sigma(distance_m=0.0))


def test_errors_add_up_along_a_limb_of_which_nothing_is_seen() -> None:
    support = np.ones(24)
    support[[KNEE, ANKLE, FOOT]] = np.nan
    sigma_m = calibrated_sigma_m(np.full(24, 0.004), support, np.full(24, 0.02), np.ones(24), np.zeros(24))
    assert sigma_m[KNEE] < sigma_m[ANKLE] < sigma_m[FOOT]
    assert sigma_m[SMPL_24.index("right_foot")] < 0.5 * sigma_m[KNEE]
