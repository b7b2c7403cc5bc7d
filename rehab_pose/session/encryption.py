"""Encryption of a session's files at rest, in the format of age (age-encryption.org/v1), by the library pyrage.

During a session the files are plain: a crash must not lose them. Once the session has ended each of them becomes
`FILE.age` for one recipient, whose secret key is not on the machine. The journal is last, so that a session whose
encryption was interrupted is still known, and is encrypted further when the session node starts again.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from rehab_pose.errors import RecordingError
from rehab_pose.session.age_keys import age_library, recipient_key
from rehab_pose.session.audit import audit
from rehab_pose.session.file_names import ENCRYPTED_JOURNAL, ENCRYPTED_SUFFIX, JOURNAL, RECOVERED
from rehab_pose.session.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from rehab_pose.session.journal_content import JournalContent

__all__ = ["encrypt_session", "is_encrypted"]

FORMAT = b"age-encryption.org/v1\n"
"""First line of a file in the format of age."""
OWNER_ONLY = 0o600


def is_encrypted(folder: Path) -> bool:
    """Return whether the folder is that of a session whose encryption is complete."""
    path = folder / ENCRYPTED_JOURNAL
    if path.is_symlink() or not path.is_file() or (folder / JOURNAL).exists():
        return False
    with path.open("rb") as file:
        return file.read(len(FORMAT)) == FORMAT


def encrypt_session(folder: Path, recipient: str) -> tuple[int, list[str]]:
    """Encrypt the files of a session that has ended; return their number, and the names of files that are not ours.

    The plain files are removed one by one, each after its encrypted one is on the disk.

    Args:
        folder: The session's folder.
        recipient: Public key of age.

    Raises:
        SettingsError: The recipient is none.
        MissingDependencyError: The library pyrage is not installed.
        RecordingError: The session has not ended, runs in another process, or a file cannot be written; what was not
            encrypted is plain.
    """
    key = recipient_key(recipient)
    if is_encrypted(folder):
        return 0, []
    journal = Journal.resume(folder)
    try:
        content = journal.content
        if not content.ended:
            msg = f"session encrypt: {folder} has no end; run `rehab-pose session repair {folder}` first"
            raise RecordingError(msg)
        own = [path for path in _own_files(folder, content) if path.suffix != ENCRYPTED_SUFFIX]
        for path in own:
            _encrypt(path, key)
        others = [path.relative_to(folder).as_posix() for path in _files(folder) if path.suffix != ENCRYPTED_SUFFIX]
        others.remove(JOURNAL)
        detail = f"for {recipient}" + (f"; {len(others)} other files stay plain" if others else "")
        audit(folder.parent, "encrypt", folder.name, detail)
        _encrypt(folder / JOURNAL, key)
        # Retention goes by the start of the session, which is in no file that can be read now.
        os.utime(folder / ENCRYPTED_JOURNAL, ns=(content.first_time_ns, content.first_time_ns))
    except OSError as error:
        msg = f"session encrypt: {error.filename or folder} cannot be written: {error.strerror or error}; free space"
        raise RecordingError(msg) from error
    finally:
        journal.close()
    return len(own) + 1, others


def _own_files(folder: Path, content: JournalContent) -> Iterator[Path]:
    """Yield the files that this package makes in a session's folder, without the journal."""
    prefix = f"{content.header.session_id}_"
    bags = {f"{name}{ending}" for name in content.recordings for ending in ("", RECOVERED)}
    for path in _files(folder):
        parts = path.relative_to(folder).parts
        if parts[0] in bags or (len(parts) == 1 and parts[0].startswith(prefix)):
            yield path


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _encrypt(path: Path, key: Any) -> None:  # noqa: ANN401
    target = path.with_name(path.name + ENCRYPTED_SUFFIX)
    temporary = path.with_name(f".{target.name}.new")
    try:
        descriptor = os.open(
            temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, OWNER_ONLY
        )
        try:
            age_library().encrypt_file(str(path), str(temporary), [key])
            os.fsync(descriptor)  # the plain file is removed next
        finally:
            os.close(descriptor)
        temporary.replace(target)
    except OSError:
        with suppress(OSError):
            temporary.unlink()
        raise
    path.unlink()
