"""Checks of the content of messages, which come from other programs; every fault is an InputError."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np

from rehab_pose.errors import ContractError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

__all__ = ["between", "direction", "near_camera", "not_negative", "short_text", "whole_message"]

FARTHEST_M = 20.0
"""Largest coordinate of a person in the camera's frame [m]; depth cameras see people within 8 m."""
UNIT_TOLERANCE = 1e-2
"""Largest difference of a unit vector's length from 1."""
LONGEST_TEXT = 4096
"""Largest number of characters of a text; reasons in words have less than 200."""
P = ParamSpec("P")
R = TypeVar("R")
CONVERSION_ERRORS = (ContractError, ValueError, TypeError, IndexError, KeyError, AttributeError, OverflowError)
"""Errors of fields with a wrong length, value or type."""


def whole_message(what: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a converter raise InputError, and nothing else, for a message that is no record.

    Args:
        what: Name of the message in the error.
    """

    def decorate(convert: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(convert)
        def converted(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return convert(*args, **kwargs)
            except InputError:
                raise
            except CONVERSION_ERRORS as error:
                msg = f"{what}: expected a message as in rehab_pose_msgs, got {error}; its publisher is wrong"
                raise InputError(msg) from error

        return converted

    return decorate


def between(name: str, values: ArrayLike, low: float, high: float) -> NDArray[np.float64]:
    """Return numbers that are within limits; NaN = missing.

    Raises:
        InputError: One is not.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.size:
        lowest, highest = np.fmin.reduce(array, axis=None), np.fmax.reduce(array, axis=None)  # without NaN
        if lowest < low or highest > high:
            msg = f"{name}: expected numbers from {low:g} to {high:g}, got {lowest:g} to {highest:g}"
            raise InputError(msg)
    return array


def near_camera(name: str, positions_m: ArrayLike) -> NDArray[np.float64]:
    """Return positions [m] of any shape that a camera can see; NaN = missing.

    Raises:
        InputError: A coordinate is beyond FARTHEST_M: another unit, or damage.
    """
    return between(f"{name} [m]", positions_m, -FARTHEST_M, FARTHEST_M)


def not_negative(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Return finite numbers of at least 0; NaN = missing.

    Raises:
        InputError: One is negative or infinite.
    """
    return between(name, values, 0.0, float(np.finfo(np.float32).max))


def direction(name: str, vector: Any) -> NDArray[np.float64]:  # noqa: ANN401  (an array field of a message)
    """Return a unit vector (3); all NaN = unknown.

    Raises:
        InputError: It has another length.
    """
    array = np.array(vector, dtype=np.float64)
    unknown = array.shape == (3,) and bool(np.isnan(array).all())
    with np.errstate(over="ignore", invalid="ignore"):
        unit = array.shape == (3,) and bool(abs(np.linalg.norm(array) - 1.0) <= UNIT_TOLERANCE)
    if not (unknown or unit):
        msg = f"{name}: expected a unit vector or three NaN, got {array.tolist()}"
        raise InputError(msg)
    return array


def short_text(name: str, text: object) -> str:
    """Return a text of at most LONGEST_TEXT characters.

    Raises:
        InputError: It is no text, or longer.
    """
    if not isinstance(text, str) or len(text) > LONGEST_TEXT:
        length = len(text) if isinstance(text, str) else type(text).__name__
        msg = f"{name}: expected a text of at most {LONGEST_TEXT} characters, got {length}"
        raise InputError(msg)
    return text
