"""Encryption of ended sessions in processes of their own, which the session node starts and watches."""

from __future__ import annotations

import subprocess
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from rehab_pose.errors import RecordingError
from rehab_pose.session.file_names import JOURNAL
from rehab_pose.session.journal import read_journal
from rehab_pose.session.unfinished import session_folders

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["EncryptionProcesses"]

NICENESS = 10
"""Increase of the niceness of the process that encrypts: the graph goes first."""


class EncryptionProcesses:
    """Processes that encrypt sessions.

    The library holds Python's lock while it encrypts a file, so that a thread would stop the node. A process goes on
    when the node ends.
    """

    def __init__(self, report_error: Callable[[str], None]) -> None:
        """Begin without a process.

        Args:
            report_error: Called with a sentence when a session could not be encrypted.
        """
        self._report_error = report_error
        self._running: dict[Path, subprocess.Popen[str]] = {}

    @property
    def busy(self) -> bool:
        """True while a process runs, or has ended since the last `check`."""
        return bool(self._running)

    def start(self, folder: Path, recipient: str) -> None:
        """Encrypt an ended session; nothing happens without a recipient.

        Args:
            folder: The session's folder.
            recipient: Public key of age; '' = the files stay plain.
        """
        if not recipient or folder in self._running:
            return
        command = [sys.executable, "-m", "rehab_pose.cli.main", "session", "encrypt", str(folder), "--to", recipient]
        try:
            self._running[folder] = subprocess.Popen(  # noqa: S603  (our own program, no shell)
                ["nice", "-n", str(NICENESS), *command],  # noqa: S607  (of the system's path)
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            )
        except OSError as error:
            self._report_error(f"session: {folder} was not encrypted: {error}; it is when the node starts again")

    def start_pending(self, sessions: Path) -> None:
        """Encrypt the sessions that ended earlier and whose encryption was interrupted.

        Args:
            sessions: Folder of all sessions.
        """
        for folder in session_folders(sessions):
            if not (folder / JOURNAL).is_file():
                continue
            with suppress(RecordingError):  # `rehab-pose session list` names a journal that cannot be read
                content = read_journal(folder)
                if content.ended:
                    self.start(folder, content.header.encrypt_to)

    def check(self) -> None:
        """Report the processes that failed since the last call."""
        for folder, process in list(self._running.items()):
            code = process.poll()
            if code is None:
                continue
            del self._running[folder]
            lines = process.communicate()[1].strip().splitlines()
            if code:
                self._report_error(
                    f"session: {folder} was not encrypted: {lines[-1] if lines else f'exit code {code}'}; "
                    "it is when the node starts again"
                )
