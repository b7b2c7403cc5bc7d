"""Reading of pickled arrays without execution of code in the pickle.

A pickle names the classes and functions that rebuild its objects. Only the names in `_ALLOWED` are accepted: they refer
to numpy's reconstruction of arrays or to stand-ins in this module that only store data. Other names are refused before
they are imported.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import re
import struct
from typing import Any

import numpy as np

from rehab_pose.errors import InputError

__all__ = ["UNPICKLING_ERRORS", "RefusedPickleError", "load_restricted_pickle"]

UNPICKLING_ERRORS = (
    pickle.UnpicklingError,
    EOFError,
    ValueError,
    KeyError,
    IndexError,
    TypeError,
    AttributeError,
    MemoryError,
    OverflowError,
    RecursionError,
    AssertionError,
    SystemError,
    struct.error,
)
"""Errors that a truncated or damaged pickle can raise."""


class RefusedPickleError(InputError):
    """The pickle refers to a name that is not allowed, or it is damaged."""


class _Chumpy:
    """Stand-in for chumpy.ch.Ch, an array with derivatives; stores the array."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.array = np.asarray(state["x"])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:  # noqa: ANN401, FBT001
        del copy
        return self.array if dtype is None else self.array.astype(dtype)


class _SparseColumns:
    """Stand-in for scipy.sparse's compressed sparse column matrix; stores the entries."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.values, self.rows = np.asarray(state["data"]), np.asarray(state["indices"])
        self.starts = np.asarray(state["indptr"])
        self.shape = tuple(int(length) for length in (state["_shape"] if "_shape" in state else state["shape"]))

    def _entry_indices(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        return self.rows, np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:  # noqa: ANN401, FBT001
        del copy
        size = math.prod(self.shape) * self.values.dtype.itemsize
        if len(self.shape) != 2 or min(self.shape) < 0 or size > MAX_UNPACKED:
            msg = f"the pickle has a sparse matrix of the shape {self.shape}; expected at most {MAX_UNPACKED} bytes"
            raise RefusedPickleError(msg)
        dense = np.zeros(self.shape, dtype=self.values.dtype)
        np.add.at(dense, self._entry_indices(), self.values)
        return dense if dtype is None else dense.astype(dtype)


class _SparseRows(_SparseColumns):
    """Stand-in for scipy.sparse's compressed sparse row matrix."""

    def _entry_indices(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        rows, columns = super()._entry_indices()
        return columns, rows


def _stand_in_instance(kind: Any, base: Any = object, state: Any = None) -> object:  # noqa: ANN401
    """Replace copyreg._reconstructor (old pickles of new-style classes) for the stand-ins only."""
    if kind not in {_Chumpy, _SparseColumns, _SparseRows} or base is not object or state is not None:
        msg = f"the pickle rebuilds {kind!r} in an unknown way; only arrays can be read"
        raise RefusedPickleError(msg)
    return object.__new__(kind)


def _latin1_bytes(text: str, encoding: str = "latin1") -> bytes:
    """Replace _codecs.encode for the only encoding in pickles of arrays."""
    if encoding != "latin1":
        msg = f"the pickle encodes text as {encoding!r}; expected latin1"
        raise RefusedPickleError(msg)
    return text.encode("latin1")


MAX_MEMO = 1 << 20
"""Largest number of a memoised object: the unpickler allocates a table up to the number that the file claims."""
MAX_UNPACKED = 1 << 30
"""Largest array [bytes]."""
_DTYPE = re.compile(r"[|<>=]?[biufcSUO]\d{0,4}")


class _ArrayType:
    """Stand-in for numpy.ndarray as an argument of _reconstruct; a call of ndarray would allocate any shape."""


def _empty_array(kind: Any, shape: Any, code: Any) -> np.ndarray[Any, Any]:  # noqa: ANN401
    """Replace numpy's _reconstruct: an empty array, whose content `__setstate__` fills from the bytes in the pickle."""
    if kind is not _ArrayType or tuple(shape) != (0,):
        msg = f"the pickle rebuilds an array of the shape {shape!r}; expected (0,), as numpy writes it"
        raise RefusedPickleError(msg)
    del code  # the type of the elements follows
    return np.empty(0, np.uint8)


def _plain_dtype(name: Any, *flags: Any) -> np.dtype[Any]:  # noqa: ANN401
    """Replace numpy.dtype for the types of plain arrays; structured types can claim any size."""
    text = name.decode("latin1") if isinstance(name, bytes) else name
    if not isinstance(text, str) or _DTYPE.fullmatch(text) is None:
        msg = f"the pickle has an array of {name!r}; only numbers and text can be read"
        raise RefusedPickleError(msg)
    return np.dtype(text, *flags)


def _numpy_function(name: str) -> Any:  # noqa: ANN401
    # numpy.core was renamed to numpy._core in 2.0; files contain either name.
    module = np._core if hasattr(np, "_core") else np.core  # noqa: SLF001  (there is no public name)
    return getattr(module.multiarray, name)


_ALLOWED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): _ArrayType,
    ("numpy", "dtype"): _plain_dtype,
    ("chumpy.ch", "Ch"): _Chumpy,
    ("copy_reg", "_reconstructor"): _stand_in_instance,
    ("copyreg", "_reconstructor"): _stand_in_instance,
    ("__builtin__", "object"): object,
    ("builtins", "object"): object,
    ("_codecs", "encode"): _latin1_bytes,
}
for _module in ("numpy.core.multiarray", "numpy._core.multiarray"):
    _ALLOWED[_module, "_reconstruct"] = _empty_array
    _ALLOWED[_module, "scalar"] = _numpy_function("scalar")
for _module in ("scipy.sparse.csc", "scipy.sparse._csc"):
    _ALLOWED[_module, "csc_matrix"] = _SparseColumns
    _ALLOWED[_module, "csc_array"] = _SparseColumns
for _module in ("scipy.sparse.csr", "scipy.sparse._csr"):
    _ALLOWED[_module, "csr_matrix"] = _SparseRows
    _ALLOWED[_module, "csr_array"] = _SparseRows


class _RestrictedUnpickler(pickle.Unpickler):
    """An unpickler that accepts only the names in `_ALLOWED`."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:  # noqa: ANN401
        """Return the object of an allowed name without an import.

        Raises:
            RefusedPickleError: The name is not allowed.
        """
        allowed = _ALLOWED.get((module_name, global_name))
        if allowed is None:
            msg = (
                f"the pickle asks for {module_name}.{global_name}, which no file of arrays needs; it was not run. "
                "Get the file from its publisher again, or save its arrays as .npz"
            )
            raise RefusedPickleError(msg)
        return allowed


def _check_memo(content: bytes) -> None:
    """Refuse numbers of memoised objects that no file of arrays reaches.

    Raises:
        RefusedPickleError: A number is too large.
        ValueError: An instruction is unknown or cut off.
    """
    for operation, argument, _ in pickletools.genops(content):
        if operation.name in {"PUT", "BINPUT", "LONG_BINPUT"} and not 0 <= int(argument or 0) <= MAX_MEMO:
            msg = f"the pickle numbers an object {argument}; expected at most {MAX_MEMO}"
            raise RefusedPickleError(msg)


def load_restricted_pickle(content: bytes) -> object:
    """Return the content of a pickle of arrays.

    Raises:
        RefusedPickleError: It refers to other objects than arrays and sparse matrices, or it is truncated or damaged.
    """
    try:
        _check_memo(content)
        return _RestrictedUnpickler(io.BytesIO(content), encoding="latin1").load()
    except RefusedPickleError:
        raise
    except UNPICKLING_ERRORS as error:
        msg = f"the pickle ({len(content)} bytes) is truncated or damaged: {error}"
        raise RefusedPickleError(msg) from error
