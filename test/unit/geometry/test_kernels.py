"""Compiled rotations against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from rehab_pose.geometry.kernels import left_jacobian, product, rotation_matrix, rotation_vector
from rehab_pose.geometry.rotations import axis_angles_from_matrices, matrices_from_axis_angles

AXES = np.concatenate([np.eye(3), -np.eye(3), np.random.default_rng(3).normal(size=(40, 3))])
AXES /= np.linalg.norm(AXES, axis=1, keepdims=True)


@pytest.mark.parametrize("angle_rad", [0.0, 1e-12, 1e-7, 1e-3, 1.0, 3.0, np.pi - 1e-7, np.pi - 1e-10])
def test_rotation_vector_is_the_inverse_of_rotation_matrix(angle_rad: float) -> None:
    matrix, vector = np.empty((3, 3)), np.empty(3)
    for axis in AXES:
        rotation_matrix(*(angle_rad * axis), matrix)
        assert matrix == pytest.approx(matrices_from_axis_angles(angle_rad * axis), abs=1e-15)
        rotation_vector(matrix, vector)
        assert vector == pytest.approx(angle_rad * axis, abs=5e-15 * max(angle_rad, 1.0))


def test_the_vector_of_a_half_turn_is_its_axis_up_to_the_sign() -> None:
    vector = np.empty(3)
    for axis in AXES:
        rotation_vector(2.0 * np.outer(axis, axis) - np.eye(3), vector)
        assert np.abs(vector @ axis) == pytest.approx(np.pi, abs=1e-7)
        assert np.linalg.norm(vector) == pytest.approx(np.pi, abs=1e-7)


def test_vectors_and_products_agree_with_numpy() -> None:
    random = np.random.default_rng(4)
    first, second = matrices_from_axis_angles(random.normal(0.0, 2.0, (2, 50, 3)))
    for left, right in zip(first, second, strict=True):
        both, vector = np.empty((3, 3)), np.empty(3)
        product(left, right, both)
        assert both == pytest.approx(left @ right, abs=1e-15)
        rotation_vector(both, vector)
        assert vector == pytest.approx(axis_angles_from_matrices(left @ right), abs=1e-12)


@pytest.mark.parametrize("angle_rad", [0.0, 1e-7, 1e-3, 1.0, 3.0])
def test_the_left_jacobian_maps_a_change_of_the_vector_to_a_rotation_on_the_left(angle_rad: float) -> None:
    jacobian, step = np.empty((3, 3)), 1e-6
    for axis in AXES:
        vector = angle_rad * axis
        left_jacobian(*vector, jacobian)
        for unit in np.eye(3):
            ahead, behind = (matrices_from_axis_angles(vector + sign * step * unit) for sign in (1.0, -1.0))
            change = axis_angles_from_matrices(ahead @ behind.T) / (2.0 * step)
            assert jacobian @ unit == pytest.approx(change, abs=1e-8)
