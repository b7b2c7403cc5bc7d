"""Repair of a session after a crash: its report from the journal, and its bags from what is whole of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehab_pose.bags.reader import BagReader
from rehab_pose.bags.recovery import recover_bag
from rehab_pose.errors import RecordingError
from rehab_pose.session.audit import audit
from rehab_pose.session.disk_space import Reserve
from rehab_pose.session.encryption import encrypt_session
from rehab_pose.session.file_names import RECOVERED
from rehab_pose.session.journal import Journal
from rehab_pose.session.report import write_session_report

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["repair_session"]


def repair_session(folder: Path) -> list[str]:
    """Make the report of a session from its journal, and recover its bags; return what was done, a sentence each.

    A damaged bag stays as it is; the recovered one is beside it. Files of a session with `session.encrypt_to` are
    encrypted then.

    Raises:
        MissingDependencyError: The library that encrypts is not installed.
        RecordingError: There is no journal, the session is running, or the files cannot be written.
    """
    journal = Journal.resume(folder)
    try:
        if not journal.content.ended:
            Reserve.remove_from(folder)
            journal.add("end", state="interrupted", message="interrupted: the session was repaired after a crash")
        report = write_session_report(folder, journal.content)
        audit(folder.parent, "repair", folder.name)
    finally:
        journal.close()
    done = [f"{len(journal.content.repetitions)} repetitions in {report}"]
    if journal.content.unreadable_lines:
        done.append(f"{journal.content.unreadable_lines} lines of the journal could not be read")
    done += [_recovered(folder / name) for name in journal.content.recordings if (folder / name).is_dir()]
    recipient = journal.content.header.encrypt_to
    if recipient:
        count, _ = encrypt_session(folder, recipient)
        done.append(f"{count} files were encrypted for {recipient}, as the session asked for")
    return done


def _recovered(bag: Path) -> str:
    try:
        with BagReader(bag) as reader:
            for _ in reader.serialized():  # damage inside a file with a whole index is found only by reading
                pass
            if not reader.losses:
                return f"{bag} is whole"
        target = bag.with_name(bag.name + RECOVERED)
        if target.exists():
            return f"{bag} was recovered before: {target}"
        count, losses = recover_bag(bag, target)
    except RecordingError as error:
        return f"{bag} cannot be recovered: {error}"
    return f"{count} messages of {bag} recovered to {target}; {losses.sentence}"
