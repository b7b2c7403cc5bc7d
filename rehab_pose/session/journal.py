"""The file of a session's journal: written line by line while the session runs, read after any end.

Each line is flushed to the disk before the next one is made, so that a crash loses at most the line that was being
written. `rehab_pose.session.journal_content` defines the lines. The writer holds a lock of the file, which the system
releases when the process ends in any way: a journal without an end whose lock is free belongs to a session that was
interrupted.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from rehab_pose.errors import RecordingError
from rehab_pose.session.file_names import JOURNAL
from rehab_pose.session.journal_content import JournalContent, JournalHeader, JournalledRepetition, repetition_fields

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rehab_pose.datatypes import Repetition
    from rehab_pose.session.movement import RepetitionMovement

__all__ = ["Journal", "read_journal"]

OWNER_ONLY = 0o600
"""File mode: a journal contains health data."""
MAX_BYTES = 64 * 1024**2
"""Largest file that is read [bytes]; an hour of repetitions and observations is 1 MB."""


class Journal:
    """Writes the journal of a running session.

    Attributes:
        folder: The session's folder.
        content: The session so far, also the lines that could not be written yet.
    """

    def __init__(
        self, folder: Path, content: JournalContent, descriptor: int, now_ns: Callable[[], int] = time.time_ns
    ) -> None:
        """Use `begin` or `resume`.

        Args:
            folder: The session's folder.
            content: The content of the file.
            descriptor: The open and locked file.
            now_ns: Returns the time of the system's clock [ns].
        """
        self.folder, self.content = folder, content
        self._descriptor, self._now_ns = descriptor, now_ns
        self._size = os.fstat(descriptor).st_size
        self._pending: list[bytes] = []

    @classmethod
    def begin(cls, folder: Path, header: JournalHeader, now_ns: Callable[[], int] = time.time_ns) -> Journal:
        """Create the file in an existing folder and write its first line.

        Raises:
            RecordingError: The file exists already or cannot be written.
        """
        path = folder / JOURNAL
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, OWNER_ONLY)
        except OSError as error:
            msg = f"session: expected to create {path}: {error}; choose another session_id or session.folder"
            raise RecordingError(msg) from error
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        journal = cls(folder, JournalContent(header), descriptor, now_ns)
        journal.content.first_time_ns = journal.content.last_time_ns = now_ns()
        try:
            journal._append({"kind": "session", "time_ns": journal.content.first_time_ns, **header.line()})
        except RecordingError:
            journal.remove()
            raise
        return journal

    @classmethod
    def resume(cls, folder: Path, now_ns: Callable[[], int] = time.time_ns) -> Journal:
        """Open the journal of an interrupted session to continue it.

        Raises:
            RecordingError: There is no journal, it is damaged, or another process writes it.
        """
        path = folder / JOURNAL
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
        except OSError as error:
            msg = f"session: expected a journal at {path} that can be written: {error.strerror or error}"
            raise RecordingError(msg) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            content = read_journal(folder)  # with the lock: the program that had it may just have written the end
        except OSError as error:
            os.close(descriptor)
            msg = f"session: the session of {path} is running in another process; stop it there"
            raise RecordingError(msg) from error
        except RecordingError:
            os.close(descriptor)
            raise
        journal = cls(folder, content, descriptor, now_ns)
        if journal._size and os.pread(descriptor, 1, journal._size - 1) != b"\n":
            journal._pending.append(b"\n")  # ends the torn line, so that it stays one unreadable line
        return journal

    def add(self, kind: str, **fields: Any) -> None:  # noqa: ANN401  (fields of any type of JSON)
        """Add a line to the content and to the file.

        Raises:
            RecordingError: The file cannot be written; the line is kept, and written with the next one.
        """
        line = {"kind": kind, "time_ns": self._now_ns(), **fields}
        self.content.apply(line)
        self._append(line)

    def add_repetition(
        self, repetition: Repetition, *, counted: bool, movement: RepetitionMovement | None = None
    ) -> None:
        """Add a repetition, and its movement if joints were received.

        Raises:
            RecordingError: The file cannot be written; the line is kept, and written with the next one.
        """
        moved = {} if movement is None else {"movement": movement.fields()}
        # The given objects are kept, which the session has anyway, rather than copies made from the line.
        self.content.add_repetition(JournalledRepetition(repetition, counted, movement))
        self.content.last_time_ns = self._now_ns()
        line = {"kind": "repetition", "time_ns": self.content.last_time_ns, "counted": counted}
        self._append(line | repetition_fields(repetition) | moved)

    def flush(self) -> None:
        """Write the lines that could not be written before.

        Raises:
            RecordingError: They still cannot be written.
        """
        if not self._pending:
            return
        data = b"".join(self._pending)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
            os.fsync(self._descriptor)
        except OSError as error:
            with suppress(OSError):  # a full disk may have taken a part of the lines
                os.ftruncate(self._descriptor, self._size)
            msg = (
                f"session: {self.folder / JOURNAL} cannot be written ({error.strerror}); free space on the disk, "
                f"{len(self._pending)} lines wait in memory"
            )
            raise RecordingError(msg) from error
        self._size += len(data)
        self._pending.clear()

    def close(self) -> None:
        """Close the file, which releases its lock."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def remove(self) -> None:
        """Close and remove the file and its folder, if that is empty then: the session could not be started."""
        self.close()
        with suppress(OSError):
            (self.folder / JOURNAL).unlink()
            self.folder.rmdir()

    def _append(self, line: dict[str, Any]) -> None:
        self._pending.append(json.dumps(line, allow_nan=False).encode() + b"\n")
        self.flush()


def read_journal(folder: Path) -> JournalContent:
    """Return the content of the journal in a session's folder.

    Raises:
        RecordingError: There is no journal, or it is none of a session.
    """
    path = folder / JOURNAL
    try:
        if path.stat().st_size > MAX_BYTES:
            msg = f"session: expected a journal of at most {MAX_BYTES // 1024**2} MB, {path} is larger"
            raise RecordingError(msg)
        return JournalContent.parse(path.read_bytes())
    except OSError as error:
        msg = f"session: expected a journal at {path}: {error.strerror or error}"
        raise RecordingError(msg) from error
    except ValueError as error:
        msg = f"session: {path} is no journal of a session: {error}"
        raise RecordingError(msg) from error
