"""Checks that give every array in a record its contract: shape, dtype, read-only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.errors import ContractError

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

__all__ = ["frozen", "set_fields"]


def frozen(name: str, value: object, shape: tuple[int | str, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Return `value` as a read-only array of the given dtype after checking its shape.

    Args:
        name: What the array is called in the error message.
        value: An array or nested sequence. It is copied only when the dtype differs or it is not contiguous.
        shape: One entry an axis: an int is exact, a str names an axis of any length (the same name must mean the
            same length).
        dtype: The dtype that the record promises.

    Returns:
        A read-only view (or a read-only copy where a conversion was needed).

    Raises:
        ContractError: The value has another number of axes or another length along one.
    """
    array: NDArray[Any] = np.ascontiguousarray(value, dtype=dtype) if len(shape) else np.asarray(value, dtype=dtype)
    lengths: dict[str, int] = {}
    matches = array.ndim == len(shape)
    if matches:
        for wanted, got in zip(shape, array.shape, strict=True):
            expected = lengths.setdefault(wanted, got) if isinstance(wanted, str) else wanted
            matches = matches and expected == got
    if not matches:
        wanted_text = "(" + ", ".join(str(axis) for axis in shape) + ")"
        msg = f"{name}: expected an array of shape {wanted_text}, got {array.shape}"
        raise ContractError(msg)
    view = array.view()
    view.flags.writeable = False
    return view


def set_fields(record: object, **arrays: object) -> None:
    """Give a frozen record its checked arrays; only its own __post_init__ may."""
    for name, array in arrays.items():
        object.__setattr__(record, name, array)
