"""Export of a session's repetitions as CSV with units and as FHIR, checked by the models of fhir.resources."""

from __future__ import annotations

import csv
import io
import json
import math
from typing import TYPE_CHECKING

import pytest

from rehab_pose.cli.main import main
from rehab_pose.datatypes import Repetition
from rehab_pose.session.fhir_bundle import CODE_SYSTEM, fhir_bundle
from rehab_pose.session.journal import Journal
from rehab_pose.session.journal_content import JournalContent, JournalHeader, JournalledRepetition
from rehab_pose.session.movement import RepetitionMovement
from rehab_pose.session.repetition_csv import repetition_csv
from rehab_pose.session.wall_clock import wall_time

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

S = 1_000_000_000
STARTED = "2026-11-27T14:05:00+01:00"
HEADER = JournalHeader("s1", "P01", "squat", target=2, since_ns=1 * S, started=STARTED, software="rehab_pose 1.0")
MOVEMENT = RepetitionMovement(angles_deg=(("left_knee_flexion", 4, 92),), hold_s=0.5, tracking=0.9)


def repetition(number: int, **changes: object) -> Repetition:
    fields: dict[str, object] = {
        "stamp_ns": 3 * S * number + 2 * S,
        "frame_id": "cam",
        "label": "squat",
        "count": number,
        "start_ns": 3 * S * number,
        "turn_ns": 3 * S * number + S,
        "end_ns": 3 * S * number + 2 * S,
        "signal_name": "pelvis_drop_m",
        "signal_minimum": 0.0,
        "signal_maximum": 0.31,
        "quality": 0.8,
        "quality_low": 0.7,
        "quality_high": 0.9,
    }
    return Repetition(**{**fields, **changes})  # type: ignore[arg-type]


def session(header: JournalHeader = HEADER) -> JournalContent:
    content = JournalContent(header, state="done", message="stopped")
    nothing = {"quality": math.nan, "quality_low": math.nan, "quality_high": math.nan, "quality_withheld": "too dark"}
    content.repetitions += [
        JournalledRepetition(repetition(1, reasons=("left knee, bends less",)), counted=True, movement=MOVEMENT),
        JournalledRepetition(repetition(2, **nothing), counted=True),
    ]
    return content


def test_each_column_has_its_unit_and_a_missing_value_is_empty() -> None:
    first, second = csv.DictReader(io.StringIO(repetition_csv(session())))
    assert (first["range [cm]"], first["range [deg]"], first["duration [s]"], first["hold [s]"]) == (
        "31",
        "",
        "2",
        "0.5",
    )
    assert first["start [date and time]"] == "2026-11-27T14:05:02.000+01:00"
    assert (first["left knee flexion, smallest [deg]"], first["left knee flexion, largest [deg]"]) == ("4", "92")
    assert first["remarks"] == "left knee, bends less"
    assert (second["quality [0 to 1]"], second["tracked poorly"], second["hold [s]"]) == ("", "yes", "")
    assert second["start [s since the first]"] == "3"


def test_stamps_that_are_dates_are_taken_as_they_are() -> None:
    stamp_ns = 1_795_819_302_500_000_000
    moment = wall_time(session(), stamp_ns)
    assert moment is not None
    assert moment.timestamp() == pytest.approx(stamp_ns / S)
    assert wall_time(JournalContent(JournalHeader("s1")), stamp_ns) is None


def codes(bundle: dict[str, Any]) -> set[str]:
    """Return the systems of all codings of a bundle."""
    found: set[str] = set()

    def search(value: object) -> None:
        if isinstance(value, dict):
            if "coding" in value:
                found.update(coding["system"] for coding in value["coding"])
            for entry in value.values():
                search(entry)
        elif isinstance(value, list):
            for entry in value:
                search(entry)

    search(bundle)
    return found


@pytest.mark.parametrize("version", ["R4", "R5"])
@pytest.mark.parametrize("header", [HEADER, JournalHeader("export")], ids=["full", "deidentified"])
def test_the_bundle_is_accepted_by_an_independent_model(version: str, header: JournalHeader) -> None:
    pytest.importorskip("fhir.resources", reason="fhir.resources is not installed")
    if version == "R4":
        from fhir.resources.R4B.bundle import Bundle  # noqa: PLC0415
    else:
        from fhir.resources.bundle import Bundle  # noqa: PLC0415
    bundle = fhir_bundle(session(header))
    model = Bundle.model_validate_json(json.dumps(bundle))
    whole, first, second = (entry.resource for entry in model.entry)
    assert whole.hasMember[1].reference == model.entry[2].fullUrl == f"urn:uuid:{second.id}"
    assert whole.subject.identifier.value == "P01" if header.subject_code else whole.subject is None
    values = {component.code.coding[0].code: component for component in first.component}
    assert (float(values["range"].valueQuantity.value), values["range"].valueQuantity.code) == (31.0, "cm")
    assert values["angle-range.left_knee_flexion"].valueRange.high.code == "deg"
    assert float(values["quality-interval"].valueRange.low.value) == 0.7
    absent = {component.code.coding[0].code: component.dataAbsentReason for component in second.component}
    assert absent["quality"].text == "too dark"
    assert {system for system in codes(bundle) if "terminology.hl7.org" not in system} == {CODE_SYSTEM}


def test_the_model_refuses_a_bundle_with_an_unknown_element() -> None:
    pytest.importorskip("fhir.resources", reason="fhir.resources is not installed")
    from fhir.resources.bundle import Bundle  # noqa: PLC0415

    bundle = fhir_bundle(session())
    bundle["entry"][0]["resource"]["repetitions"] = 3
    with pytest.raises(ValueError, match="repetitions"):
        Bundle.model_validate_json(json.dumps(bundle))


def test_the_command_writes_both_forms_for_the_owner_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "P01_s1"
    folder.mkdir()
    journal = Journal.begin(folder, HEADER)
    journal.add_repetition(repetition(1), counted=True, movement=MOVEMENT)
    journal.close()
    output = tmp_path / "out"
    command = ["session", "export", "s1", "--folder", str(tmp_path), "-o", str(output)]
    assert main([*command, "--to", "csv,fhr"]) == 2
    assert "did you mean fhir?" in capsys.readouterr().err
    assert main([*command, "--to", "csv,fhir", "--fhir-version", "R5"]) == 0
    assert sorted(path.name for path in output.iterdir()) == ["s1_fhir_r5.json", "s1_repetitions.csv"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in output.iterdir())
    assert main([*command, "--to", "csv"]) == 2
    assert main([*command[:-1], str(tmp_path / "anonymous"), "--to", "fhir", "--deidentified", "--code", "A1"]) == 0
    [file] = (tmp_path / "anonymous").iterdir()
    assert "P01" not in file.read_text()
    assert "2026" not in file.read_text()
