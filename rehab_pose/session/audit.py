"""The audit log of a folder of sessions: a line for each start, stop, reading, export, repair and deletion.

A line is a JSON object: time (ISO 8601 with the offset from UTC), action, session (name of its folder), user (of the
operating system), detail. The file is appended to, only its owner can read it, and deleting a session keeps its lines.
"""

from __future__ import annotations

import getpass
import json
import os
from datetime import datetime
from typing import TYPE_CHECKING

from rehab_pose.errors import RecordingError
from rehab_pose.session.file_names import AUDIT_LOG, JOURNAL

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["audit", "audit_reading"]

LEVELS = 2
"""A session's folder is the parent of a bag, and the parent of that of a file in the bag."""


def audit(sessions: Path, action: str, session: str, detail: str = "") -> None:
    """Append a line to the audit log.

    Args:
        sessions: Folder of all sessions, which exists.
        action: start, stop, interrupt, resume, read, export, repair or delete.
        session: Name of the session's folder.
        detail: A sentence, for example the reason of the end or the path of the export.

    Raises:
        RecordingError: The line cannot be written.
    """
    line = {
        "time": datetime.now().astimezone().isoformat(timespec="seconds"),
        "action": action,
        "session": session,
        "user": _user(),
        "detail": detail,
    }
    path = sessions / AUDIT_LOG
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.write(descriptor, json.dumps(line).encode() + b"\n")  # one write: lines of two programs do not mix
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        msg = (
            f"session: the audit log {path} cannot be written ({error.strerror}); check space and rights of its folder"
        )
        raise RecordingError(msg) from error


def audit_reading(path: Path, program: str) -> None:
    """Append a line if a path that a program reads lies in a session's folder; nothing is done for other paths.

    Raises:
        RecordingError: The line cannot be written.
    """
    for folder in list(path.absolute().parents)[:LEVELS]:
        if (folder / JOURNAL).is_file():
            audit(folder.parent, "read", folder.name, f"{program} {path.name}")
            return


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        return str(os.getuid())
