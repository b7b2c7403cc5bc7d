"""The prior of the shape coefficients and when they are fixed."""

from __future__ import annotations

import numpy as np
import pytest

from rehab_pose.body.shape_calibration import INFORMATION_PER_FRAME, ShapeCalibration


def test_coefficients_are_free_until_enough_frames_were_learnt() -> None:
    shape = ShapeCalibration(10, frames=2, shape_sigma=1.0)
    for frame in range(4):
        assert shape.complete is (frame >= 2)
        assert shape.free_count == (0 if frame >= 2 else 10)
        assert [len(part) for part in shape.prior()] == [shape.free_count] * 2
        shape.learn(np.full(10, float(frame)))
    assert shape.betas == pytest.approx(np.ones(10)), "frames after the second change nothing"
    shape.reset()
    assert not shape.complete
    assert shape.betas == pytest.approx(np.zeros(10))


def test_the_prior_adds_the_information_of_every_frame() -> None:
    shape, betas = ShapeCalibration(10, frames=5, shape_sigma=2.0), np.linspace(-1.0, 1.0, 10)
    mean, precision = shape.prior()
    assert mean == pytest.approx(np.zeros(10))
    assert precision == pytest.approx(np.full(10, 0.25))
    shape.learn(betas)
    mean, precision = shape.prior()
    assert precision == pytest.approx(np.full(10, 0.25 * (1.0 + INFORMATION_PER_FRAME)))
    assert mean == pytest.approx(betas * INFORMATION_PER_FRAME / (1.0 + INFORMATION_PER_FRAME))
