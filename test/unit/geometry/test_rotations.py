"""Rotations: group laws, exponential and logarithm, alignment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rehab_pose.geometry.rotations import (
    align_points,
    axis_angles_from_matrices,
    matrices_from_axis_angles,
    quaternions_from_matrices,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

vectors = arrays(np.float64, 3, elements=st.floats(-1.8, 1.8))


@given(vector=vectors)
def test_exponential_is_a_rotation(vector: NDArray[np.float64]) -> None:
    matrix = matrices_from_axis_angles(vector)
    np.testing.assert_allclose(matrix @ matrix.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(matrix), 1.0)


@given(vector=vectors)
def test_the_logarithm_is_the_inverse_of_the_exponential_below_half_a_turn(vector: NDArray[np.float64]) -> None:
    if np.linalg.norm(vector) < np.pi - 1e-3:
        np.testing.assert_allclose(axis_angles_from_matrices(matrices_from_axis_angles(vector)), vector, atol=1e-9)


@given(vector=vectors)
def test_quaternions_and_matrices_rotate_vectors_equally(vector: NDArray[np.float64]) -> None:
    matrix = matrices_from_axis_angles(vector)
    x, y, z, w = quaternions_from_matrices(matrix)
    axis = np.array([x, y, z])
    point = np.array([0.3, -1.2, 2.0])
    rotated = point + 2.0 * np.cross(axis, np.cross(axis, point) + w * point)
    np.testing.assert_allclose(rotated, matrix @ point, atol=1e-9)


@given(vector=vectors, shift=vectors, seed=st.integers(0, 1000))
def test_alignment_recovers_the_motion_and_ignores_missing_rows(
    vector: NDArray[np.float64], shift: NDArray[np.float64], seed: int
) -> None:
    source = np.random.default_rng(seed).normal(size=(8, 3))
    rotation = matrices_from_axis_angles(vector)
    target = source @ rotation.T + shift
    target[3] = np.nan
    estimate, translation = align_points(source, target)
    np.testing.assert_allclose(estimate, rotation, atol=1e-8)
    np.testing.assert_allclose(translation, shift, atol=1e-8)


def test_alignment_of_a_batch_equals_that_of_each_set_of_points() -> None:
    generator = np.random.default_rng(3)
    source, weights = generator.normal(size=(5, 9, 3)), generator.uniform(size=(5, 9))
    target = generator.normal(size=(9, 3))
    source[2, 4], weights[1, :2] = np.nan, 0.0
    rotations, translations = align_points(source, target, weights)
    for n in range(5):
        rotation, translation = align_points(source[n], target, weights[n])
        np.testing.assert_allclose(rotations[n], rotation, atol=1e-12)
        np.testing.assert_allclose(translations[n], translation, atol=1e-12)


def test_alignment_never_reflects() -> None:
    source = np.random.default_rng(0).normal(size=(6, 3))
    rotation, _ = align_points(source, source * np.array([-1.0, 1.0, 1.0]))
    assert np.linalg.det(rotation) > 0
