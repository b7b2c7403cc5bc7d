"""Reader of files of arrays (.npz) from users: bounded in size and number, and without executing anything in them.

numpy allocates the shape that the header of an array claims before it reads the data. Here an array is read only if its
shape takes exactly the bytes that the archive holds for it, and these are bounded.
"""

from __future__ import annotations

import io
import lzma
import math
import struct
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rehab_pose.errors import InputError, ModelFileError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["CONTENT_ERRORS", "READ_ERRORS", "ZIP_ERRORS", "ArrayFile", "read_arrays", "usable_content"]

READ_ERRORS = (OSError, ValueError, KeyError)
"""Errors of reading a missing, damaged, hostile or too large file: InputError is a ValueError."""
ZIP_ERRORS = (
    *(OSError, ValueError, EOFError, KeyError, IndexError, TypeError, OverflowError, RuntimeError, NotImplementedError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, MemoryError),
)
"""Errors that zipfile raises for damaged archives, and for encrypted or unknown methods of compression."""
HEADER_ERRORS = (SyntaxError, tokenize.TokenError, RecursionError, AttributeError, AssertionError, *ZIP_ERRORS)
"""Errors that numpy raises for damaged headers, whose text it evaluates as a literal."""
CONTENT_ERRORS = (ValueError, TypeError, IndexError, KeyError, OverflowError, AttributeError)
"""Errors of the use of arrays with other types or shapes."""
MAX_BYTES = 1 << 30
"""Default of the largest unpacked size of one array [bytes]."""
MAX_MEMBERS = 10_000
"""Largest number of arrays of a file; the largest data set has 6,000."""
ENDING = ".npy"


class ArrayFile(AbstractContextManager["ArrayFile"], Mapping[str, "NDArray[Any]"]):
    """The arrays of a .npz file by name, each read when it is asked for; use it in a `with` statement."""

    def __init__(self, source: Path | bytes, *, max_bytes: int = MAX_BYTES, max_members: int = MAX_MEMBERS) -> None:
        """Open a file.

        Args:
            source: The file, or its content.
            max_bytes: Largest unpacked size of one array [bytes].
            max_members: Largest number of arrays.

        Raises:
            InputError: It is missing, no archive, or holds too much; nothing was unpacked.
        """
        self._name = str(source) if isinstance(source, Path) else "archive"
        try:
            self._archive = zipfile.ZipFile(source if isinstance(source, Path) else io.BytesIO(source))
        except ZIP_ERRORS as error:
            msg = f"{self._name}: expected an .npz archive of arrays, got {error!r}; get the file again"
            raise InputError(msg) from error
        self._members = {entry.filename.removesuffix(ENDING): entry for entry in self._archive.infolist()}
        count = len(self._archive.infolist())
        large = [(name, entry.file_size) for name, entry in self._members.items() if entry.file_size > max_bytes]
        if count > max_members or large:
            self.close()
            got = f"{large[0][0]}: {large[0][1]}" if large else str(count)
            limit = f"arrays of at most {max_bytes} bytes" if large else f"at most {max_members} arrays"
            msg = f"{self._name}: expected {limit}, got {got}"
            raise InputError(msg)

    @property
    def files(self) -> list[str]:
        """Names of the arrays, in the order of the file."""
        return list(self._members)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return an array.

        Raises:
            KeyError: The file has no array of that name.
            InputError: It is damaged, has another size than its header says, or is not of plain numbers or text.
        """
        entry = self._members[name]
        try:
            with self._archive.open(entry) as member:
                content = member.read(entry.file_size)
            return _parsed(content)
        except HEADER_ERRORS as error:
            msg = f"{self._name}: array {name}: expected a whole array of numbers or text, got {error!r}"
            raise InputError(msg) from error

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names."""
        return iter(self._members)

    def __len__(self) -> int:
        """Return the number of arrays."""
        return len(self._members)

    def __exit__(self, *_: object) -> None:
        """Close the file."""
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._archive.close()


def _parsed(content: bytes) -> NDArray[Any]:
    """Return the array in the content of an .npy file."""
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(stream)
    elif version == (2, 0):
        shape, fortran_order, dtype = np.lib.format.read_array_header_2_0(stream)
    else:
        msg = f"version {version} of an array; 1.0 and 2.0 are known"
        raise ValueError(msg)
    size = math.prod(shape) * dtype.itemsize
    rest = len(content) - stream.tell()
    if dtype.hasobject or dtype.kind == "V" or size != rest or any(length < 0 for length in shape):
        msg = f"an array of {dtype} and the shape {shape} in {rest} bytes"
        raise ValueError(msg)
    flat: NDArray[Any] = np.frombuffer(content, dtype, offset=stream.tell()) if rest else np.empty(0, dtype)
    return flat.reshape(shape, order="F" if fortran_order else "C").copy()


@contextmanager
def usable_content(path: Path, advice: str) -> Iterator[None]:
    """Turn errors of arrays with other types or shapes than expected into a ModelFileError.

    Args:
        path: The file that they are from, for the message.
        advice: Advice for the user, for the message.

    Raises:
        ModelFileError: The block raised such an error.
    """
    try:
        yield
    except CONTENT_ERRORS as error:
        msg = f"{path}: expected arrays of other types or shapes: {error}; {advice}"
        raise ModelFileError(msg) from error


def read_arrays(
    path: Path, names: Sequence[str], *, max_bytes: int, optional: Sequence[str] = ()
) -> dict[str, NDArray[Any]]:
    """Return arrays of a file by name.

    Args:
        path: The file.
        names: Arrays that it has to contain.
        max_bytes: Largest unpacked size of one array [bytes].
        optional: Arrays that are returned if it contains them.

    Raises:
        KeyError: An array is missing.
        InputError: An array is damaged or too large, or there are more than twice as many as named.
    """
    most = 2 * (len(names) + len(optional))
    with ArrayFile(path, max_bytes=max_bytes, max_members=most) as stored:
        present = [name for name in optional if name in stored]
        return {name: stored[name] for name in (*names, *present)}
