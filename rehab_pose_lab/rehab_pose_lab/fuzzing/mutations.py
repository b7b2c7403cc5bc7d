"""Hypothesis strategies of damaged and hostile files: edited bytes, text, JSON values, arrays, archives and pickles."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hypothesis.strategies import DrawFn, SearchStrategy
    from numpy.typing import NDArray

__all__ = [
    "ODD_FLOATS",
    "ODD_INTEGERS",
    "ODD_TEXTS",
    "archives",
    "edited",
    "json_files",
    "odd_arrays",
    "odd_values",
    "pickles",
    "text_files",
    "yaml_files",
    "zip_files",
]

ODD_FLOATS = (float("nan"), float("inf"), -float("inf"), 1e308, -1e30, 1e9, 1e3, 1e-30, 0.0, -1.0, 2.0, 0.5)
ODD_INTEGERS = (0, 1, -1, 2, 7, 99, 255, 65535, 2**31 - 1, -(2**31), 2**32 - 1, 10**6, 1_500_000_000)
ODD_TEXTS = (
    "",
    "x",
    "nan",
    "inf",
    "-1",
    "1e999",
    "squat",
    "none",
    "aaaaa",
    "\x00",
    "../../etc/passwd",
    "y" * 70000,
    "é",
)
_BLOCKS = (
    *(b"\x00" * 4, b"\xff" * 4, b"\xff\xff\xff\x7f", b"\x00" * 8, b"\xff" * 8, b"\xff" * 7 + b"\x7f", b"\x01"),
    *(b"nan", b"inf", b"-1", b"1e999", b"99999999999999999999", b"\n", b",", b"{", b"[", b"(", b"'", b'"', b"\x80"),
    *(
        b"r\xff\xff\xff\x7f",
        b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"cos\nsystem\n",
        b"&a [*a, *a]",
        b"!!python/name:os",
    ),
)
"""Blocks that are written over or into a file: extreme numbers, delimiters, and words of the formats."""
_EDITS = ("flip", "write", "insert", "cut_out", "repeat", "truncate")
# Strategies that many inputs use are made once: making one costs as much as drawing from it.
_EDIT_LISTS = st.lists(
    st.tuples(st.sampled_from(_EDITS), st.integers(0, 2**20 - 1), st.integers(0, 255), st.sampled_from(_BLOCKS)),
    min_size=1,
    max_size=6,
)
_MAX_REPEAT = 64
"""Longest part of a file that is repeated [bytes]."""


def edited(*examples: bytes) -> SearchStrategy[bytes]:
    """Return files made of examples by one to six edits."""
    return st.builds(_edit, st.sampled_from(examples), _EDIT_LISTS)


def _edit(data: bytes, edits: Sequence[tuple[str, int, int, bytes]]) -> bytes:
    result = bytearray(data)
    for kind, fraction, number, block in edits:
        place = len(result) * fraction // 2**20
        if kind == "flip" and result:
            result[place] ^= 1 << number % 8
        elif kind == "write":
            result[place : place + len(block)] = block
        elif kind == "insert":
            result[place:place] = block
        elif kind == "cut_out":
            del result[place : place + number]
        elif kind == "repeat":
            result[place:place] = result[place : place + _MAX_REPEAT] * (1 + number)
        elif kind == "truncate" and number % 4 == 0:
            del result[place:]
    return bytes(result)


@cache
def odd_values() -> SearchStrategy[Any]:
    """Return values of JSON and YAML that a reader may not expect."""
    return st.one_of(
        st.sampled_from(ODD_FLOATS),
        st.sampled_from((*ODD_INTEGERS, 10**30)),
        st.sampled_from(ODD_TEXTS),
        st.sampled_from((None, True, False, (), (1, 2), ((1.0,),), ("a", None))).map(_plain),
        st.dictionaries(st.sampled_from(("x", "fx", "d")), st.integers(), max_size=2),
        st.floats(),
        st.integers(-(2**40), 2**40),
    )


def _plain(value: Any) -> Any:  # noqa: ANN401  (a value of JSON)
    return [_plain(entry) for entry in value] if isinstance(value, tuple) else value


def _paths(value: object) -> list[tuple[Any, ...]]:
    """Return the path of every value inside a nested value, and the empty path of the whole."""
    entries: Sequence[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        entries = tuple(value.items())
    elif isinstance(value, list):
        entries = tuple(enumerate(value))
    return [(), *((key, *path) for key, inner in entries for path in _paths(inner))]


def _replaced(value: Any, path: tuple[Any, ...], new: Any, *, remove: bool) -> Any:  # noqa: ANN401
    if not path:
        if isinstance(new, _Factor):
            return float(value) * float(new) if isinstance(value, (int, float)) else float(new)
        return new
    key, *rest = path
    changed = dict(value) if isinstance(value, dict) else list(value)
    if remove and not rest:
        del changed[key]
    else:
        changed[key] = _replaced(value[key], tuple(rest), new, remove=remove)
    return changed


class _Factor(float):
    """A number that multiplies the value it replaces: another unit or direction."""


@cache
def _new_values() -> SearchStrategy[Any]:
    return st.one_of(odd_values(), st.sampled_from((1000.0, -1.0, 1e-3, 1e4)).map(_Factor))


_ONE_OR_TWO, _ONE_TO_THREE, _ONE_OF_FIVE = st.integers(1, 2), st.integers(1, 3), st.integers(0, 4)


@st.composite
def _changed(draw: DrawFn, examples: tuple[Any, ...]) -> Any:  # noqa: ANN401
    value = draw(st.sampled_from(examples))
    for _ in range(draw(_ONE_OR_TWO)):
        paths = sorted(_paths(value), key=len, reverse=True)  # the first ones are drawn more often than others
        path = draw(st.sampled_from(paths))
        new = draw(_new_values())
        value = _replaced(value, path, new, remove=draw(_ONE_OF_FIVE) == 4)
    return value


def json_files(*examples: Any) -> SearchStrategy[bytes]:  # noqa: ANN401
    """Return files of JSON values with odd entries, and edited text."""
    texts = [json.dumps(example).encode() for example in examples]
    return st.one_of(_changed(examples).map(lambda value: json.dumps(value).encode()), edited(*texts))


def yaml_files(*examples: Any) -> SearchStrategy[bytes]:  # noqa: ANN401
    """Return files of YAML values with odd entries, and edited text."""
    texts = [_yaml_text(example) for example in examples]
    return st.one_of(_changed(examples).map(_yaml_text), edited(*texts))


def _yaml_text(value: Any) -> bytes:  # noqa: ANN401  (a value of YAML)
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # ten times faster where it is built
    return str(yaml.dump(value, Dumper=dumper)).encode(errors="surrogatepass")


_WORDS = st.one_of(st.sampled_from(ODD_TEXTS), st.sampled_from(ODD_INTEGERS).map(str), st.floats().map(str))


@st.composite
def text_files(draw: DrawFn, *examples: str) -> bytes:
    """Return tables as text with odd words, missing or repeated lines, or edited bytes."""
    text = draw(st.sampled_from(examples))
    if draw(st.booleans()):
        return draw(edited(text.encode()))
    lines = text.splitlines()
    for _ in range(draw(_ONE_TO_THREE)):
        index = draw(st.integers(0, max(len(lines) - 1, 0)))
        separator = "," if "," in lines[index] else " "
        words = lines[index].split(separator)
        words[draw(st.integers(0, len(words) - 1))] = draw(_WORDS)
        changed = separator.join(words)
        lines[index : index + 1] = draw(st.sampled_from(([changed], [changed], [changed, changed], [], ["", changed])))
        lines = lines or [""]
    return "\n".join(lines).encode(errors="surrogatepass")


_TYPES = st.sampled_from(("f2", "f4", "f8", "i1", "i2", "i8", "u1", "u8", "?", "c8", "S3", "U4", "O"))
_SAME_TYPE_WAYS = st.sampled_from(("values", "scale", "shape", "axes"))
_ARRAY_WAYS = st.sampled_from(("values", "scale", "shape", "axes", "type"))
_SCALES = st.sampled_from((1000.0, 0.0, -1.0, 1e-3, 1e30, float("nan")))
_FLOATS, _INTEGERS = st.sampled_from(ODD_FLOATS), st.sampled_from(ODD_INTEGERS)


@st.composite
def odd_arrays(draw: DrawFn, example: NDArray[Any], *, same_type: bool = False) -> NDArray[Any]:
    """Return an array like the example with odd values, another scale, shape, order of axes or type."""
    array = np.array(example)
    way = draw(_SAME_TYPE_WAYS if same_type else _ARRAY_WAYS)
    if way == "values" and array.size and array.dtype.kind in "fiub":
        for _ in range(draw(_ONE_TO_THREE)):
            place = draw(st.integers(0, array.size - 1))
            pool = _FLOATS if array.dtype.kind == "f" else _INTEGERS
            with np.errstate(over="ignore", invalid="ignore"):
                array.reshape(-1)[place] = np.array(draw(pool)).astype(array.dtype)
    elif way == "scale" and array.dtype.kind in "fiu":
        with np.errstate(over="ignore", invalid="ignore"):
            factor = draw(_SCALES)
            array = (array * factor).astype(array.dtype)
    elif way == "shape":
        array = draw(st.sampled_from(_reshaped(array)))
    elif way == "axes" and array.ndim:
        array = (
            np.roll(array, 1, axis=-1)
            if draw(st.booleans())
            else np.flip(array, axis=draw(st.integers(0, array.ndim - 1)))
        )
    elif way == "type":
        array = _as_type(array, draw(_TYPES))
    return array


def _reshaped(array: NDArray[Any]) -> list[NDArray[Any]]:
    shapes = [
        array.reshape(-1),
        array[None],
        array.T,
        array[..., None],
        array.reshape(-1)[:0],
        np.array(0, array.dtype),
    ]
    if array.ndim:
        shapes += [array[:-1], array[:1], array[..., :-1], np.concatenate([array, array]), np.resize(array, (3, 0, 2))]
    return shapes


def _as_type(array: NDArray[Any], kind: str) -> NDArray[Any]:
    with np.errstate(over="ignore", invalid="ignore"):
        try:
            return array.astype(kind)
        except ValueError:
            return np.zeros(array.shape, kind)


def _stored(array: NDArray[Any]) -> bytes:
    content = io.BytesIO()
    np.lib.format.write_array(content, np.asanyarray(array), allow_pickle=True)
    return content.getvalue()


def _with_claimed_shape(stored: bytes, shape: str) -> bytes:
    """Return an .npy file whose header claims another shape."""
    start, end = stored.find(b"'shape': (") + 9, stored.find(b"\n")
    head = stored[:start] + shape.encode() + b", }"
    return head.ljust(end)[:end] + stored[end:] if start > 9 else stored


_ARCHIVE_WAYS = st.sampled_from(("arrays", "arrays", "drop", "rename", "shape", "zip", "bytes", "member"))
_SHAPES = ("(10000000000,)", "(1, 99999999999999999999)", "(-1,)", "(3,)", "()", "(1.5,)", "((2,),)", "(2**40,)", "x")


@st.composite
def archives(draw: DrawFn, arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return .npz files: odd, missing and unknown arrays, false claims in headers, and edited bytes."""
    members = {f"{name}.npy": array for name, array in arrays.items()}
    stored = {}
    chosen = draw(st.lists(st.sampled_from(sorted(members)), max_size=2))
    for name, array in members.items():
        stored[name] = _stored(draw(odd_arrays(array)) if name in chosen else array)
    way = draw(_ARCHIVE_WAYS)
    name = draw(st.sampled_from(sorted(members)))
    if way == "drop":
        del stored[name]
    elif way == "rename":
        stored[draw(st.sampled_from(("a.npy", "../x.npy", "m", "m01_s01_e99.npy", "é.npy")))] = stored.pop(name)
    elif way == "shape":
        stored[name] = _with_claimed_shape(stored[name], draw(st.sampled_from(_SHAPES)))
    elif way == "member":
        stored[name] = draw(edited(stored[name]))
    content = zipped(stored)
    if way == "zip":
        return draw(_odd_zip(content))
    return draw(edited(content)) if way == "bytes" else content


def zipped(members: Mapping[str, bytes]) -> bytes:
    """Return a zip file, deflated."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, data in members.items():
            archive.writestr(zipfile.ZipInfo(name), data, compress_type=zipfile.ZIP_DEFLATED)
    return content.getvalue()


_LOCAL, _CENTRAL = b"PK\x03\x04", b"PK\x01\x02"
_FIELDS = {"flags": (6, 8, 2), "method": (8, 10, 2), "crc": (14, 16, 4), "packed": (18, 20, 4), "size": (22, 24, 4)}
"""Offset in the local header, offset in the central directory, and length of fields of a zip file [bytes]."""


@st.composite
def _odd_zip(draw: DrawFn, content: bytes) -> bytes:
    """Return a zip file with another value in a field of one member's headers."""
    local, central, length = _FIELDS[draw(st.sampled_from(sorted(_FIELDS)))]
    value = draw(st.sampled_from((1, 99, 12, 14, 0xFFFF, 0xFFFFFFFF, 0x7FFFFFFF, 0, 1 << 11, 500))) % 256**length
    data, skip = bytearray(content), draw(st.integers(0, 2))
    for mark, offset in ((_LOCAL, local), (_CENTRAL, central)):
        place = data.find(mark)
        for _ in range(skip):
            place = max(data.find(mark, place + 4), place)
        if place >= 0:
            data[place + offset : place + offset + length] = value.to_bytes(length, "little")
    return bytes(data)


@st.composite
def zip_files(
    draw: DrawFn, members: Mapping[str, bytes], odd: Callable[[bytes], SearchStrategy[bytes]] = edited
) -> bytes:
    """Return zip files with one odd member, or false fields, or edited bytes."""
    way = draw(st.sampled_from(("member", "member", "member", "zip", "bytes")))
    changed = dict(members)
    if way == "member":
        name = draw(st.sampled_from(sorted(members)))
        changed[name] = draw(odd(members[name]))
    content = zipped(changed)
    if way == "zip":
        return draw(_odd_zip(content))
    return draw(edited(content)) if way == "bytes" else content


@st.composite
def pickles(draw: DrawFn, content: Mapping[str, Any]) -> bytes:
    """Return pickles of a dictionary with odd arrays and values, and edited bytes."""
    changed = dict(content)
    for name in draw(st.lists(st.sampled_from(sorted(content)), max_size=2)):
        value = content[name]
        if isinstance(value, np.ndarray) and draw(st.booleans()):
            changed[name] = draw(odd_arrays(value))
        elif draw(st.integers(0, 2)) == 0:
            changed.pop(name, None)
        elif isinstance(value, dict) and draw(st.booleans()):
            changed[name] = {key: draw(odd_values()) for key in value}
        else:
            changed[name] = draw(odd_values())
    whole: Any = draw(st.sampled_from((changed, changed, changed, changed, [changed], None)))
    data = pickle.dumps(whole, protocol=draw(st.integers(0, 4)))
    return draw(edited(data)) if draw(st.integers(0, 2)) == 0 else data
