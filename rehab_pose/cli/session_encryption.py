"""`rehab-pose session encrypt` and `decrypt`: the files of a session at rest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

__all__ = ["ACTIONS", "add_actions"]


def add_actions(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parsers of the actions."""
    encrypt = actions.add_parser(
        "encrypt", help="encrypt the files of a session that has ended, as session.encrypt_to does"
    )
    encrypt.add_argument("session_folder", type=Path, metavar="DIR", help="the session's folder")
    encrypt.add_argument("--to", required=True, metavar="RECIPIENT", help="public key of age (age1...)")
    decrypt = actions.add_parser("decrypt", help="write the files of an encrypted session into a new folder")
    decrypt.add_argument("session", metavar="NAME", help="name of the session's folder")
    decrypt.add_argument("--identity", type=Path, required=True, metavar="KEY", help="file of the secret key of age")
    decrypt.add_argument("-o", "--output", type=Path, required=True, help="the new folder")
    decrypt.add_argument("--folder", default="", help="folder of all sessions (default: that of session.folder)")


def _encrypt(args: argparse.Namespace) -> int:
    from rehab_pose.session.encryption import encrypt_session  # noqa: PLC0415  (loaded only when it runs)

    count, others = encrypt_session(args.session_folder, args.to)
    print(f"encrypted {count} files of {args.session_folder}")
    if others:
        print(f"stay plain, because rehab-pose did not make them: {', '.join(others)}")
    return 0


def _decrypt(args: argparse.Namespace) -> int:
    from rehab_pose.session.decryption import decrypt_session  # noqa: PLC0415
    from rehab_pose.session.recording_policy import session_folder  # noqa: PLC0415
    from rehab_pose.session.store import find_session  # noqa: PLC0415

    session = find_session(session_folder(args.folder), args.session)
    count = decrypt_session(session.folder, args.identity, args.output)
    print(f"wrote {count} files to {args.output}; they are plain: delete them after use")
    return 0


ACTIONS: dict[str, Callable[[argparse.Namespace], int]] = {"encrypt": _encrypt, "decrypt": _decrypt}
