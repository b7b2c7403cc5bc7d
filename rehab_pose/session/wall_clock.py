"""Dates of a session's stamps: those of the camera, or counted from the session's start by the system's clock."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from rehab_pose.session.names import session_time_ns
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from rehab_pose.session.journal_content import JournalContent

__all__ = ["start_time", "wall_time"]

NS_PER_US = 1000


def start_time(content: JournalContent) -> datetime | None:
    """Return date and time of a session's start with its offset from UTC; None where they were left out."""
    try:
        started = datetime.fromisoformat(content.header.started)
    except ValueError:
        return None
    return started if started.tzinfo is not None else None


def wall_time(content: JournalContent, stamp_ns: int) -> datetime | None:
    """Return date and time of a stamp; None where the session has no date, or its stamps cannot be placed.

    Args:
        content: The session.
        stamp_ns: Stamp of the camera [ns].
    """
    started = start_time(content)
    if started is None:
        return None
    if session_time_ns(stamp_ns, -1) == stamp_ns:  # stamps are dates
        whole_s, rest_ns = divmod(stamp_ns, NS_PER_S)
        moment = datetime.fromtimestamp(whole_s, tz=started.tzinfo)
        return moment + timedelta(microseconds=rest_ns // NS_PER_US)
    since_ns = content.header.since_ns
    if not since_ns:
        return None
    return started + timedelta(microseconds=(stamp_ns - since_ns) // NS_PER_US)
