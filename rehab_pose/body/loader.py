"""Loads a body model file: the free one in this package, or the user's SMPL file (.npz or .pkl).

Official SMPL files are pickles. A pickle can run any code, so it is read by an unpickler that accepts a short list of
harmless classes (arrays, sparse matrices, chumpy's container) and refuses all others.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.array_file import ArrayFile
from rehab_pose.body.model import BodyModel
from rehab_pose.errors import ContractError, InputError, ModelFileError
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
MAX_FILE_BYTES = 1 << 30
"""Largest file; SMPL's with 300 shape coefficients have 250 MB [bytes]."""
MAX_ARRAY_BYTES, MAX_ARRAYS = 1 << 29, 100
"""Largest array of a .npz [bytes] and largest number of arrays."""
HEIGHT_RANGE_M = (0.4, 2.6)
"""Height of the mean body at rest, from an infant's to beyond the tallest person's [m]."""
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
    if file.stat().st_size > MAX_FILE_BYTES:
        msg = f"body model: expected at most {MAX_FILE_BYTES} bytes, {file} has {file.stat().st_size}"
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
        with ArrayFile(content, max_bytes=MAX_ARRAY_BYTES, max_members=MAX_ARRAYS) as archive:
            return dict(archive)
    except InputError as error:
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
        model = BodyModel(
            model_id=model_id,
            v_template=_array(arrays["v_template"], np.float32),
            shapedirs=_array(arrays["shapedirs"], np.float32)[..., :shape_count],
            posedirs=posedirs if posedirs is not None and posedirs.any() else None,
            joint_regressor=_array(arrays["J_regressor"], np.float64),
            weights=_array(arrays["weights"], np.float32),
            faces=_array(arrays["f"], np.int32),
            part_labels=_array(arrays["part_labels"], np.uint8) if "part_labels" in arrays else None,
        )
        _check_upright(model)
    except (ValueError, TypeError, IndexError, OverflowError, MemoryError, AttributeError) as error:
        msg = f"body model: {file} is not a usable SMPL model: {error}"
        raise ModelFileError(msg) from error
    return model


def _check_upright(model: BodyModel) -> None:
    """Check that a body has a person's size in metres and stands upright along y, with its left side at +x.

    Raises:
        ContractError: It is not so; the message has the figures.
    """
    low, high = HEIGHT_RANGE_M
    height_m = float(np.ptp(model.v_template[:, 1].astype(np.float64)))
    if not low <= height_m <= high:
        extent = np.ptp(model.v_template.astype(np.float64), axis=0).round(3).tolist()
        msg = (
            f"v_template: expected a body of {low:g} to {high:g} m along y, got {extent} along x, y, z; SMPL's unit is "
            "the metre and y is up"
        )
        raise ContractError(msg)
    joints = {
        name: model.joint_template[SMPL_24.index(name)] for name in ("head", "pelvis", "left_ankle", "right_ankle")
    }
    head, pelvis = joints["head"], joints["pelvis"]
    ankles = 0.5 * (joints["left_ankle"] + joints["right_ankle"])
    if not head[1] > pelvis[1] > ankles[1] or not joints["left_ankle"][0] > joints["right_ankle"][0]:
        msg = (
            f"v_template: expected the head above the pelvis above the ankles along y and the left side at +x, got "
            f"head {head.round(2).tolist()}, pelvis {pelvis.round(2).tolist()}, ankles {ankles.round(2).tolist()} [m]"
        )
        raise ContractError(msg)


def _array(value: object, dtype: type[np.generic]) -> NDArray[Any]:
    """Return a plain array; arrays of objects cannot be converted and raise an error."""
    return np.asarray(value).astype(dtype)
