"""Files of arrays: bounded before they are unpacked, and nothing in them is executed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.array_file import READ_ERRORS, read_arrays

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "arrays.npz"
    np.savez_compressed(path, first=np.arange(3), second=np.zeros(50_000), more=np.ones(2))
    return path


def test_named_and_optional_arrays_are_returned(file: Path) -> None:
    arrays = read_arrays(file, ("first",), max_bytes=1_000_000, optional=("more", "absent"))
    assert set(arrays) == {"first", "more"}
    np.testing.assert_array_equal(arrays["first"], np.arange(3))


def test_a_large_array_is_refused_before_it_is_unpacked(file: Path) -> None:
    with pytest.raises(ValueError, match="at most 100000 bytes, got second: 400128"):
        read_arrays(file, ("first", "second"), max_bytes=100_000)


def test_more_arrays_than_expected_are_refused(file: Path) -> None:
    with pytest.raises(ValueError, match="at most 2 arrays, got 3"):
        read_arrays(file, ("first",), max_bytes=1_000_000)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"\x93NUMPY"])
def test_damaged_files_raise_one_of_the_read_errors(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "damaged.npz"
    path.write_bytes(content)
    with pytest.raises(READ_ERRORS):
        read_arrays(path, ("first",), max_bytes=1_000_000)


def test_objects_are_not_unpickled(tmp_path: Path) -> None:
    path = tmp_path / "objects.npz"
    np.savez(path, first=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ValueError, match="array of object"):
        read_arrays(path, ("first",), max_bytes=1_000_000)
