"""Checks of the arrays in records: shape, dtype, read-only; and values in place of missing ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.errors import ContractError

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

__all__ = ["frozen", "set_fields", "without_nan"]


def frozen(name: str, value: object, shape: tuple[int | str, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Return a value as a read-only array of the given dtype after a check of its shape.

    Args:
        name: Name of the array in the error message.
        value: An array or nested sequence; copied only if its dtype differs or it is not contiguous.
        shape: Length of each axis: an int is the exact length, a str names an axis of any length (axes of the same name
            have the same length).
        dtype: The dtype of the result.

    Returns:
        A read-only view, or a read-only copy if a conversion was necessary.

    Raises:
        ContractError: The value has another number of axes or another length of an axis.
    """
    array: NDArray[Any] = np.ascontiguousarray(value, dtype=dtype) if len(shape) else np.asarray(value, dtype=dtype)
    lengths: dict[str, int] = {}
    matches = array.ndim == len(shape)
    if matches:
        for expected, got in zip(shape, array.shape, strict=True):
            length = lengths.setdefault(expected, got) if isinstance(expected, str) else expected
            matches = matches and length == got
    if not matches:
        expected_shape = "(" + ", ".join(str(axis) for axis in shape) + ")"
        msg = f"{name}: expected an array of shape {expected_shape}, got {array.shape}"
        raise ContractError(msg)
    view = array.view()
    view.flags.writeable = False
    return view


def without_nan(values: NDArray[np.float64], instead: float = 0.0) -> NDArray[np.float64]:
    """Return values with another one in place of NaN; a tenth of the time of `numpy.nan_to_num` for a few joints."""
    return np.where(np.isnan(values), instead, values)


def set_fields(record: object, **arrays: object) -> None:
    """Set fields of a frozen record; for use in its `__post_init__` only."""
    for name, array in arrays.items():
        object.__setattr__(record, name, array)
