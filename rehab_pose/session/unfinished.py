"""Sessions whose program ended before them: found by their journals, then continued or ended as interrupted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rehab_pose.errors import RecordingError
from rehab_pose.session.file_names import ENCRYPTED_JOURNAL, JOURNAL
from rehab_pose.session.journal import read_journal
from rehab_pose.session.journal_content import json_object
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rehab_pose.session.journal_content import JournalContent

__all__ = ["Unfinished", "session_folders", "unfinished_sessions"]

TAIL_BYTES = 65536
"""Length of the end of a journal that contains its last line [bytes]."""


@dataclass(frozen=True)
class Unfinished:
    """A session without an end."""

    folder: Path
    content: JournalContent

    def age_s(self, now_ns: int) -> float:
        """Return the time since the last line of the journal [s]."""
        return (now_ns - self.content.last_time_ns) / NS_PER_S

    @property
    def complete(self) -> bool:
        """True if all repetitions of its target are done."""
        return 0 < self.content.header.target <= len(self.content.counted)


def session_folders(sessions: Path) -> Iterator[Path]:
    """Yield the folders that have a journal, also an encrypted one, by name; symbolic links are left out."""
    if not sessions.is_dir():
        return
    for folder in sorted(sessions.iterdir()):
        journals = (folder / JOURNAL, folder / ENCRYPTED_JOURNAL)
        if not folder.is_symlink() and folder.is_dir() and any(journal.is_file() for journal in journals):
            yield folder


def unfinished_sessions(sessions: Path) -> list[Unfinished]:
    """Return the sessions without an end, the one with the newest journal last; damaged journals are left out."""
    found = []
    for folder in session_folders(sessions):
        try:
            if _has_end(folder):
                continue
            content = read_journal(folder)
        except (RecordingError, OSError):
            continue  # `rehab-pose session list` names it
        if not content.ended:
            found.append(Unfinished(folder, content))
    return sorted(found, key=lambda session: session.content.last_time_ns)


def _has_end(folder: Path) -> bool:
    """Return whether the last line of a journal is its end, without reading the whole file."""
    with (folder / JOURNAL).open("rb") as file:
        file.seek(0, 2)
        file.seek(max(0, file.tell() - TAIL_BYTES))
        last = file.read().rstrip(b"\n").rpartition(b"\n")[2]
    line = json_object(last)
    return line is not None and line.get("kind") == "end"
