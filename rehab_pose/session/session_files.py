"""Journal, recording, reserve and report of one session. Errors in these files are reported, and counting goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehab_pose.errors import RehabPoseError
from rehab_pose.session.audit import audit
from rehab_pose.session.disk_space import Reserve
from rehab_pose.session.report import write_session_report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from rehab_pose.datatypes import Repetition
    from rehab_pose.session.journal import Journal
    from rehab_pose.session.journal_content import JournalContent
    from rehab_pose.session.movement import RepetitionMovement
    from rehab_pose.session.observation import Gap
    from rehab_pose.session.recording_policy import RunningRecording

__all__ = ["SessionFiles"]

BAG = "recording"
"""Name of the bag in a session's folder; later parts are numbered from 2."""


class SessionFiles:
    """The files of one session."""

    def __init__(self, journal: Journal, report_error: Callable[[str], None]) -> None:
        """Take an open journal.

        Args:
            journal: The session's journal.
            report_error: Called with a sentence when a file cannot be written.
        """
        self._journal, self._report_error = journal, report_error
        self._recording: RunningRecording | None = None
        self._reserve = Reserve(journal.folder)

    @property
    def folder(self) -> Path:
        """The session's folder."""
        return self._journal.folder

    @property
    def content(self) -> JournalContent:
        """The session so far."""
        return self._journal.content

    def log(self, kind: str, **fields: object) -> None:
        """Add a line to the journal."""
        try:
            self._journal.add(kind, **fields)
        except RehabPoseError as error:
            self._journal_failed(error)

    def log_repetition(self, repetition: Repetition, movement: RepetitionMovement | None, *, counted: bool) -> None:
        """Add a repetition to the journal."""
        try:
            self._journal.add_repetition(repetition, counted=counted, movement=movement)
        except RehabPoseError as error:
            self._journal_failed(error)

    def log_gaps(self, gaps: Iterable[Gap]) -> None:
        """Add gaps to the journal."""
        for gap in gaps:
            self.log("gap", reason=gap.reason.value, start_ns=gap.start_ns, end_ns=gap.end_ns)

    def audit(self, action: str, detail: str) -> None:
        """Add a line about this session to the audit log."""
        try:
            audit(self.folder.parent, action, self.folder.name, detail)
        except RehabPoseError as error:
            self._report_error(str(error))

    def record(self, start: Callable[[Path], RunningRecording]) -> str:
        """Start the next part of the recording; return its path.

        Args:
            start: Starts recording into a new bag.

        Raises:
            RecordingError: The recording cannot be started.
        """
        path, number = self.folder / BAG, 2
        while path.exists():
            path, number = self.folder / f"{BAG}_{number}", number + 1
        self._recording = start(path)
        self.log("recording", path=path.name, state="started", message="")
        return str(path)

    @property
    def recording(self) -> bool:
        """True while a bag is written."""
        return self._recording is not None

    def recording_problem(self) -> str:
        """Write what was received to the disk; return why recording cannot go on, '' if it can."""
        return self._recording.problem() if self._recording is not None else ""

    def end_recording(self, problem: str = "") -> str:
        """Finish the bag as well as possible; return why it is not complete, '' if it is.

        Args:
            problem: Why it is ended during the session; '' = the session ends.
        """
        recording, self._recording = self._recording, None
        if recording is None:
            return problem
        try:
            count = recording.stop()
        except (RehabPoseError, OSError) as error:
            problem = problem or f"the recording could not be finished: {error}"
            self._report_error(f"session: {problem}")
        else:
            self.log("recording", path=recording.path.name, state="ended", message=f"{count} messages")
        if problem:
            self.log("recording", path=recording.path.name, state="failed", message=problem)
        return problem

    def finish(self, state: str, reason: str, *, report: bool) -> str:
        """End recording and journal, write the report, and close; return the report's path, '' if there is none.

        Args:
            state: done or interrupted.
            reason: Why the session ends.
            report: Whether a report is written.
        """
        self.end_recording()
        self._reserve.release()
        if not self.content.ended:
            self.log("end", state=state, message=reason)
        path = self.write_report() if report else ""
        self._journal.close()
        self.audit("stop" if state == "done" else "interrupt", reason)
        return path

    def suspend(self) -> None:
        """End the recording and close the journal without an end, so that the session can be continued."""
        self.end_recording()
        self._reserve.release()
        self._journal.close()

    def discard(self) -> None:
        """Remove the files of a session that could not be started."""
        self._reserve.release()
        self._journal.remove()

    def write_report(self) -> str:
        """Write the report of the repetitions so far; return its path, '' if it cannot be written."""
        try:
            return str(write_session_report(self.folder, self.content))
        except (RehabPoseError, OSError) as error:
            self._report_error(f"session: the report could not be written: {error}")
            return ""

    def _journal_failed(self, error: RehabPoseError) -> None:
        self._report_error(str(error))
        self._reserve.release()  # the disk is full: the repetitions come first
        try:
            self._journal.flush()
        except RehabPoseError as again:
            self._report_error(str(again))
