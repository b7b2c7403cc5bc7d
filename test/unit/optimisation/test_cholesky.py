"""Cholesky factorisation against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from rehab_pose.optimisation.cholesky import factorise, solve_factorised


@pytest.mark.parametrize("size", [1, 2, 7, 60])
def test_factor_and_solution_agree_with_numpy(size: int) -> None:
    random = np.random.default_rng(size)
    rows = random.normal(size=(size + 5, size))
    matrix, vector = rows.T @ rows, random.normal(size=size)
    factor, solution = matrix.copy(), vector.copy()
    assert factorise(factor)
    assert np.tril(factor) == pytest.approx(np.linalg.cholesky(matrix), rel=1e-9, abs=1e-12)
    solve_factorised(factor, solution)
    assert solution == pytest.approx(np.linalg.solve(matrix, vector), rel=1e-7, abs=1e-10)


def test_a_matrix_that_is_not_positive_definite_has_no_factor() -> None:
    assert not factorise(np.diag([1.0, -1.0, 2.0]))
    assert not factorise(np.full((2, 2), np.nan))
