"""The sessions in a folder: listed, found by name, and deleted; each deletion is in the audit log."""

from __future__ import annotations

import fcntl
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rehab_pose.errors import RecordingError
from rehab_pose.session.audit import audit
from rehab_pose.session.encryption import is_encrypted
from rehab_pose.session.file_names import ENCRYPTED_JOURNAL, JOURNAL
from rehab_pose.session.journal import read_journal
from rehab_pose.session.unfinished import session_folders
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from pathlib import Path

    from rehab_pose.session.journal_content import JournalContent

__all__ = ["StoredSession", "delete_expired", "delete_session", "find_session", "list_sessions"]

BYTES_PER_MB = 1e6
S_PER_DAY = 86400
ENCRYPTED = (
    "session: {name} is encrypted; `rehab-pose session decrypt {name} --identity KEY -o DIR` writes its files, which "
    "`session show`, `report` and `export` read with --folder"
)


@dataclass(frozen=True)
class StoredSession:
    """A session's folder."""

    folder: Path
    content: JournalContent | None
    """None = the journal cannot be read."""
    problem: str = ""
    """Why it cannot be read."""

    @property
    def encrypted(self) -> bool:
        """True if its files were encrypted after the end."""
        return is_encrypted(self.folder)

    @property
    def started_ns(self) -> int:
        """Time of the system's clock at the start [ns]; 0 = not known."""
        if self.content is not None:
            return self.content.first_time_ns
        return (self.folder / ENCRYPTED_JOURNAL).stat().st_mtime_ns if self.encrypted else 0

    @property
    def running(self) -> bool:
        """True while a program writes the journal."""
        if self.encrypted:
            return False
        with (self.folder / JOURNAL).open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                return True
        return False

    @property
    def size_mb(self) -> float:
        """Size of all files [MB]."""
        files = [file for file in self.folder.rglob("*") if file.is_file() and not file.is_symlink()]
        return sum(file.stat().st_size for file in files) / BYTES_PER_MB

    @property
    def state(self) -> str:
        """running, interrupted, done, encrypted, or unreadable."""
        if self.content is None:
            return "encrypted" if self.encrypted else "unreadable"
        if self.content.ended:
            return self.content.state
        return "running" if self.running else "interrupted"


def list_sessions(sessions: Path) -> list[StoredSession]:
    """Return the sessions in a folder, in the order of their names."""
    return [_stored(folder) for folder in session_folders(sessions)]


def _stored(folder: Path) -> StoredSession:
    if is_encrypted(folder):
        return StoredSession(folder, None, ENCRYPTED.format(name=folder.name))
    try:
        return StoredSession(folder, read_journal(folder))
    except RecordingError as error:
        return StoredSession(folder, None, str(error))


def find_session(sessions: Path, name: str) -> StoredSession:
    """Return the session with a name, which is that of its folder or its id.

    Raises:
        RecordingError: There is none, or several have the id.
    """
    every = list_sessions(sessions)
    by_folder = [session for session in every if session.folder.name == name]
    by_id = [session for session in every if session.content and session.content.header.session_id == name]
    found = by_folder or by_id
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(session.folder.name for session in found)
        msg = f"session: expected one session {name}, found {names}; give the name of the folder"
        raise RecordingError(msg)
    msg = f"session: expected a session {name} in {sessions}, there is none; `rehab-pose session list` shows all"
    raise RecordingError(msg)


def delete_session(session: StoredSession, reason: str) -> None:
    """Delete a session's folder, which our journal, also an encrypted one, proves to be one.

    Args:
        session: The session.
        reason: For the audit log, which is written first.

    Raises:
        RecordingError: It is running, has no readable journal, or cannot be deleted.
    """
    folder = session.folder
    if session.content is None and not session.encrypted:
        msg = f"session: {folder} is not deleted: {session.problem}; remove it yourself"
        raise RecordingError(msg)
    if session.running:
        msg = f"session: {folder} is not deleted: it is running; stop it first"
        raise RecordingError(msg)
    audit(folder.parent, "delete", folder.name, reason)
    try:
        shutil.rmtree(folder)
    except OSError as error:
        msg = f"session: {folder} cannot be deleted completely: {error}"
        raise RecordingError(msg) from error


def delete_expired(sessions: Path, days: int, now_ns: int) -> list[str]:
    """Delete sessions that started longer ago than some days; return their names.

    Args:
        sessions: Folder of all sessions.
        days: Longest age [days]; 0 = nothing is deleted.
        now_ns: Time of the system's clock [ns].

    Raises:
        RecordingError: One cannot be deleted.
    """
    deleted = []
    for session in list_sessions(sessions) if days else []:
        started_ns = session.started_ns
        if started_ns and not session.running and now_ns - started_ns > days * S_PER_DAY * NS_PER_S:
            delete_session(session, f"older than {days} days")
            deleted.append(session.folder.name)
    return deleted
