"""Files that claim more than they hold, or hold what cannot be, are refused before anything is allocated."""

from __future__ import annotations

import io
import json
import pickle
import tracemalloc
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rehab_pose.array_file import ArrayFile
from rehab_pose.body.loader import FREE_BODY_PATH, load_body_model
from rehab_pose.capture.calibration_file import read_calibration
from rehab_pose.errors import InputError, ModelFileError, RehabPoseError
from rehab_pose.restricted_pickle import RefusedPickleError, load_restricted_pickle

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MAX_ALLOCATED_BYTES = 50_000_000
CAMERA = {"width": 64, "height": 48, "fx": 60.0, "fy": 60.0, "cx": 31.5, "cy": 23.5}
MOTION = [[1.0, 0.0, 0.0, 0.05], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]]


@pytest.fixture
def few_bytes() -> Iterator[None]:
    """Check that little memory is allocated in a test."""
    tracemalloc.start()
    yield
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MAX_ALLOCATED_BYTES


def archive(header: str, data: bytes = b"") -> bytes:
    """Return an .npz file whose only array `v_template` has the given header."""
    text = header.encode().ljust(117) + b"\n"
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as members:
        members.writestr("v_template.npy", b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data)
    return content.getvalue()


def with_zip_field(content: bytes, local: int, central: int, value: int) -> bytes:
    """Return a zip file with a two-byte field of both headers replaced."""
    data = bytearray(content)
    for mark, offset in ((b"PK\x03\x04", local), (b"PK\x01\x02", central)):
        place = data.find(mark) + offset
        data[place : place + 2] = value.to_bytes(2, "little")
    return bytes(data)


PLAIN = archive("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", bytes(8))
HOSTILE = {
    "a huge shape": archive("{'descr': '<f8', 'fortran_order': False, 'shape': (100000000000,), }", bytes(8)),
    "a negative shape": archive("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }", bytes(8)),
    "no header": archive("x"),
    "objects": archive("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", bytes(8)),
    "an encrypted member": with_zip_field(PLAIN, 6, 8, 1),
    "an unknown compression": with_zip_field(PLAIN, 8, 10, 99),
    "a cut archive": PLAIN[:60],
}


@pytest.mark.usefixtures("few_bytes")
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_archives_are_refused(tmp_path: Path, name: str) -> None:
    assert ArrayFile(PLAIN)["v_template"].shape == (2,)
    with pytest.raises(InputError), ArrayFile(HOSTILE[name]) as arrays:
        arrays["v_template"]
    path = tmp_path / "body.npz"
    path.write_bytes(HOSTILE[name])
    with pytest.raises(ModelFileError):
        load_body_model(str(path))


@pytest.mark.usefixtures("few_bytes")
@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02}r\xff\xff\xff\x7f.",
        b"\x80\x02cnumpy\nndarray\nK\x05J\xff\xff\xff\x7f\x86\x85R.",
        b"\x80\x02cnumpy\ndtype\nX\x09\x00\x00\x00V99999999\x85R.",
        pickle.dumps(np.zeros(3))[:-5],
        b"(" * 5000,
    ],
)
def test_hostile_pickles_are_refused(content: bytes) -> None:
    with pytest.raises(RefusedPickleError):
        load_restricted_pickle(content)


def body(**changed: Any) -> bytes:  # noqa: ANN401
    """Return the free body with changed arrays."""
    with np.load(FREE_BODY_PATH) as stored:
        arrays = {name: stored[name] for name in stored.files}
    content = io.BytesIO()
    np.savez(content, **{**arrays, **{name: change(arrays[name]) for name, change in changed.items()}})
    return content.getvalue()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda points: points * 1000, "SMPL's unit is the metre"),
        (lambda points: points[:, [0, 2, 1]], "y is up"),
        (lambda points: points * [-1, 1, 1], "left side at"),
        (lambda points: points * [1, -1, 1], "head above"),
        (lambda points: points * np.nan, "finite"),
    ],
    ids=["millimetres", "z up", "mirrored", "upside down", "NaN"],
)
def test_a_body_that_is_no_person_is_refused(tmp_path: Path, change: Any, reason: str) -> None:  # noqa: ANN401
    path = tmp_path / "body.npz"
    path.write_bytes(body(v_template=change))
    with pytest.raises(ModelFileError, match=reason):
        load_body_model(str(path))


def scaled(factor: float) -> list[list[float]]:
    return [[factor * value for value in row] for row in MOTION]


@pytest.mark.parametrize(
    "motion",
    [
        scaled(2.0),
        scaled(float("nan")),
        [[-1.0, 0.0, 0.0, 0.0], *MOTION[1:]],
        [[1.0, 0.0, 0.0, 50.0], *MOTION[1:]],
        [*MOTION[:3], [0.0, 0.0, 1.0, 1.0]],
    ],
    ids=["scaled", "NaN", "reflection", "millimetres", "last row"],
)
def test_a_motion_between_cameras_that_is_not_rigid_is_refused(tmp_path: Path, motion: list[list[float]]) -> None:
    path = tmp_path / "camera.json"
    path.write_text(json.dumps({**CAMERA, "depth": CAMERA, "color_from_depth": MOTION}))
    assert read_calibration(path).depth is not None
    path.write_text(json.dumps({**CAMERA, "depth": CAMERA, "color_from_depth": motion}))
    with pytest.raises(InputError, match="color_from_depth"):
        read_calibration(path)


@pytest.mark.parametrize(
    "content",
    ["[1, 2]", "3", "null", '{"width": 1e999}', "[" * 100_000, json.dumps({**CAMERA, "cx": float("nan")})],
    ids=["list", "number", "null", "infinite", "nested", "NaN"],
)
def test_impossible_calibration_files_are_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "camera.json"
    path.write_text(content)
    with pytest.raises(RehabPoseError):
        read_calibration(path)
