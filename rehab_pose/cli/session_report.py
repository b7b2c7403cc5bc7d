"""`rehab-pose session report` and `trend`: a session, or all of a person, as a page or a PDF file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.errors import InputError, RecordingError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from rehab_pose.session.store import StoredSession

__all__ = ["ACTIONS", "add_actions", "write_page"]

ENDINGS = (".html", ".pdf")
OWNER_ONLY = 0o600


def add_actions(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the parsers of the two actions."""
    report = actions.add_parser(
        "report",
        help="write the report of a session as a page or as PDF",
        description="Writes the report from the session's journal: no images of the person, a drawn body instead.",
    )
    report.add_argument("session", metavar="NAME", help="name of the session's folder, or its id")
    add_page_options(report, "beside the journal")
    trend = actions.add_parser(
        "trend",
        help="write the trend of a person over sessions as a page or as PDF",
        description="Writes charts and a table of all sessions of a person, and the last against the one before.",
    )
    trend.add_argument("person", metavar="CODE", help="code of the person, as given to `session start`")
    add_page_options(trend, "trend_CODE in the folder of all sessions")
    for action in (report, trend):
        action.add_argument("--folder", default="", help="folder of all sessions (default: that of session.folder)")


def add_page_options(parser: argparse.ArgumentParser, place: str) -> None:
    """Add the options of a page's file."""
    parser.add_argument("--pdf", action="store_true", help="write PDF (needs the extra `reports`)")
    parser.add_argument("-o", "--output", type=Path, help=f"new file, .html or .pdf (default: {place})")


def _report(args: argparse.Namespace) -> int:
    from rehab_pose.session.audit import audit  # noqa: PLC0415  (loaded only when it runs)
    from rehab_pose.session.recording_policy import session_folder  # noqa: PLC0415
    from rehab_pose.session.reports.session_page import session_page  # noqa: PLC0415
    from rehab_pose.session.store import find_session  # noqa: PLC0415

    session = find_session(session_folder(args.folder), args.session)
    if session.content is None:
        raise RecordingError(session.problem)
    audit(session.folder.parent, "read", session.folder.name, "session report")
    path = write_page(session_page(session.content), args.output, _beside(session), pdf=args.pdf)
    print(f"wrote {path}")
    person = session.content.header.subject_code
    if person:
        print(f"next: `rehab-pose session trend {person}` compares it with earlier sessions")
    return 0


def _trend(args: argparse.Namespace) -> int:
    from rehab_pose.session.audit import audit  # noqa: PLC0415
    from rehab_pose.session.recording_policy import session_folder  # noqa: PLC0415
    from rehab_pose.session.reports.trend_page import trend_page  # noqa: PLC0415
    from rehab_pose.session.state import check_code  # noqa: PLC0415
    from rehab_pose.session.store import list_sessions  # noqa: PLC0415

    if not check_code("session trend", args.person):
        msg = "session trend: expected the code of a person, got an empty one"
        raise InputError(msg)
    folder = session_folder(args.folder)
    stored = list_sessions(folder)
    found = [session for session in stored if session.content and session.content.header.subject_code == args.person]
    own = [session.content for session in found if session.content]
    if not own:
        codes = sorted({session.content.header.subject_code for session in stored if session.content} - {""})
        msg = f"session trend: no session of {args.person} in {folder}; there are {', '.join(codes) or 'none'}"
        raise RecordingError(msg)
    own.sort(key=lambda content: content.first_time_ns)
    unreadable = sum(
        session.content is None and session.folder.name.startswith(f"{args.person}_") for session in stored
    )
    for session in found:
        audit(folder, "read", session.folder.name, "session trend")
    page = trend_page(args.person, own, unreadable)
    path = write_page(page, args.output, folder / f"trend_{args.person}.html", pdf=args.pdf)
    print(f"wrote {path}: {len(own)} sessions of {args.person}")
    return 0


def _beside(session: StoredSession) -> Path:
    content = session.content
    return session.folder / f"{content.header.session_id if content else ''}_repetitions.html"


def write_page(page: str, output: Path | None, default: Path, *, pdf: bool) -> Path:
    """Write a page, as HTML or as PDF, that only its owner can read; return its path.

    Args:
        page: The HTML page.
        output: New file; None = the default one, which is replaced.
        default: Path of the page, with the ending .html.
        pdf: Write PDF; also if the output ends in .pdf.

    Raises:
        InputError: The output has another ending.
        RecordingError: The output exists, or cannot be written.
        MissingDependencyError: A PDF was asked for, and WeasyPrint is not installed.
    """
    from rehab_pose.output_file import refuse_existing, replace_private, write_new  # noqa: PLC0415
    from rehab_pose.session.reports.pdf import pdf_of_page  # noqa: PLC0415

    path = output if output is not None else default.with_suffix(".pdf" if pdf else ".html")
    ending = path.suffix.lower()
    if ending not in ENDINGS or (pdf and ending != ".pdf"):
        msg = f"-o: expected a file that ends in {'.pdf' if pdf else ' or '.join(ENDINGS)}, got {path}"
        raise InputError(msg)
    if output is not None:
        refuse_existing([path])
    data = pdf_of_page(page) if ending == ".pdf" else page.encode()
    if output is None:
        replace_private(path, data, sync=False)
    else:
        write_new(path, data)
        path.chmod(OWNER_ONLY)
    return path


ACTIONS: dict[str, Callable[[argparse.Namespace], int]] = {"report": _report, "trend": _trend}
"""The actions by name."""
