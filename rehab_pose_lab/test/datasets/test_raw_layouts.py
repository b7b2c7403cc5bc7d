"""Data sets in the layout of their downloads: small files of the same form, and damaged ones."""

from __future__ import annotations

import csv
import pickle
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rehab_pose.errors import RecordingError
from rehab_pose.skeletons.kinect import KINECT_25
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose_lab.datasets.coco_skeleton import COCO_17
from rehab_pose_lab.datasets.kimore import load_kimore
from rehab_pose_lab.datasets.kimore_raw import load_raw_scores
from rehab_pose_lab.datasets.mri import load_mri
from rehab_pose_lab.datasets.spreadsheet import read_first_sheet
from rehab_pose_lab.datasets.utkinect import load_utkinect

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

FIRST_TICK, TICKS_A_FRAME = 10_427_010_860_761, 333_333
SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
NAMES = [f"clinical {kind} Ex#{number}" for kind in ("TS", "PO", "CF") for number in range(1, 6)]


def kinect_row(depth_m: float, random: np.random.Generator) -> list[str]:
    """Return the 100 values of one body as the CSV has them."""
    points = random.normal(0.0, 0.01, (25, 3)) + np.array([0.1, 0.2, depth_m])
    points[0, 2] = depth_m
    return [value for point in points for value in (*(f"{number:.6g}" for number in point), "2")]


def write_recording(folder: Path, rows: list[list[str]], stamp: str = "110616_123040") -> Path:
    """Write JointPosition and TimeStamp; an empty row is a frame without a person."""
    raw = folder / "Raw"
    raw.mkdir(parents=True, exist_ok=True)
    lines = [",".join(row) + "," if row else "" for row in rows]
    (raw / f"JointPosition{stamp}.csv").write_text("\n".join(lines) + "\n")
    ticks = [f"{FIRST_TICK + TICKS_A_FRAME * number}," if row else "" for number, row in enumerate(rows)]
    (raw / f"TimeStamp{stamp}.csv").write_text("\n".join(ticks) + "\n")
    return raw / f"JointPosition{stamp}.csv"


def write_sheet(path: Path, rows: list[list[str | float | None]], *, prefix: str = "") -> None:
    """Write the parts of an .xlsx file that a reader of cells needs, words as shared strings."""
    words: list[str] = []
    lines = []
    for number, row in enumerate(rows, start=1):
        cells = []
        for column, value in enumerate(row):
            place = f"{chr(ord('A') + column)}{number}"
            if isinstance(value, str):
                words.append(value)
                cells.append(f'<c r="{place}" t="s"><v>{len(words) - 1}</v></c>')
            elif value is not None:
                cells.append(f'<c r="{place}"><v>{value}</v></c>')
        lines.append(f'<row r="{number}">{"".join(cells)}</row>')
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        strings = "".join(f"<si><t>{word}</t></si>" for word in words)
        archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="{SPREADSHEET}">{strings}</sst>')
        sheet = f'<worksheet xmlns="{SPREADSHEET}"><sheetData>{"".join(lines)}</sheetData></worksheet>'
        archive.writestr("xl/worksheets/sheet1.xml", prefix + sheet)


@pytest.fixture
def subject(tmp_path: Path) -> Path:
    """Return a subject's folder in a tree as downloaded."""
    return tmp_path / "Kimore" / "GPP" / "BackPain" / "B_ID1"


def test_kimore_is_read_in_the_downloaded_layout(tmp_path: Path, subject: Path) -> None:
    random = np.random.default_rng(1)
    rows = [kinect_row(2.5, random) for _ in range(9)]
    far = kinect_row(4.0, random)
    rows.insert(3, [])
    rows.insert(6, [*far, *kinect_row(2.5, random)])
    write_recording(subject / "Es5", rows)
    write_recording(subject / "Es6", rows)
    (clip,) = load_kimore(tmp_path / "Kimore")
    assert (clip.name, clip.subject, clip.group) == ("B_ID1_Es5_110616_123040", "B_ID1", "GPP/BackPain")
    assert clip.label == "squat"
    assert len(clip.stamps_ns) == 10, "the frame without a person is left out"
    assert clip.stamps_ns[3] - clip.stamps_ns[2] == 2 * TICKS_A_FRAME * 100
    pelvis = clip.positions_m[:, SMPL_24.index("pelvis")]
    assert pelvis[:, 2] == pytest.approx(2.5), "of several people the nearest is kept"
    x, y = float(rows[0][0]), float(rows[0][1])
    assert pelvis[0, :2] == pytest.approx([-x, -y]), "x to the right and y down"


def test_a_row_of_two_people_may_have_two_stamps_and_files_may_begin_with_a_mark(tmp_path: Path, subject: Path) -> None:
    random = np.random.default_rng(3)
    rows = [kinect_row(4.0, random) + kinect_row(2.5, random) for _ in range(10)]
    positions = write_recording(subject / "Es1", rows)
    stamps = positions.with_name(positions.name.replace("JointPosition", "TimeStamp"))
    ticks = [FIRST_TICK + TICKS_A_FRAME * number for number in range(10)]
    stamps.write_text("\ufeff" + "".join(f"{tick},{tick + 50}\n" for tick in ticks), encoding="utf-8")
    [clip] = load_kimore(tmp_path)
    assert len(clip.stamps_ns) == 10
    assert clip.stamps_ns[-1] == 9 * TICKS_A_FRAME * 100
    stamps.write_text("".join(f"{tick},{tick + 50},{tick + 90}\n" for tick in ticks))
    with pytest.raises(RecordingError, match="one stamp, or one for each person, got 200 and 3"):
        load_kimore(tmp_path)


def test_downloaded_kimore_recordings_equal_those_in_arrays(shared_data: Path, tmp_path: Path) -> None:
    import tarfile  # noqa: PLC0415

    with tarfile.open(shared_data / "kimore" / "raw_sample_B_ID1.tar.xz") as archive:
        archive.extractall(tmp_path, filter="data")
    arrays = {clip.name: clip for clip in load_kimore(shared_data / "kimore") if clip.subject == "B_ID1"}
    raw = load_kimore(tmp_path)
    assert {clip.name for clip in raw} == set(arrays)
    for clip in raw:
        stored = arrays[clip.name]
        np.testing.assert_allclose(clip.positions_m, stored.positions_m, atol=0.0003)
        np.testing.assert_allclose(clip.stamps_ns, stored.stamps_ns, atol=1_000_000)
        assert (clip.group, clip.label) == (stored.group, stored.label)
    with (shared_data / "kimore" / "subjects_scores.csv").open(newline="") as lines:
        (wanted,) = (row for row in csv.DictReader(lines) if row["subject"] == "B_ID1")
    scores = load_raw_scores(tmp_path)["B_ID1"]
    assert scores == {name: pytest.approx(float(wanted[name])) for name in scores}
    assert len(scores) == 15


def test_damaged_kimore_recordings_raise_or_are_left_out(tmp_path: Path, subject: Path) -> None:
    random = np.random.default_rng(2)
    good = [kinect_row(2.5, random) for _ in range(5)]
    write_recording(subject / "Es1", good)
    short = write_recording(subject / "Es2", [*good[:2], good[2][:57]])
    text = write_recording(subject / "Es3", [*good[:1], ["x"] * 100])
    write_recording(subject / "Es4", good).with_name("TimeStamp110616_123040.csv").unlink()
    write_recording(subject / "Es5", [[], []])
    with pytest.raises(RecordingError, match="line 3: expected a multiple of 100"):
        load_kimore(short.parents[1])
    with pytest.raises(RecordingError, match="line 2: expected numbers"):
        load_kimore(text.parents[1])
    skipped: list[str] = []
    clips = load_kimore(tmp_path, skipped=skipped)
    assert [clip.label for clip in clips] == ["arm_lifting"]
    assert len(skipped) == 4
    assert all("B_ID1" in sentence for sentence in skipped)
    with pytest.raises(RecordingError, match=r"index\.csv"):
        load_kimore(tmp_path / "elsewhere")


def test_clinical_scores_are_read_from_the_subjects_sheet(tmp_path: Path, subject: Path) -> None:
    sheet: list[list[str | float | None]] = [["Subject ID", *NAMES], ["B_ID1", *(float(n) for n in range(14)), None]]
    write_sheet(subject / "Es1" / "Label" / "ClinicalAssessment_B_ID1.xlsx", sheet)
    write_sheet(subject / "Es1" / "Label" / "ClinicalAssessment_A_ID9.xlsx", [["Subject ID", *NAMES], ["A_ID9"]])
    scores = load_raw_scores(tmp_path)
    assert set(scores) == {"B_ID1"}
    assert scores["B_ID1"]["TS1"] == 0.0
    assert scores["B_ID1"]["PO1"] == 5.0
    assert np.isnan(scores["B_ID1"]["CF5"])


def test_spreadsheets_with_entities_or_of_excessive_size_are_refused(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.xlsx"
    write_sheet(bomb, [["a"]], prefix='<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>')
    with pytest.raises(RecordingError, match="declares entities"):
        read_first_sheet(bomb)
    large = tmp_path / "large.xlsx"
    with zipfile.ZipFile(large, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", " " * 5_000_000)
    with pytest.raises(RecordingError, match="5000000 bytes"):
        read_first_sheet(large)
    (tmp_path / "none.xlsx").write_bytes(b"PK not a zip")
    with pytest.raises(RecordingError, match="workbook"):
        read_first_sheet(tmp_path / "none.xlsx")


def test_utkinect_is_read_in_the_downloaded_layout(tmp_path: Path) -> None:
    (tmp_path / "joints").mkdir()
    random = np.random.default_rng(3)
    points = random.normal(0.0, 0.2, (40, 20, 3)) + np.array([0.0, 0.0, 2.0])
    numbers = 250 + 2 * np.arange(40)
    lines = [
        f"{number} " + " ".join(f"{v:.7f}" for v in row.ravel()) for number, row in zip(numbers, points, strict=True)
    ]
    (tmp_path / "joints" / "joints_s01_e01.txt").write_text("\n".join(lines) + "\n")
    (tmp_path / "actionLabel.txt").write_text("s01_e01\nwalk: 252 270\nstandUp: 280 300 \ncarry: NaN NaN\n\n")
    walk, stand = load_utkinect(tmp_path)
    assert (walk.name, walk.subject, walk.label) == ("s01_e01_walk", "s01", "walk")
    assert len(walk.stamps_ns) == 10
    assert stand.name == "s01_e01_standUp"
    head = walk.positions_m[0, SMPL_24.index("head")]
    assert head == pytest.approx(points[1, 3] * [-1.0, -1.0, 1.0], abs=1e-5)


def test_damaged_utkinect_files_raise_or_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "joints").mkdir()
    (tmp_path / "joints" / "joints_s01_e01.txt").write_text("1 2 3\n")
    (tmp_path / "actionLabel.txt").write_text("s01_e01\nwalk: 1 5\ns02_e01\nwalk: 1 5\n")
    with pytest.raises(RecordingError, match="61 numbers"):
        load_utkinect(tmp_path)
    skipped: list[str] = []
    assert load_utkinect(tmp_path, skipped=skipped) == []
    assert len(skipped) == 2
    assert "joints_s02_e01.txt is missing" in skipped[1]
    (tmp_path / "actionLabel.txt").write_text("walk at 3\n")
    with pytest.raises(RecordingError, match="line 1"):
        load_utkinect(tmp_path)


def mri_labels(random: np.random.Generator) -> dict[str, Any]:
    keypoints: NDArray[np.float64] = random.normal(0.0, 0.3, (60, 3, 17)) + np.array([0.0, 0.0, 2.4])[:, None]
    keypoints[:4] = 0.0
    keypoints[20, :, COCO_17.index("left_hip")] = 0.0
    labels = {"pose_6": [0, 30], "walk": np.array([30, 60])}
    return {"refined_gt_kps": keypoints, "gt_avail_frames": [4, 55], "video_label": labels, "camera_matrix": {}}


def test_mri_is_read_in_the_downloaded_layout(tmp_path: Path) -> None:
    folder = tmp_path / "aligned_data" / "pose_labels"
    folder.mkdir(parents=True)
    labels = mri_labels(np.random.default_rng(4))
    (folder / "subject12_all_labels.cpl").write_bytes(pickle.dumps(labels))
    squat, walk = load_mri(tmp_path)
    assert (squat.name, squat.subject, squat.label) == ("subject12_pose_6", "subject12", "squat")
    assert len(squat.stamps_ns) == 26, "frames without keypoints are not part of the clip"
    assert len(walk.stamps_ns) == 26
    keypoints = labels["refined_gt_kps"]
    knee = squat.positions_m[0, SMPL_24.index("left_knee")]
    assert knee == pytest.approx(keypoints[4, :, COCO_17.index("left_knee")] * [-1.0, -1.0, 1.0], abs=1e-6)
    hips = [COCO_17.index("left_hip"), COCO_17.index("right_hip")]
    middle = keypoints[4][:, hips].mean(axis=1) * [-1.0, -1.0, 1.0]
    assert squat.positions_m[0, SMPL_24.index("pelvis")] == pytest.approx(middle, abs=1e-6)
    assert np.isnan(squat.positions_m[16, SMPL_24.index("pelvis")]).all()


class Hostile:
    """A pickle that would write a file when it is read."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return (open, (str(self.target), "w"))


def test_hostile_or_wrong_mri_files_are_refused_and_run_no_code(tmp_path: Path) -> None:
    folder = tmp_path / "aligned_data" / "pose_labels"
    folder.mkdir(parents=True)
    target = tmp_path / "written"
    path = folder / "subject1_all_labels.cpl"
    path.write_bytes(pickle.dumps({"refined_gt_kps": Hostile(target)}))
    with pytest.raises(RecordingError, match="not run"):
        load_mri(tmp_path)
    assert not target.exists()
    path.write_bytes(pickle.dumps({"refined_gt_kps": np.zeros((5, 17, 3))}))
    with pytest.raises(RecordingError, match="video_label"):
        load_mri(tmp_path)
    path.write_bytes(pickle.dumps(mri_labels(np.random.default_rng(5)) | {"refined_gt_kps": np.zeros((5, 17, 3))}))
    skipped: list[str] = []
    assert load_mri(tmp_path, skipped=skipped) == []
    assert "(T, 3, 17)" in skipped[0]
    with pytest.raises(RecordingError, match="found none"):
        load_mri(folder)


def test_the_skeletons_have_the_numbers_of_joints_in_the_files() -> None:
    assert len(KINECT_25) == 25
    assert len(COCO_17) == 17
