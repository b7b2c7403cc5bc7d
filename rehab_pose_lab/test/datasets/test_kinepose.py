"""KinePose's files are read correctly, and damaged ones are refused with a reason."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rehab_pose.errors import RecordingError
from rehab_pose_lab.datasets.kinepose import load_ik_sequence, load_kinepose_chain, load_pose_text
from rehab_pose_lab.methods.biomechanics.preset import load_kinepose_preset

if TYPE_CHECKING:
    from pathlib import Path

ROWS = (
    ("Index", "Joint", "Global orientation", "Global position", "DOFs", "ROMs"),
    ("0", "Root", "[[1,0,0],[0,1,0],[0,0,1]]", "[0 0 0]", "XYZ", "FULL"),
    ("1", "Bend", "[[0,1,0],[0,0,1],[1,0,0]]", "[0 -0.08 0.5]", "XNZ", "[(-0.5,1.5),(-0,0),(-0.25,0.25)]"),
    ("2", "Tip", "[[1,0,0],[0,1,0],[0,0,1]]", "[0 -0.08 0.9]", "NNN", "NONE"),
)


def write_chain(folder: Path, *, head: str = "") -> None:
    texts = [text for row in ROWS for text in row]
    strings = "".join(f"<si><t>{text}</t></si>" for text in texts)
    cells = "".join(
        f'<row r="{r + 1}">'
        + "".join(f'<c r="{"ABCDEF"[c]}{r + 1}" t="s"><v>{r * 6 + c}</v></c>' for c in range(6))
        + "</row>"
        for r in range(len(ROWS))
    )
    with zipfile.ZipFile(folder / "small.xlsx", "w") as book:
        book.writestr("xl/sharedStrings.xml", f"<?xml version='1.0'?>{head}<sst>{strings}</sst>")
        book.writestr("xl/worksheets/sheet1.xml", f"<worksheet><sheetData>{cells}</sheetData></worksheet>")
    (folder / "Graph.txt").write_text("{0: [1,2],\n1: [2]}")


def test_a_chain_is_read(tmp_path: Path) -> None:
    write_chain(tmp_path)
    chain = load_kinepose_chain(tmp_path)
    assert chain.joint_names == ("Root", "Bend", "Tip")
    assert chain.parents == (-1, 0, 1)
    assert chain.angle_names == ("Bend_z", "Bend_x")
    np.testing.assert_allclose(chain.upper_rad, [0.25, 1.5])
    tip_m = chain.rest[0] @ (chain.offsets_m[1] + chain.rest[1] @ chain.offsets_m[2])
    np.testing.assert_allclose(tip_m, (0.0, -0.08, 0.9), atol=1e-12)


def test_xml_with_entities_is_refused(tmp_path: Path) -> None:
    write_chain(tmp_path, head='<!DOCTYPE sst [<!ENTITY a "aaaa">]>')
    with pytest.raises(RecordingError, match="entities"):
        load_kinepose_chain(tmp_path)


def test_a_folder_without_a_chain_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"Graph\.txt"):
        load_kinepose_chain(tmp_path)


def test_the_nose_is_removed_from_poses(tmp_path: Path) -> None:
    points = np.arange(2 * 17 * 3, dtype=np.float64).reshape(-1, 3)
    np.savetxt(tmp_path / "pose.txt", points)
    poses = load_pose_text(tmp_path / "pose.txt")
    assert poses.shape == (2, 16, 3)
    np.testing.assert_array_equal(poses[0, 9], points[10])
    np.savetxt(tmp_path / "short.txt", points[:5])
    with pytest.raises(RecordingError, match="17 lines"):
        load_pose_text(tmp_path / "short.txt")


def test_a_file_without_rotations_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "one.npz"
    np.savez(file, keypoints16=np.zeros((3, 16, 3)))
    with pytest.raises(RecordingError, match="ori_gt"):
        load_ik_sequence(file)


def test_the_shipped_preset_equals_kineposes_chain(shared_data: Path) -> None:
    folder = shared_data / "kinepose" / "chains"
    if not folder.is_dir():
        pytest.skip(f"no KinePose chains at {folder}")
    given, shipped = load_kinepose_chain(folder / "IMVIP22"), load_kinepose_preset().chain
    np.testing.assert_allclose(shipped.offsets_m, given.offsets_m, atol=1e-12)
    np.testing.assert_allclose(shipped.rest, given.rest, atol=1e-12)
    np.testing.assert_allclose(shipped.lower_rad, given.lower_rad)
    np.testing.assert_allclose(shipped.upper_rad, given.upper_rad)
    for file in sorted(folder.glob("*/*.xlsx")):
        assert load_kinepose_chain(file.parent, file.stem).angle_names
