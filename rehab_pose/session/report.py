"""The repetitions of a session for people: one JSON file with every number, one page to look at."""

from __future__ import annotations

import json
import math
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Any

from rehab_pose.errors import RecordingError
from rehab_pose.session.report_page import repetition_page
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rehab_pose.datatypes import Repetition

__all__ = ["repetition_facts", "session_summary", "write_repetition_report"]

UNITS = ("rad", "m")
"""Endings of signal names, which give their unit."""


def write_repetition_report(
    folder: Path, session_id: str, subject_code: str, repetitions: Sequence[Repetition]
) -> Path:
    """Write `<session_id>_repetitions.json` and `<session_id>_repetitions.html` into a folder, which is made.

    The page holds everything it shows and asks nothing of the network.

    Args:
        folder: Where the two files go.
        session_id: Names the files; letters, digits, `.`, `-` and `_` only, so that it stays in the folder.
        subject_code: Whose session it was: a code, never a name.
        repetitions: In the order in which they were counted; none is fine.

    Returns:
        The JSON file's path.

    Raises:
        RecordingError: The session's id cannot be part of a file's name, or the files cannot be written.
    """
    if not session_id or session_id.startswith(".") or not all(sign.isalnum() or sign in ".-_" for sign in session_id):
        msg = f"session id: expected letters, digits, '.', '-', '_', got {session_id!r}; it names the report's files"
        raise RecordingError(msg)
    content = {
        "session_id": session_id,
        "subject_code": subject_code,
        "sets": session_summary(repetitions),
        "repetitions": [repetition_facts(repetition) for repetition in repetitions],
    }
    target = folder / f"{session_id}_repetitions.json"
    title = f"Session {escape(session_id)}, subject {escape(subject_code)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        target.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
        target.with_suffix(".html").write_text(repetition_page(title, repetitions), encoding="utf-8")
    except OSError as error:
        msg = f"session report: {folder} cannot be written ({error}); choose another folder"
        raise RecordingError(msg) from error
    return target


def repetition_facts(repetition: Repetition) -> dict[str, Any]:
    """Return a repetition as JSON may hold it: units at the end of the names, null where nothing was measured."""
    unit = repetition.signal_name.rpartition("_")[2]
    suffix = f"_{unit}" if unit in UNITS else ""
    turned = repetition.turn_ns > 0
    return {
        "label": repetition.label,
        "count": repetition.count,
        "side": repetition.side.name.lower(),
        "stamp_ns": repetition.stamp_ns,
        "frame_id": repetition.frame_id,
        "start_ns": repetition.start_ns,
        "turn_ns": repetition.turn_ns if turned else None,
        "end_ns": repetition.end_ns,
        "duration_s": _number((repetition.end_ns - repetition.start_ns) / NS_PER_S),
        "out_s": _number((repetition.turn_ns - repetition.start_ns) / NS_PER_S) if turned else None,
        "back_s": _number((repetition.end_ns - repetition.turn_ns) / NS_PER_S) if turned else None,
        "signal_name": repetition.signal_name,
        f"signal_minimum{suffix}": _number(repetition.signal_minimum),
        f"signal_maximum{suffix}": _number(repetition.signal_maximum),
        f"signal_range{suffix}": _number(repetition.signal_maximum - repetition.signal_minimum),
        "smoothness": _number(repetition.smoothness),
        "asymmetry": _number(repetition.asymmetry),
        "quality": _number(repetition.quality),
        "reasons": list(repetition.reasons),
    }


def session_summary(repetitions: Sequence[Repetition]) -> list[dict[str, Any]]:
    """Return one entry a run of one exercise: how many, how fast, how regular, how good."""
    runs = []
    for label, run in groupby(repetitions, key=lambda repetition: repetition.label):
        members = list(run)
        durations_s = [(member.end_ns - member.start_ns) / NS_PER_S for member in members]
        mean_s = sum(durations_s) / len(members)
        spread_s = math.sqrt(sum((value - mean_s) ** 2 for value in durations_s) / len(members))
        runs.append(
            {
                "label": label,
                "repetitions": len(members),
                "mean_duration_s": _number(mean_s),
                "duration_spread_s": _number(spread_s),
                "mean_quality": _mean([member.quality for member in members]),
                "mean_smoothness": _mean([member.smoothness for member in members]),
                "mean_asymmetry": _mean([member.asymmetry for member in members]),
            }
        )
    return runs


def _mean(values: list[float]) -> float | None:
    known = [value for value in values if math.isfinite(value)]
    return _number(sum(known) / len(known)) if known else None


def _number(value: float) -> float | None:
    return round(float(value), 4) if math.isfinite(value) else None
