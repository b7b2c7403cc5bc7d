"""Free space for a session's files, and a reserve that its report can still be written into when the disk is full."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Reserve", "free_mb"]

RESERVE = ".reserve"
"""Name of the reserve in a session's folder."""
RESERVE_BYTES = 1024**2
"""Size of the reserve [bytes]: report and journal of a long session together."""
BYTES_PER_MB = 1_000_000


def free_mb(folder: Path) -> float:
    """Return the space that this user can write below a folder, which need not exist yet [MB].

    Raises:
        OSError: The file system cannot be asked.
    """
    existing = folder
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    status = os.statvfs(existing)
    return status.f_bavail * status.f_frsize / BYTES_PER_MB


class Reserve:
    """Space on the disk that is released when the session's last files have to be written."""

    def __init__(self, folder: Path) -> None:
        """Take the space; without it a full disk may cost the report, which the journal then still gives.

        Args:
            folder: The session's folder, which exists.
        """
        self._path = folder / RESERVE
        with suppress(OSError):
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(descriptor, 0, RESERVE_BYTES)
            finally:
                os.close(descriptor)

    def release(self) -> None:
        """Give the space back."""
        with suppress(OSError):
            self._path.unlink(missing_ok=True)

    @staticmethod
    def remove_from(folder: Path) -> None:
        """Remove the reserve of a session whose program was killed."""
        with suppress(OSError):
            (folder / RESERVE).unlink(missing_ok=True)
