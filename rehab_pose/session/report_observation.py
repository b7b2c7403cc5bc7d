"""The part of a session's report about observed time, gaps, tracking and what happened to its files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rehab_pose.session.observation import GapReason
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from rehab_pose.session.journal_content import JournalContent

__all__ = ["observation_facts", "observation_lines"]

S_PER_MIN = 60.0
MAX_NAMED_GAPS = 20
"""Largest number of gaps that the page lists; the JSON file has all."""


def observation_facts(content: JournalContent) -> dict[str, Any]:
    """Return the course of a session for JSON; a mean over no frame is None."""
    header, parts = content.header, content.observations
    frames = sum(part.frames for part in parts)
    present = sum(part.frames_with_person for part in parts)
    first_ns = min((part.first_ns for part in parts if part.first_ns), default=0)
    return {
        "started": header.started,
        "exercise": header.exercise or "any",
        "side": header.side,
        "target": header.target or None,
        "counted": len(content.counted),
        "state": content.state,
        "end": content.message,
        "software": header.software,
        "duration_s": round((content.last_time_ns - content.first_time_ns) / NS_PER_S, 1),
        "observed_s": round(sum(part.observed_ns for part in parts) / NS_PER_S, 1),
        "first_stamp_ns": first_ns or None,
        "last_stamp_ns": content.last_stamp_ns or None,
        "gaps": [
            {
                "reason": gap.reason.value,
                "start_ns": gap.start_ns,
                "end_ns": gap.end_ns,
                "duration_s": round(gap.duration_s, 2),
                "repetitions_delivered_later": _delivered_later(content, gap.start_ns, gap.end_ns)
                if gap.reason is GapReason.SESSION_NODE_DOWN
                else 0,
            }
            for gap in content.gaps
        ],
        "frames": frames,
        "frames_with_person": present,
        "mean_label_confidence": _fraction(sum(part.confidence_sum for part in parts), present),
        "unknown_movement": _fraction(sum(part.unknown_movements for part in parts), present),
        "time_jumps": sum(part.time_jumps for part in parts),
        "continued": content.resumptions,
        "recordings": list(content.recordings),
        "notes": list(content.notes),
        "journal_lines_unreadable": content.unreadable_lines,
        "repetitions_received_twice": content.repeated,
    }


def observation_lines(content: JournalContent) -> list[str]:
    """Return the course of a session as sentences."""
    facts = observation_facts(content)
    minutes = facts["observed_s"] / S_PER_MIN
    lines = [
        f"A person was observed for {minutes:.1f} of {facts['duration_s'] / S_PER_MIN:.1f} minutes"
        + (f", in {facts['frames_with_person']} of {facts['frames']} frames." if facts["frames"] else ".")
    ]
    if content.state == "interrupted":
        lines.append(f"The session did not end as planned: {content.message or 'it was interrupted'}.")
    lines += [
        f"Gap of {gap.duration_s:.1f} s: {gap.reason.sentence}."
        + (
            f" Repetitions finished meanwhile and delivered later: {later}."
            if gap.reason is GapReason.SESSION_NODE_DOWN
            and (later := _delivered_later(content, gap.start_ns, gap.end_ns))
            else ""
        )
        for gap in content.gaps[:MAX_NAMED_GAPS]
    ]
    if len(content.gaps) > MAX_NAMED_GAPS:
        lines.append(f"{len(content.gaps) - MAX_NAMED_GAPS} more gaps are in the JSON file.")
    lines += [f"{note}." for note in content.notes]
    if content.unreadable_lines:
        lines.append(f"{content.unreadable_lines} lines of the journal could not be read.")
    return lines


def _delivered_later(content: JournalContent, start_ns: int, end_ns: int) -> int:
    """Return the number of repetitions that were finished between two stamps [ns]."""
    return sum(start_ns < entry.repetition.stamp_ns < end_ns for entry in content.repetitions)


def _fraction(part: float, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
