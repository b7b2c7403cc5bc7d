"""Targets of the fuzzer: the laboratory's readers of data sets."""

from __future__ import annotations

import io
import pickle
from typing import TYPE_CHECKING, Any

import numpy as np
from hypothesis import strategies as st

from rehab_pose.skeletons.kinect import KINECT_25
from rehab_pose_lab.benchmarks.real_clip import load_marks
from rehab_pose_lab.benchmarks.result_summary import read_summary
from rehab_pose_lab.datasets.irds import load_irds
from rehab_pose_lab.datasets.kimore import load_kimore
from rehab_pose_lab.datasets.kimore_raw import load_raw_scores
from rehab_pose_lab.datasets.kinepose import load_ik_sequence, load_kinepose_chain, load_pose_text
from rehab_pose_lab.datasets.labelled_bags import load_labelled_bags
from rehab_pose_lab.datasets.mars import load_mars
from rehab_pose_lab.datasets.mri import load_mri
from rehab_pose_lab.datasets.spreadsheet import read_first_sheet
from rehab_pose_lab.datasets.ui_prmd import load_ui_prmd
from rehab_pose_lab.datasets.utd_mhad import load_utd_mhad
from rehab_pose_lab.datasets.utd_mhad_joints import load_utd_joints
from rehab_pose_lab.datasets.utkinect import load_utkinect
from rehab_pose_lab.fuzzing.file_targets import file_target
from rehab_pose_lab.fuzzing.mutations import archives, json_files, pickles, text_files, zip_files, zipped
from rehab_pose_lab.fuzzing.plausibility import implausible
from rehab_pose_lab.fuzzing.targets import Prepared, Target
from rehab_pose_lab.training.clinical_scores import load_scores

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from hypothesis.strategies import SearchStrategy

    Files = Mapping[str, tuple[bytes, SearchStrategy[bytes]]]
    """Valid content, and a strategy of odd contents, by the path of a file."""

__all__ = ["DATASET_TARGETS"]

FRAMES = 12
NAMESPACE = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
MARKS = {"tolerance_px": 5.0, "frames": {"1": {"left_knee": [10.0, 20.0]}}}
NAMES = [f"clinical {kind} Ex#{number}" for kind in ("TS", "PO", "CF") for number in range(1, 6)]


def _files_target(name: str, files: Callable[[], Files], read: Callable[[Path], Any]) -> Target:
    """Return a target of several files in one folder, some of which are odd.

    Args:
        name: Name of the target.
        files: Makes the valid content of each file and the strategy of odd ones, by its path.
        read: Reads the folder and returns what is checked for plausibility.
    """

    def prepare(folder: Path) -> Prepared:
        contents = {path: st.one_of(st.just(valid), odd) for path, (valid, odd) in files().items()}

        def read_contents(chosen: dict[str, bytes]) -> str:
            for path, content in chosen.items():
                file = folder / path
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content)
            return implausible(read(folder))

        return Prepared(st.fixed_dictionaries(contents), read_contents)

    return Target(name, prepare)


def _npz(arrays: Mapping[str, Any]) -> tuple[bytes, SearchStrategy[bytes]]:
    content = io.BytesIO()
    np.savez(content, **arrays)
    return content.getvalue(), archives(arrays)


def _text(text: str) -> tuple[bytes, SearchStrategy[bytes]]:
    return text.encode(), text_files(text)


def _units(joints: int) -> Any:  # noqa: ANN401
    return np.tile(np.array([200, 300, 4000], np.int16), (FRAMES, joints, 1))


def _kimore() -> Files:
    keys = "B_ID1_Es1_1"
    return {
        "index.csv": _text(f"key,subject,group,exercise\n{keys},B_ID1,BackPain,1\n"),
        "positions_i16.npz": _npz({keys: _units(25)}),
        "tracking_u8.npz": _npz({keys: np.full((FRAMES, 25), 2, np.uint8)}),
        "timestamps_ms.npz": _npz({keys: np.arange(FRAMES) * 33}),
    }


def _kimore_raw() -> Files:
    row = ",".join(["0.1", "0.2", "2.5", "2"] * len(KINECT_25))
    folder = "GPP/BackPain/B_ID1/Es1/Raw"
    return {
        f"{folder}/JointPosition1.csv": _text("\n".join([row] * 5) + "\n"),
        f"{folder}/TimeStamp1.csv": _text("\n".join(str(10**13 + 333_333 * n) for n in range(5)) + "\n"),
    }


def _irds() -> Files:
    return {
        "index_seq.csv": _text("key,subject,position,gesture\nk1,1,stand,0\n"),
        "seq_positions_i16.npz": _npz({"k1": _units(25)}),
        "seq_tracking_u8.npz": _npz({"k1": np.full((FRAMES, 25), 2, np.uint8)}),
    }


def _mars() -> Files:
    return {
        "kinect_xyz.npz": _npz({"s1_train": _units(25) * 0.0005}),
        "movement_labels.npz": _npz({"s1_train": np.full(FRAMES, 1)}),
    }


def _ui_prmd() -> Files:
    return {
        "kinect_correct.npz": _npz({"m01_s01_e01": _units(22)}),
        "kinect_incorrect.npz": _npz({"m01_s01_e01": _units(22)}),
    }


def _utkinect() -> Files:
    points = np.tile([0.1, 0.2, 2.0], (FRAMES, 20, 1))
    return {
        "action_labels.csv": _text("seq,action,start,end\ns01_e01,walk,1,9\n"),
        "joints.npz": _npz({"s01_e01_frame": np.arange(FRAMES), "s01_e01_xyz": points}),
    }


def _utkinect_raw() -> Files:
    rows = "\n".join(" ".join([str(n), *["0.1", "0.2", "2.0"] * 20]) for n in range(6))
    return {"actionLabel.txt": _text("s01_e01\nwalk: 1 4\n"), "joints/joints_s01_e01.txt": _text(rows + "\n")}


def _utd() -> Files:
    depth = np.zeros((FRAMES, 6, 5), np.uint16)
    depth[0] = 2500
    joints = np.tile(np.array([0.1, 0.2, 2.5], np.float32), (FRAMES, 20, 1))
    joints += np.linspace(0, 0.5, 20, dtype=np.float32)[None, :, None]
    arrays = {"a1_t1_depth": depth, "a1_t1_box": np.array([10, 20], np.int16), "a1_t1_joints": joints}
    return {"s1.npz": _npz(arrays)}


def _mri() -> Files:
    content = {
        "refined_gt_kps": np.tile([[0.1], [0.2], [2.0]], (FRAMES, 1, 17)),
        "gt_avail_frames": [0, FRAMES - 1],
        "video_label": {"pose_1": [0, 5], "walk": [5, 10]},
    }
    return {"aligned_data/pose_labels/subject1_all_labels.cpl": (pickle.dumps(content), pickles(content))}


def _sheet(rows: list[list[str]]) -> dict[str, bytes]:
    words = [word for row in rows for word in row]
    strings = "".join(f"<si><t>{word}</t></si>" for word in words)
    lines, number = [], 0
    for place, row in enumerate(rows, start=1):
        cells = []
        for column in range(len(row)):
            cells.append(f'<c r="{chr(ord("A") + column)}{place}" t="s"><v>{number}</v></c>')
            number += 1
        lines.append(f'<row r="{place}">{"".join(cells)}</row>')
    sheet = f'<worksheet xmlns="{NAMESPACE}"><sheetData>{"".join(lines)}</sheetData></worksheet>'
    return {
        "xl/sharedStrings.xml": f'<sst xmlns="{NAMESPACE}">{strings}</sst>'.encode(),
        "xl/worksheets/sheet1.xml": sheet.encode(),
    }


def _odd_sheet(part: bytes) -> SearchStrategy[bytes]:
    """Return a part of a sheet with a far cell, an unknown string, an entity, or edited bytes."""
    pairs = (
        (b'r="A1"', b'r="ZZZZZZ1"'),
        (b"<v>1</v>", b"<v>99999</v>"),
        (b"<v>1</v>", b"<v>-1</v>"),
        (b'r="1"', b'r=""'),
    )
    changed = st.sampled_from(pairs).map(lambda pair: part.replace(*pair))
    entity = b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    return st.one_of(changed, text_files(part.decode()), st.just(entity + part), st.just(part * 3))


def _workbook(rows: list[list[str]]) -> tuple[bytes, SearchStrategy[bytes]]:
    members = _sheet(rows)
    return zipped(members), zip_files(members, _odd_sheet)


def _scores() -> Files:
    rows = [["Subject ID", *NAMES], ["B_ID1", *(str(n) for n in range(15))]]
    return {"GPP/BackPain/B_ID1/Es1/Label/ClinicalAssessment_B_ID1.xlsx": _workbook(rows)}


def _chain() -> Files:
    titles = ["Joint", "Global position", "Global orientation", "ROMs"]
    eye, limits = "[1 0 0; 0 1 0; 0 0 1]", "[-1 1; -1 1; -1 1]"
    rows = [["root", "[0 0 0]", eye, "FULL"], ["hip", "[0 0.1 0]", eye, limits], ["knee", "[0 0.5 0]", eye, "NONE"]]
    return {"human.xlsx": _workbook([titles, *rows]), "Graph.txt": _text("{0: [1, 2], 1: [2], 2: []}")}


def _ik() -> Files:
    rotations = np.tile(np.eye(3), (4, 19, 1, 1))
    return {"a.npz": _npz({"keypoints16": np.ones((4, 16, 3)), "ori_gt": rotations, "kinepose_ori": rotations})}


def _score_table() -> Files:
    names = [f"{kind}{number}" for number in range(1, 6) for kind in ("TS", "PO", "CF")]
    text = f"subject,group,{','.join(names)}\nB_ID1,BackPain,{','.join(['12'] * 15)}\n"
    return {"subjects_scores.csv": _text(text)}


def _bag_labels() -> Files:
    return {"labels.csv": _text("bag,subject,group,start_s,end_s,label\nb,p,,0,1,squat\n")}


def _consume(read: Callable[[Path], Any]) -> Callable[[Path], None]:
    """Return a reader whose result is not checked."""

    def consume(path: Path) -> None:
        read(path)

    return consume


DATASET_TARGETS = (
    _files_target("KIMORE arrays", _kimore, load_kimore),
    _files_target("KIMORE download", _kimore_raw, load_kimore),
    _files_target("KIMORE scores", _scores, load_raw_scores),
    _files_target("IRDS", _irds, load_irds),
    _files_target("MARS", _mars, load_mars),
    _files_target("UI-PRMD", _ui_prmd, load_ui_prmd),
    _files_target("UTKinect arrays", _utkinect, load_utkinect),
    _files_target("UTKinect download", _utkinect_raw, load_utkinect),
    _files_target("UTD-MHAD depth", _utd, _consume(lambda path: list(load_utd_mhad(path)))),
    _files_target("UTD-MHAD joints", _utd, load_utd_joints),
    _files_target("mRI", _mri, load_mri),
    _files_target("KinePose sequence", _ik, _consume(lambda path: load_ik_sequence(path / "a.npz"))),
    _files_target("KinePose chain", _chain, _consume(load_kinepose_chain)),
    file_target(
        "KinePose text", "pose.txt", lambda: text_files("\n".join(["0.1 0.2 0.3"] * 34)), _consume(load_pose_text)
    ),
    _files_target("KIMORE score table", _score_table, _consume(load_scores)),
    _files_target("labelled bags", _bag_labels, load_labelled_bags),
    file_target("marks", "m.json", lambda: json_files(MARKS), _consume(load_marks)),
    file_target("summary", "s.json", lambda: json_files({"frames": [{"a": 1.0}]}), _consume(read_summary)),
    file_target("spreadsheet", "a.xlsx", lambda: _workbook([["a", "b"], ["1", "2"]])[1], _consume(read_first_sheet)),
)
