"""Export of a session: all of its files, its report without identity, or its repetitions as CSV and FHIR."""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from rehab_pose.errors import InputError, RecordingError
from rehab_pose.output_file import refuse_existing, replace_private
from rehab_pose.session.audit import audit
from rehab_pose.session.fhir_bundle import fhir_bundle
from rehab_pose.session.journal_content import JournalContent, JournalHeader
from rehab_pose.session.repetition_csv import repetition_csv
from rehab_pose.session.report import write_session_report
from rehab_pose.session.state import check_code
from rehab_pose.suggestions import did_you_mean
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rehab_pose.datatypes import Repetition
    from rehab_pose.session.store import StoredSession

__all__ = ["FORMS", "deidentified", "export_forms", "export_session"]

FORMS = ("csv", "fhir")
"""Forms of `export_forms`."""
OWNER_ONLY = 0o700

FIRST_STAMP_NS = NS_PER_S
"""First stamp after the shift [ns]; zero would mean "no stamp"."""
FRAME_ID = "camera"


def export_session(session: StoredSession, output: Path, code: str | None) -> Path:
    """Write a session into a new folder; return the path of its report or folder.

    Args:
        session: The session.
        output: The new folder.
        code: None = all files as they are. Else the session's new id: only the report is written, without the subject's
            code, dates, the names of nodes and notes, with stamps from one second on, and without recordings.

    Raises:
        RecordingError: The folder exists already or cannot be written, or the session has no readable journal.
        InputError: The code has another form.
    """
    if session.content is None:
        raise RecordingError(session.problem)
    refuse_existing([output])
    if code is not None:
        check_code("code", code)
    audit(
        session.folder.parent, "export", session.folder.name, f"to {output}{'' if code is None else ', de-identified'}"
    )
    try:
        if code is not None:
            output.mkdir(mode=OWNER_ONLY, parents=True)
            return write_session_report(output, deidentified(session.content, code))
        shutil.copytree(session.folder, output, symlinks=True)
    except (OSError, RecordingError) as error:
        with suppress(OSError):
            shutil.rmtree(output)
        msg = f"session export: {output} cannot be written: {error}"
        raise RecordingError(msg) from error
    return output


def export_forms(
    session: StoredSession, output: Path, forms: Sequence[str], code: str | None = None, fhir_version: str = "R4"
) -> list[Path]:
    """Write a session's repetitions into a new folder in the forms that are asked for; return the files.

    Args:
        session: The session.
        output: The new folder.
        forms: Some of FORMS.
        code: As in `export_session`: without identity where it is given.
        fhir_version: One of FHIR_VERSIONS, which names the file.

    Raises:
        RecordingError: The folder exists already or cannot be written, or the session has no readable journal.
        InputError: A form is unknown, or the code has another form.
    """
    unknown = [form for form in forms if form not in FORMS]
    if unknown or not forms:
        hint = did_you_mean(unknown, FORMS)
        given = ", ".join(unknown) or "none"
        msg = f"--to: expected some of {', '.join(FORMS)}, got {given}{hint and f'; {hint}'}"
        raise InputError(msg)
    if session.content is None:
        raise RecordingError(session.problem)
    refuse_existing([output])
    content = session.content
    if code is not None:
        content = deidentified(content, check_code("code", code))
    audit(session.folder.parent, "export", session.folder.name, f"{', '.join(forms)} to {output}")
    name = content.header.session_id
    texts = {
        "csv": (f"{name}_repetitions.csv", repetition_csv),
        "fhir": (
            f"{name}_fhir_{fhir_version.lower()}.json",
            lambda kept: json.dumps(fhir_bundle(kept), indent=1, allow_nan=False) + "\n",
        ),
    }
    written = []
    try:
        output.mkdir(mode=OWNER_ONLY, parents=True)
        for form in dict.fromkeys(forms):
            file_name, text_of = texts[form]
            replace_private(output / file_name, text_of(content), sync=False)
            written.append(output / file_name)
    except OSError as error:
        msg = f"session export: {output} cannot be written: {error}"
        raise RecordingError(msg) from error
    return written


def deidentified(content: JournalContent, code: str) -> JournalContent:
    """Return a session without subject, dates, names of machines and notes; see `export_session`."""
    header = content.header
    stamps = [
        *(entry.repetition.start_ns for entry in content.repetitions),
        *(part.first_ns for part in content.observations if part.first_ns),
        *(gap.start_ns for gap in content.gaps),
    ]
    shift_ns = FIRST_STAMP_NS - min(stamps, default=FIRST_STAMP_NS)
    return JournalContent(
        JournalHeader(
            code,
            exercise=header.exercise,
            side=header.side,
            target=header.target,
            recording=header.recording,
            software=header.software,
        ),
        repetitions=[replace(entry, repetition=_shifted(entry.repetition, shift_ns)) for entry in content.repetitions],
        observations=[
            replace(part, first_ns=part.first_ns + shift_ns, last_ns=part.last_ns + shift_ns) if part.first_ns else part
            for part in content.observations
        ],
        gaps=[replace(gap, start_ns=gap.start_ns + shift_ns, end_ns=gap.end_ns + shift_ns) for gap in content.gaps],
        resumptions=content.resumptions,
        state=content.state,
        first_time_ns=0,
        last_time_ns=content.last_time_ns - content.first_time_ns,
        unreadable_lines=content.unreadable_lines,
        repeated=content.repeated,
    )


def _shifted(repetition: Repetition, shift_ns: int) -> Repetition:
    return replace(
        repetition,
        stamp_ns=repetition.stamp_ns + shift_ns,
        start_ns=repetition.start_ns + shift_ns,
        turn_ns=repetition.turn_ns + shift_ns if repetition.turn_ns else 0,
        end_ns=repetition.end_ns + shift_ns,
        frame_id=FRAME_ID,
    )
