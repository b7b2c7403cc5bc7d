"""Loads a body model file: the free one in this package, or the user's SMPL file (.npz or .pkl).

Official SMPL files are pickles. A pickle can run any code, so it is read by an unpickler that accepts a short list of
harmless classes (arrays, sparse matrices, chumpy's container) and refuses all others.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.body.model import BodyModel
from rehab_pose.errors import ContractError, ModelFileError
from rehab_pose.restricted_pickle import RefusedPickleError, load_restricted_pickle
from rehab_pose.skeletons.smpl24 import SMPL_24

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["FREE_BODY_PATH", "load_body_model"]

FREE_BODY_PATH = Path(__file__).with_name("free_body.npz")
SHAPE_COEFFICIENTS = 10
"""Shape directions that are used; later SMPL files hold 300, of which 24 joints determine about the first ten."""
ID_LENGTH = 12
"""Hexadecimal digits of the file's SHA-256 that name a model."""
NEEDED = ("v_template", "shapedirs", "J_regressor", "weights", "kintree_table", "f")


def load_body_model(path: str = "", *, shape_count: int | None = SHAPE_COEFFICIENTS) -> BodyModel:
    """Load a body model.

    Args:
        path: An SMPL file (.npz or .pkl; neutral, female or male), or '' for the free body.
        shape_count: Shape directions kept, where the file has more; None = all of them.

    Raises:
        ModelFileError: The file is missing, damaged, contains code, or is not an SMPL model with 24 joints.
        ContractError: `shape_count` is below 1.
    """
    if shape_count is not None and shape_count < 1:
        msg = f"shape_count: expected at least 1 shape coefficient, or None for all, got {shape_count}"
        raise ContractError(msg)
    file = Path(path) if path else FREE_BODY_PATH
    if not file.is_file():
        msg = f"body model: expected a file at {file}, found none; check model_path ('' is the free body)"
        raise ModelFileError(msg)
    content = file.read_bytes()
    if file.suffix == ".npz":
        arrays = _read_npz(file, content)
    elif file.suffix == ".pkl":
        arrays = _read_pickle(file, content)
    else:
        msg = f"body model: expected a .npz or .pkl file, got {file}"
        raise ModelFileError(msg)
    missing = [name for name in NEEDED if name not in arrays]
    if missing:
        msg = f"body model: {file} lacks {', '.join(missing)}; expected a model in SMPL's format"
        raise ModelFileError(msg)
    model_id = f"{file.stem}-{hashlib.sha256(content).hexdigest()[:ID_LENGTH]}"
    return _checked_model(file, model_id, arrays, shape_count)


def _read_npz(file: Path, content: bytes) -> Mapping[str, object]:
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
        msg = f"body model: {file} ({len(content)} bytes) is damaged or not a .npz of plain arrays: {error}"
        raise ModelFileError(msg) from error


def _read_pickle(file: Path, content: bytes) -> Mapping[str, object]:
    try:
        loaded = load_restricted_pickle(content)
    except RefusedPickleError as error:
        msg = f"body model: {file}: {error}"
        raise ModelFileError(msg) from error
    if not isinstance(loaded, dict):
        msg = f"body model: {file}: expected a dictionary of arrays, got {type(loaded).__name__}"
        raise ModelFileError(msg)
    return loaded


def _checked_model(file: Path, model_id: str, arrays: Mapping[str, object], shape_count: int | None) -> BodyModel:
    try:
        parents = _array(arrays["kintree_table"], np.int64)[0]
        # The root's parent is 2^32 - 1 in the published files.
        parents = np.where((parents < 0) | (parents >= 2**31), -1, parents)
        if not np.array_equal(parents, SMPL_24.parents):
            msg = f"kintree_table: expected SMPL's 24 joints, got {len(parents)} joints with parents {parents.tolist()}"
            raise ContractError(msg)
        posedirs = _array(arrays["posedirs"], np.float32) if "posedirs" in arrays else None
        return BodyModel(
            model_id=model_id,
            v_template=_array(arrays["v_template"], np.float32),
            shapedirs=_array(arrays["shapedirs"], np.float32)[..., :shape_count],
            posedirs=posedirs if posedirs is not None and posedirs.any() else None,
            joint_regressor=_array(arrays["J_regressor"], np.float64),
            weights=_array(arrays["weights"], np.float32),
            faces=_array(arrays["f"], np.int32),
            part_labels=_array(arrays["part_labels"], np.uint8) if "part_labels" in arrays else None,
        )
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        msg = f"body model: {file} is not a usable SMPL model: {error}"
        raise ModelFileError(msg) from error


def _array(value: object, dtype: type[np.generic]) -> NDArray[Any]:
    """Return a plain array; arrays of objects cannot be converted and raise an error."""
    return np.asarray(value).astype(dtype)
