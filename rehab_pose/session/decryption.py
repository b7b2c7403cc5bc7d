"""Decryption of a session's files with a secret key of age."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from rehab_pose.errors import InputError, RecordingError
from rehab_pose.output_file import refuse_existing
from rehab_pose.session.age_keys import age_library
from rehab_pose.session.audit import audit
from rehab_pose.session.encryption import is_encrypted
from rehab_pose.session.file_names import ENCRYPTED_SUFFIX

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["decrypt_session"]

OWNER_ONLY, OWNER_FOLDER = 0o600, 0o700
MAX_KEY_BYTES = 65536
"""Longest file of keys [bytes]."""


def decrypt_session(folder: Path, identity: Path, output: Path) -> int:
    """Write the files of an encrypted session into a new folder; return their number. The session stays encrypted.

    Args:
        folder: The session's folder.
        identity: File of secret keys, a line each, as `age-keygen` writes it.
        output: The new folder, which only its owner can read.

    Raises:
        InputError: The file has no secret key.
        MissingDependencyError: The library pyrage is not installed.
        RecordingError: The session is not encrypted, was encrypted for another key, is damaged, or the folder exists
            already or cannot be written.
    """
    if not is_encrypted(folder):
        msg = f"session decrypt: expected an encrypted session, {folder} is none; `rehab-pose session list` shows all"
        raise RecordingError(msg)
    keys = _keys(identity)
    refuse_existing([output])
    audit(folder.parent, "decrypt", folder.name, f"to {output}")
    try:
        output.mkdir(mode=OWNER_FOLDER, parents=True)
        return _write(folder, keys, output)
    except (OSError, RecordingError) as error:
        with suppress(OSError):
            shutil.rmtree(output)
        if isinstance(error, RecordingError):
            raise
        msg = f"session decrypt: {output} cannot be written: {error}"
        raise RecordingError(msg) from error


def _write(folder: Path, keys: list[Any], output: Path) -> int:
    count = 0
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        target = output / path.relative_to(folder)
        target.parent.mkdir(mode=OWNER_FOLDER, parents=True, exist_ok=True)
        if path.suffix == ENCRYPTED_SUFFIX:
            _decrypt(path, keys, target.with_suffix(""))
            count += 1
        else:
            shutil.copyfile(path, target)
    return count


def _decrypt(path: Path, keys: list[Any], target: Path) -> None:
    age = age_library()
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, OWNER_ONLY))
    try:
        age.decrypt_file(str(path), str(target), keys)
    except age.DecryptError as error:
        msg = f"session decrypt: {path} cannot be decrypted: {error}; expected the key of the session's recipient"
        raise RecordingError(msg) from error
    except OSError as error:
        msg = f"session decrypt: {path} is damaged, or {target.parent} is full: {error}"
        raise RecordingError(msg) from error


def _keys(path: Path) -> list[Any]:
    """Return the secret keys of a file."""
    age = age_library()
    try:
        with path.open("rb") as file:
            lines = file.read(MAX_KEY_BYTES).decode("ascii", errors="replace").splitlines()
        keys = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
        if keys:
            return [age.x25519.Identity.from_str(key) for key in keys]
    except OSError as error:
        msg = f"--identity: expected a file of secret keys, {path} cannot be read: {error.strerror or error}"
        raise InputError(msg) from error
    except age.IdentityError as error:
        msg = (
            f"--identity: expected lines AGE-SECRET-KEY-1... in {path}: {error}; a passphrase has to be removed before"
        )
        raise InputError(msg) from error
    msg = f"--identity: expected a secret key in {path}, found none; `age-keygen -o {path}` makes one"
    raise InputError(msg)
