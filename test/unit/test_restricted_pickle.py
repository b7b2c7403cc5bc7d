"""Restricted pickles: arrays are read, all other names are refused without execution."""

from __future__ import annotations

import os
import pickle
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.restricted_pickle import RefusedPickleError, load_restricted_pickle

if TYPE_CHECKING:
    from pathlib import Path


class Hostile:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.folder),)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64, np.uint8, np.bool_])
def test_arrays_and_scalars_are_read(protocol: int, dtype: type[np.generic]) -> None:
    array = np.arange(12).reshape(3, 4).astype(dtype)
    content = {"array": array, "scalar": array[1, 2], "list": [array.T, None, "name"]}
    loaded = load_restricted_pickle(pickle.dumps(content, protocol=protocol))
    assert isinstance(loaded, dict)
    np.testing.assert_array_equal(loaded["array"], array)
    assert loaded["array"].dtype == dtype
    assert loaded["scalar"] == array[1, 2]
    np.testing.assert_array_equal(loaded["list"][0], array.T)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_code_is_refused_and_not_executed(tmp_path: Path, protocol: int) -> None:
    with pytest.raises(RefusedPickleError, match=r"mkdir, which no file of arrays needs; it was not run"):
        load_restricted_pickle(pickle.dumps({"a": Hostile(tmp_path / "made")}, protocol=protocol))
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("fraction", [0.0, 0.2, 0.9])
def test_truncated_pickles_are_refused(fraction: float) -> None:
    content = pickle.dumps(np.zeros(50))
    with pytest.raises(RefusedPickleError, match="truncated or damaged"):
        load_restricted_pickle(content[: int(fraction * len(content))])


@pytest.mark.parametrize("layout", ["csc_matrix", "csr_matrix"])
def test_sparse_matrices_become_dense_arrays(layout: str) -> None:
    sparse = pytest.importorskip("scipy.sparse", reason="scipy writes the matrices")
    dense = np.array([[0.0, 2.0, 0.0], [1.0, 0.0, 3.0]])
    loaded = load_restricted_pickle(pickle.dumps(getattr(sparse, layout)(dense)))
    np.testing.assert_array_equal(np.asarray(loaded), dense)
