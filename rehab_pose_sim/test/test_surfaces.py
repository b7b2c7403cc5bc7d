"""Patterns of surfaces."""

from __future__ import annotations

import numpy as np
import pytest

from rehab_pose_sim.surfaces import PATTERNS, SurfaceLook


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_stay_around_their_colour(pattern: str) -> None:
    across, along = np.meshgrid(np.linspace(0.0, 2.0, 80), np.linspace(0.0, 2.0, 80))
    painted = SurfaceLook((100.0, 150.0, 200.0), pattern, 0.21, 0.2).paint(across, along)
    assert painted.shape == (80, 80, 3)
    np.testing.assert_allclose(painted.mean(axis=(0, 1)), (100.0, 150.0, 200.0), rtol=0.1)
    assert (painted.std(axis=(0, 1)) > 2.0).all() == (pattern != "plain")
