"""Starting, counting and ending of sessions, shared by the services and the action of the session node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehab_pose.errors import RecordingError, RehabPoseError
from rehab_pose.session.recording_policy import RunningRecording, make_private, session_folder
from rehab_pose.session.report import write_repetition_report
from rehab_pose.session.state import Recording, Session, SessionStage, Tally, check_code
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rehab_pose.datatypes import Repetition
    from rehab_pose.session.settings import SessionSettings

__all__ = ["SessionController"]

MAX_NAMES = 1000
"""Session names tried for one second of the camera's time; a recording played in a loop starts its sessions in the same
second."""


class SessionController:
    """Controls the running session and its files."""

    def __init__(
        self,
        settings: SessionSettings,
        start_recording: Callable[[Path, Recording], RunningRecording],
        changed: Callable[[Session], None],
        report_error: Callable[[str], None],
    ) -> None:
        """Initialise without a session.

        Args:
            settings: Settings of sessions; a change applies when the next session starts or ends.
            start_recording: Starts recording a tier into a folder; raises RecordingError.
            changed: Called after each change of the session.
            report_error: Called with a sentence when the report cannot be written.
        """
        self.settings = settings
        self.session = Session()
        self._start_recording = start_recording
        self._changed = changed
        self._report_error = report_error
        self._recording: RunningRecording | None = None

    def start(self, session_id: str, subject_code: str, tally: Tally, recording: Recording, newest_ns: int) -> Session:
        """Start a session; a running one is ended first, unless the new one is refused.

        Args:
            session_id: '' = derived from the stamp of the newest frame.
            subject_code: '' = none.
            tally: Exercise, side and number of the repetitions to count.
            recording: Tier of topics to record.
            newest_ns: Stamp of the newest frame [ns].

        Raises:
            InputError: A code is invalid.
            RecordingError: The session's files exist already or cannot be written.
        """
        check_code("session_id", session_id)
        check_code("subject_code", subject_code)
        session = Session(session_id, subject_code, SessionStage.RUNNING, tally, recording=recording, message="started")
        if not session_id:
            self._set_free_id(session, newest_ns)
        files = None
        if recording is not Recording.NOTHING:
            if self.folder(session).exists():
                msg = f"session: expected a new session_id, {self.folder(session)} exists already; choose another"
                raise RecordingError(msg)
            self.stop("another session began")
            files = self._start_recording(self.folder(session), recording)
            session.recording_path = str(files.path)
        self.stop("another session began")
        self.session, self._recording = session, files
        self._changed(session)
        return session

    def count(self, repetition: Repetition) -> None:
        """Count a repetition; end the session when its target is reached."""
        counted = self.session.count(repetition)
        if counted and self.session.tally.done:
            self.stop(f"all {len(self.session.tally.counted)} repetitions done")
        elif counted:
            self._changed(self.session)

    def stop(self, reason: str) -> bool:
        """End the running session and finish its files; return whether one was running."""
        if not self.session.running:
            return False
        if self._recording is not None:
            self._recording.stop()
            self._recording = None
        self.write_report()
        self.session.end(reason)
        self._changed(self.session)
        return True

    def write_report(self) -> str:
        """Write the report of the repetitions so far; return its path, '' if it is disabled or cannot be written."""
        if self.settings.report and self.session.session_id:
            session = self.session
            try:
                make_private(self.folder(session))
                path = write_repetition_report(
                    self.folder(session), session.session_id, session.subject_code, session.repetitions
                )
            except (RehabPoseError, OSError) as error:
                self._report_error(f"session: the report could not be written: {error}")
            else:
                session.report_path = str(path)
        return self.session.report_path

    def folder(self, session: Session) -> Path:
        """Return the folder of a session's files."""
        return session_folder(self.settings.folder) / session.file_stem

    def _set_free_id(self, session: Session, newest_ns: int) -> None:
        stem = f"session_{newest_ns // NS_PER_S}"
        names = [stem, *(f"{stem}_{number}" for number in range(2, MAX_NAMES))]
        for name in names:
            session.session_id = name
            if name != self.session.session_id and not self.folder(session).exists():
                return
        msg = f"session: {self.folder(session)} and {MAX_NAMES} numbered names exist already; give a session_id"
        raise RecordingError(msg)
