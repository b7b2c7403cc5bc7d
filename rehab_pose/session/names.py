"""Names of new sessions: date and time, never one that is in use."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rehab_pose.errors import RecordingError
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["free_session_id", "session_time_ns"]

FIRST_WALL_CLOCK_S, LAST_WALL_CLOCK_S = 1_577_836_800, 4_102_444_800
"""Stamps from 2020-01-01 to 2100-01-01 (UTC) are dates [s]; lower ones count from the start of a machine."""
MAX_NAMES = 1000
"""Session names tried for one second; a recording played in a loop starts its sessions in the same second."""


def session_time_ns(newest_ns: int, now_ns: int) -> int:
    """Return the time that names a session [ns]: the camera's stamp if it is a date, else that of the system's clock.

    Args:
        newest_ns: Stamp of the newest frame [ns].
        now_ns: Time of the system's clock [ns].
    """
    return newest_ns if FIRST_WALL_CLOCK_S * NS_PER_S <= newest_ns < LAST_WALL_CLOCK_S * NS_PER_S else now_ns


def free_session_id(time_ns: int, folder_of: Callable[[str], Path]) -> str:
    """Return a session id of local date and time whose folder does not exist yet, as 2026-11-27_14-05-33.

    Args:
        time_ns: The time [ns].
        folder_of: Returns the folder of a session id.

    Raises:
        RecordingError: All numbered names of this second are in use.
    """
    stem = time.strftime("%Y-%m-%d_%H-%M-%S", time.localtime(time_ns // NS_PER_S))
    for name in (stem, *(f"{stem}_{number}" for number in range(2, MAX_NAMES))):
        if not folder_of(name).exists():
            return name
    msg = f"session: {folder_of(stem)} and {MAX_NAMES} numbered names exist already; give a session_id"
    raise RecordingError(msg)
