"""Session report: content of the JSON file, and refusal of unsafe file names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from rehab_pose.datatypes import Repetition
from rehab_pose.errors import RecordingError
from rehab_pose.session.journal_content import JournalContent, JournalHeader, JournalledRepetition
from rehab_pose.session.movement import RepetitionMovement
from rehab_pose.session.report import write_session_report

if TYPE_CHECKING:
    from pathlib import Path

NAN = float("nan")


def repetition(count: int, **changes: object) -> Repetition:
    fields: dict[str, object] = {
        "stamp_ns": 3_000_000_000 * count + 2_600_000_000,
        "frame_id": "camera",
        "label": "squat",
        "count": count,
        "start_ns": 3_000_000_000 * count,
        "end_ns": 3_000_000_000 * count + 2_500_000_000,
        "signal_name": "pelvis_drop_m",
        "signal_minimum": 0.0,
        "signal_maximum": 0.31,
        "quality": 0.8,
        "turn_ns": 3_000_000_000 * count + 1_000_000_000,
        "smoothness": -1.7,
        "asymmetry": 0.05,
    }
    return Repetition(**{**fields, **changes})  # type: ignore[arg-type]


def session(session_id: str, *run: Repetition, movement: RepetitionMovement | None = None) -> JournalContent:
    content = JournalContent(JournalHeader(session_id, "P7"))
    content.repetitions += [JournalledRepetition(entry, counted=True, movement=movement) for entry in run]
    return content


def test_every_field_is_in_the_file_with_its_unit(tmp_path: Path) -> None:
    reasons = ("repetition 2: left knee bends 24 degrees less than usual",)
    unassessed = {"quality": NAN, "quality_withheld": "not assessed: 5 frames/s"}
    run = [repetition(1, quality_low=0.7, quality_high=0.9), repetition(2, reasons=reasons, turn_ns=0, **unassessed)]
    movement = RepetitionMovement(angles_deg=(("left_knee_flexion", 4, 92),), hold_s=0.5, tracking=0.9)
    path = write_session_report(tmp_path / "new", session("s-1", *run, movement=movement))
    content = json.loads(path.read_text())
    first, second = content["repetitions"]
    assert first["signal_range_m"] == pytest.approx(0.31)
    assert (first["duration_s"], first["out_s"], first["back_s"]) == (2.5, 1.0, 1.5)
    assert first["movement"]["angles_deg"] == {"left_knee_flexion": [4, 92]}
    assert first["movement"]["hold_s"] == 0.5
    assert second["quality"] is None
    assert second["out_s"] is None
    assert second["reasons"] == list(reasons)
    assert (first["quality_low"], first["quality_high"], first["quality_withheld"]) == (0.7, 0.9, "")
    assert (second["quality_low"], second["quality_withheld"]) == (None, "not assessed: 5 frames/s")
    assert content["sets"][0]["repetitions"] == 2
    assert content["sets"][0]["mean_quality"] == pytest.approx(0.8)


def test_a_session_without_repetitions_has_a_report(tmp_path: Path) -> None:
    path = write_session_report(tmp_path, session("s3"))
    assert json.loads(path.read_text())["repetitions"] == []
    assert "No repetition" in path.with_suffix(".html").read_text()


@pytest.mark.parametrize("session_id", ["", "../up", "a/b", ".hidden", "a b"])
def test_a_session_id_that_is_not_a_file_name_is_refused(tmp_path: Path, session_id: str) -> None:
    with pytest.raises(RecordingError, match="session id"):
        write_session_report(tmp_path / "x", session(session_id))
    assert not (tmp_path / "x").exists()
