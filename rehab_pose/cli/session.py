"""`rehab-pose session`: start and stop sessions, and list, show, repair, export and delete those that were kept."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.cli import session_control, session_encryption, session_report
from rehab_pose.errors import InputError, RecordingError

if TYPE_CHECKING:
    import argparse

__all__ = ["add_parser", "run"]

DEFAULT_CODE = "export"
FHIR_VERSIONS = ("R4", "R5")


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parser of `session`."""
    parser = subparsers.add_parser("session", help="start, stop, list, show, repair, export and delete sessions")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    session_control.add_actions(actions)
    session_report.add_actions(actions)
    session_encryption.add_actions(actions)
    listing = actions.add_parser("list", help="list the sessions")
    show = actions.add_parser("show", help="print the report of a session")
    repair = actions.add_parser(
        "repair", help="make the report of an interrupted session from its journal, and recover its recording"
    )
    repair.add_argument("session_folder", type=Path, metavar="DIR", help="the session's folder")
    export = actions.add_parser("export", help="copy a session, or write its report without identity, CSV or FHIR")
    export.add_argument("-o", "--output", type=Path, required=True, help="the new folder")
    export.add_argument("--to", default="", metavar="FORMS", help="csv, fhir or csv,fhir: only the repetitions")
    export.add_argument("--fhir-version", choices=FHIR_VERSIONS, default=FHIR_VERSIONS[0], help="default: %(default)s")
    export.add_argument(
        "--deidentified",
        action="store_true",
        help="only the report: without subject code, dates, names of machines and recordings",
    )
    export.add_argument("--code", default=DEFAULT_CODE, help="id of a de-identified session (default %(default)s)")
    delete = actions.add_parser("delete", help="delete a session")
    delete.add_argument("--yes", action="store_true", help="do not ask")
    expire = actions.add_parser("expire", help="delete the sessions that are older than some days")
    expire.add_argument("--days", type=int, required=True, help="longest age of a session [days]")
    for action in (show, export, delete):
        action.add_argument("session", metavar="NAME", help="name of the session's folder, or its id")
    for action in (listing, show, export, delete, expire):
        action.add_argument("--folder", default="", help="folder of all sessions (default: that of session.folder)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the action that the arguments name.

    Raises:
        RecordingError: There is no such session, or its files cannot be read or written.
        InputError: A code or a number cannot be used.
    """
    kept = {"list": _list, "show": _show, "repair": _repair, "export": _export, "delete": _delete, "expire": _expire}
    others = {**session_control.ACTIONS, **session_report.ACTIONS, **session_encryption.ACTIONS}
    return {**others, **kept}[args.action](args)


def _sessions(args: argparse.Namespace) -> Path:
    from rehab_pose.session.recording_policy import session_folder  # noqa: PLC0415  (loaded only when it runs)

    return session_folder(args.folder)


def _list(args: argparse.Namespace) -> int:
    from rehab_pose.session.store import list_sessions  # noqa: PLC0415
    from rehab_pose.session.words import session_row, table_lines  # noqa: PLC0415

    found = list_sessions(_sessions(args))
    if found:
        print("\n".join(table_lines([session_row(session) for session in found])))
        print("next: `rehab-pose session report NAME`, or `rehab-pose session trend CODE` for all of a person")
    else:
        print(f"no sessions in {_sessions(args)}; `rehab-pose session start` starts one")
    for session in found:
        if session.content is None and not session.encrypted:
            print(session.problem, file=sys.stderr)
    return 0


def _show(args: argparse.Namespace) -> int:
    from rehab_pose.session.audit import audit  # noqa: PLC0415
    from rehab_pose.session.report import session_lines  # noqa: PLC0415
    from rehab_pose.session.store import find_session  # noqa: PLC0415
    from rehab_pose.session.words import session_title  # noqa: PLC0415

    session = find_session(_sessions(args), args.session)
    if session.content is None:
        raise RecordingError(session.problem)
    audit(session.folder.parent, "read", session.folder.name, "session show")
    print(session_title(session))
    print("\n".join(session_lines(session.content)))
    return 0


def _repair(args: argparse.Namespace) -> int:
    from rehab_pose.session.repair import repair_session  # noqa: PLC0415

    print("\n".join(repair_session(args.session_folder)))
    return 0


def _export(args: argparse.Namespace) -> int:
    from rehab_pose.session.export import export_forms, export_session  # noqa: PLC0415
    from rehab_pose.session.store import find_session  # noqa: PLC0415

    session = find_session(_sessions(args), args.session)
    code = args.code if args.deidentified else None
    if args.to:
        for path in export_forms(session, args.output, args.to.split(","), code, args.fhir_version):
            print(f"wrote {path}")
        return 0
    written = export_session(session, args.output, code)
    print(f"wrote {written}" + ("; recordings are not exported" if args.deidentified else ""))
    return 0


def _delete(args: argparse.Namespace) -> int:
    from rehab_pose.session.store import delete_session, find_session  # noqa: PLC0415

    session = find_session(_sessions(args), args.session)
    if not args.yes:
        if not sys.stdin.isatty():
            msg = "session delete: expected --yes where no question can be asked"
            raise InputError(msg)
        answer = input(f"delete {session.folder} ({session.size_mb:.1f} MB)? Type its name to confirm: ")
        if answer != session.folder.name:
            print("nothing was deleted")
            return 1
    delete_session(session, "session delete")
    print(f"deleted {session.folder}")
    return 0


def _expire(args: argparse.Namespace) -> int:
    from rehab_pose.session.store import delete_expired  # noqa: PLC0415

    if args.days < 1:
        msg = f"session expire: expected at least 1 day, got {args.days}"
        raise InputError(msg)
    deleted = delete_expired(_sessions(args), args.days, time.time_ns())
    print(f"deleted {len(deleted)} sessions" + (f": {', '.join(deleted)}" if deleted else ""))
    return 0
