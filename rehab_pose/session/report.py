"""The report of a session's repetitions: a JSON file with all numbers, and an HTML page."""

from __future__ import annotations

import json
import math
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rehab_pose.errors import RecordingError
from rehab_pose.exercise.display_names import exercise_display_name
from rehab_pose.output_file import replace_private
from rehab_pose.session.report_observation import observation_facts, observation_lines
from rehab_pose.session.reports.session_page import session_page
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rehab_pose.datatypes import Repetition
    from rehab_pose.session.journal_content import JournalContent

__all__ = ["repetition_facts", "session_lines", "session_summary", "write_session_report"]

PERCENT = 100.0
UNITS = ("rad", "m")
"""Units that a signal's name may end with."""


def write_session_report(folder: Path, content: JournalContent) -> Path:
    """Write `ID_repetitions.json` and `ID_repetitions.html` of a session's journal into a folder.

    Args:
        folder: Folder of the two files; created if it does not exist.
        content: The journal. Its session id is the first part of the files' names: only letters, digits, `.`, `-` and
            `_`, so that it is no path.

    Returns:
        The JSON file's path.

    Raises:
        RecordingError: The session's id cannot be part of a file's name, or the files cannot be written.
    """
    session_id = content.header.session_id
    if not session_id or session_id.startswith(".") or not all(sign.isalnum() or sign in ".-_" for sign in session_id):
        msg = f"session id: expected letters, digits, '.', '-', '_', got {session_id!r}; it names the report's files"
        raise RecordingError(msg)
    facts = {
        "session_id": session_id,
        "subject_code": content.header.subject_code,
        "session": observation_facts(content),
        "sets": session_summary([entry.repetition for entry in content.repetitions]),
        "repetitions": [
            {
                **repetition_facts(entry.repetition),
                "counted": entry.counted,
                "movement": None if entry.movement is None else entry.movement.fields(),
            }
            for entry in content.repetitions
        ],
    }
    target = folder / f"{session_id}_repetitions.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        replace_private(target, json.dumps(facts, indent=1, allow_nan=False) + "\n", sync=True)
        replace_private(target.with_suffix(".html"), session_page(content), sync=True)
    except OSError as error:
        msg = f"session report: {folder} cannot be written ({error}); choose another folder"
        raise RecordingError(msg) from error
    return target


def session_lines(content: JournalContent) -> list[str]:
    """Return a session's sets and its course as sentences for a terminal."""
    sets = []
    for run in session_summary([entry.repetition for entry in content.repetitions]):
        times = "1 repetition" if run["repetitions"] == 1 else f"{run['repetitions']} repetitions"
        quality = run["mean_quality"]
        assessed = "not assessed" if quality is None else f"{PERCENT * quality:.0f} of 100"
        sets.append(
            f"{exercise_display_name(run['label'])}: {times}, {run['mean_duration_s']:.1f} s each on average, "
            f"mean quality {assessed}"
        )
    return [*(sets or ["no repetitions"]), *observation_lines(content)]


def repetition_facts(repetition: Repetition) -> dict[str, Any]:
    """Return a repetition for JSON, with units at the end of the names and None for values that were not measured."""
    unit = repetition.signal_name.rpartition("_")[2]
    suffix = f"_{unit}" if unit in UNITS else ""
    has_turn = repetition.turn_ns > 0
    return {
        "label": repetition.label,
        "count": repetition.count,
        "side": repetition.side.name.lower(),
        "stamp_ns": repetition.stamp_ns,
        "frame_id": repetition.frame_id,
        "start_ns": repetition.start_ns,
        "turn_ns": repetition.turn_ns if has_turn else None,
        "end_ns": repetition.end_ns,
        "duration_s": _number((repetition.end_ns - repetition.start_ns) / NS_PER_S),
        "out_s": _number((repetition.turn_ns - repetition.start_ns) / NS_PER_S) if has_turn else None,
        "back_s": _number((repetition.end_ns - repetition.turn_ns) / NS_PER_S) if has_turn else None,
        "signal_name": repetition.signal_name,
        f"signal_minimum{suffix}": _number(repetition.signal_minimum),
        f"signal_maximum{suffix}": _number(repetition.signal_maximum),
        f"signal_range{suffix}": _number(repetition.signal_maximum - repetition.signal_minimum),
        "smoothness": _number(repetition.smoothness),
        "asymmetry": _number(repetition.asymmetry),
        "quality": _number(repetition.quality),
        "quality_low": _number(repetition.quality_low),
        "quality_high": _number(repetition.quality_high),
        "quality_withheld": repetition.quality_withheld,
        "reasons": list(repetition.reasons),
    }


def session_summary(repetitions: Sequence[Repetition]) -> list[dict[str, Any]]:
    """Return an entry for each run of one exercise: number, mean and std of the duration [s], and mean qualities."""
    runs = []
    for label, run in groupby(repetitions, key=lambda repetition: repetition.label):
        members = list(run)
        durations_s = [(member.end_ns - member.start_ns) / NS_PER_S for member in members]
        mean_s = sum(durations_s) / len(members)
        std_s = math.sqrt(sum((value - mean_s) ** 2 for value in durations_s) / len(members))
        runs.append(
            {
                "label": label,
                "repetitions": len(members),
                "mean_duration_s": _number(mean_s),
                "duration_spread_s": _number(std_s),
                "mean_quality": _mean([member.quality for member in members]),
                "mean_smoothness": _mean([member.smoothness for member in members]),
                "mean_asymmetry": _mean([member.asymmetry for member in members]),
            }
        )
    return runs


def _mean(values: list[float]) -> float | None:
    finite = [value for value in values if math.isfinite(value)]
    return _number(sum(finite) / len(finite)) if finite else None


def _number(value: float) -> float | None:
    return round(float(value), 4) if math.isfinite(value) else None
