"""Encoding of depth images for the silhouette network."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rehab_pose.silhouette.depth_encoding import (
    CHANNELS,
    INPUT_HEIGHT_PX,
    INPUT_WIDTH_PX,
    encode_depth,
    reduced_size_px,
    sample_rows_and_columns,
)


@given(width=st.integers(160, 4000), height=st.integers(128, 4000))
def test_the_reduced_size_fits_the_input_and_keeps_the_aspect_ratio(width: int, height: int) -> None:
    reduced_width, reduced_height = reduced_size_px(width, height)
    assert 1 <= reduced_width <= INPUT_WIDTH_PX
    assert 1 <= reduced_height <= INPUT_HEIGHT_PX
    # Both sides are rounded down to whole pixels.
    assert reduced_width >= INPUT_WIDTH_PX - 1 or reduced_height >= INPUT_HEIGHT_PX - 1
    assert abs(reduced_width * height - reduced_height * width) <= max(width, height)


@given(width=st.integers(160, 2000), height=st.integers(128, 2000))
def test_samples_are_evenly_spaced_inside_the_image(width: int, height: int) -> None:
    rows, columns = sample_rows_and_columns(width, height, *reduced_size_px(width, height))
    for indices, length in ((rows, height), (columns, width)):
        assert indices[0] >= 0
        assert indices[-1] < length
        assert np.ptp(np.diff(indices)) <= 1 if len(indices) > 1 else True


def test_depth_and_height_are_scaled_and_missing_values_are_zero() -> None:
    depth_m = np.array([[2.5, 4.5], [np.nan, 0.5]], np.float32)
    height_m = np.array([[0.1, 1.0], [np.nan, 3.0]], np.float32)
    encoded = encode_depth(depth_m, height_m)
    assert encoded.shape == (CHANNELS, INPUT_HEIGHT_PX, INPUT_WIDTH_PX)
    np.testing.assert_allclose(encoded[0, :2, :2], [[0.0, 1.0], [0.0, -1.0]])
    np.testing.assert_allclose(encoded[1, :2, :2], [[1.0, 1.0], [0.0, 1.0]])
    np.testing.assert_allclose(encoded[2, :2, :2], [[0.5, 1.0], [0.0, 1.0]])
    np.testing.assert_allclose(encoded[3, :2, :2], [[-0.9, 0.0], [0.0, 1.2]], rtol=1e-6)
    assert not encoded[:, 2:].any()
    assert not encoded[:, :, 2:].any()


def test_without_a_floor_both_height_channels_are_zero() -> None:
    assert not encode_depth(np.full((4, 4), 2.0, np.float32))[2:].any()
