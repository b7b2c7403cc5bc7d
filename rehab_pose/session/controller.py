"""Starting, counting, continuing and ending of sessions, shared by the services and the action of the session node."""

from __future__ import annotations

import time
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

from rehab_pose import __version__
from rehab_pose.datatypes import Side
from rehab_pose.errors import RecordingError, RehabPoseError
from rehab_pose.session.disk_space import free_mb
from rehab_pose.session.encryption_processes import EncryptionProcesses
from rehab_pose.session.journal import Journal
from rehab_pose.session.journal_content import JournalHeader
from rehab_pose.session.movement_history import MovementHistory
from rehab_pose.session.names import free_session_id, session_time_ns
from rehab_pose.session.observation import GapReason, ObservationTracker
from rehab_pose.session.recording_policy import RunningRecording, make_private, session_folder
from rehab_pose.session.session_files import SessionFiles
from rehab_pose.session.state import Recording, Session, SessionStage, Tally, check_code
from rehab_pose.session.store import delete_expired
from rehab_pose.session.unfinished import unfinished_sessions
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from rehab_pose.datatypes import Repetition
    from rehab_pose.session.settings import SessionSettings
    from rehab_pose.session.unfinished import Unfinished

__all__ = ["SessionController"]

MIN_JOURNAL_MB = 5.0
"""Free space without which no session starts, also without a recording [MB]: reserve, journal and report."""
LIVE_S = 5.0
"""Largest difference between the stamps of a repetition that was just finished and of the newest frame [s]. Others were
delivered late: the topic keeps the last ones for a session node that was not running."""
CLOCK_ERROR_S = 60.0
"""Largest correction of the system's clock between two starts of the node [s]."""


class SessionController:
    """Controls the running session and its files.

    Attributes:
        movements: Frames of the running session, from which the movement of a repetition is taken.
    """

    def __init__(
        self,
        settings: SessionSettings,
        start_recording: Callable[[Path, Recording], RunningRecording],
        changed: Callable[[Session], None],
        report_error: Callable[[str], None],
        *,
        node: str = "",
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """Initialise without a session.

        Args:
            settings: Settings of sessions; a change applies when the next session starts or ends.
            start_recording: Starts recording a tier into a new bag; raises RecordingError.
            changed: Called after each change of the session.
            report_error: Called with a sentence when a file of the session cannot be written.
            node: Full name of the node, which continues only its own sessions.
            now_ns: Returns the time of the system's clock [ns].
        """
        self.settings = settings
        self.session = Session()
        self._start_recording, self._changed, self._report_error = start_recording, changed, report_error
        self._node, self._now_ns = node, now_ns
        self._files: SessionFiles | None = None
        self._encryptions = EncryptionProcesses(report_error)
        self._tracker = ObservationTracker()
        self._resumed = False
        self.movements = MovementHistory()

    def start(
        self,
        session_id: str,
        subject_code: str,
        tally: Tally,
        recording: Recording,
        newest_ns: int,
        *,
        goal: bool = False,
    ) -> Session:
        """Start a session; a running one is ended first, unless the new one is refused.

        Args:
            session_id: '' = date and time.
            subject_code: '' = none.
            tally: Exercise, side and number of the repetitions to count.
            recording: Tier of topics to record.
            newest_ns: Stamp of the newest frame [ns].
            goal: The session belongs to a goal of RunExercise.

        Raises:
            InputError: A code is invalid.
            RecordingError: The session exists already, the disk is full, or the files cannot be written.
        """
        check_code("session_id", session_id)
        check_code("subject_code", subject_code)
        session = Session(session_id, subject_code, SessionStage.RUNNING, tally, recording=recording, message="started")
        self._check_space(recording)
        if not session_id:
            time_ns = session_time_ns(newest_ns, self._now_ns())
            session.session_id = free_session_id(time_ns, lambda name: self._folder(name, subject_code))
        folder = self.folder(session)
        if folder.exists():
            msg = f"session: expected a new session_id, {folder} exists already; choose another"
            raise RecordingError(msg)
        self.stop("another session began")
        files = SessionFiles(self._begin(session, folder, goal=goal), self._report_error)
        if recording is not Recording.NOTHING:
            try:
                session.recording_path = files.record(lambda path: self._start_recording(path, recording))
            except RehabPoseError:
                files.discard()
                raise
        self.session, self._files, self._resumed = session, files, False
        self._tracker = ObservationTracker(newest_ns)
        files.audit("start", f"recording {recording.name.lower()}")
        self._changed(session)
        return session

    def receive(self, repetition: Repetition, newest_ns: int) -> bool:
        """Count a repetition of the topic, if it is a new one of this session; return whether it is.

        Args:
            repetition: The repetition.
            newest_ns: Stamp of the newest frame [ns]; 0 = none yet.
        """
        if self._files is not None and self._files.content.knows(repetition):
            return False
        since_ns = self.session.tally.since_ns
        before = repetition.stamp_ns < since_ns <= newest_ns  # if the newest frame is older too, time jumped back
        live = newest_ns > 0 and abs(repetition.stamp_ns - newest_ns) <= LIVE_S * NS_PER_S
        missed = self._resumed and repetition.stamp_ns >= since_ns
        if before or not (live or missed):
            return False
        self.count(repetition)
        return True

    def count(self, repetition: Repetition) -> None:
        """Count a repetition; end the session when its target is reached."""
        if not self.session.running:
            return
        counted = self.session.count(repetition)
        if self._files is not None:
            self._files.log_repetition(repetition, self.movements.movement(repetition), counted=counted)
        if counted and self.session.tally.done:
            self.stop(f"all {len(self.session.tally.counted)} repetitions done")
        elif counted:
            self._changed(self.session)

    def continued_goal(self, tally: Tally) -> list[Repetition] | None:
        """Return the repetitions of a goal that was lost with the node and is sent again; None if it is another one.

        Args:
            tally: Exercise, side and number of the goal.
        """
        own = self.session.tally
        if not self._resumed or self._files is None or not self._files.content.header.goal:
            return None
        same = (own.exercise, own.side, own.target) == (tally.exercise, tally.side, tally.target)
        return list(own.counted) if same else None

    def observe(
        self, stamp_ns: int, arrived_s: float, *, present: bool, confidence: float, unknown_movement: bool
    ) -> None:
        """Take the classification of a frame; see `ObservationTracker.frame`."""
        if self._files is not None:
            # A session that starts before the first frame must not count what was finished before it.
            self.session.tally.since_ns = self.session.tally.since_ns or stamp_ns
            gaps = self._tracker.frame(
                stamp_ns, arrived_s, present=present, confidence=confidence, unknown_movement=unknown_movement
            )
            self._files.log_gaps(gaps)
            if self._tracker.total.frames == 1:
                self._log_observation()

    def check(self, *, stage_running: bool) -> None:
        """Check recording and disk, and journal the observation; called about every second.

        Args:
            stage_running: Whether a node publishes classifications.
        """
        self._encryptions.check()
        if self._files is None:
            return
        if not stage_running:
            self._tracker.stage_down()
        self._log_observation()
        problem = self._files.recording_problem()
        if not problem and self._files.recording and self._free_mb() < self.settings.min_free_mb:
            problem = f"less than {self.settings.min_free_mb:g} MB are free on the disk; delete files"
        if problem:
            self._recording_failed(problem)

    def stop(self, reason: str) -> bool:
        """End the running session and finish its files; return whether one was running."""
        if not self.session.running:
            return False
        self.session.end(reason)
        files, self._files = self._files, None
        self.movements.clear()
        if files is not None:
            files.log_gaps(self._tracker.finish(time.monotonic()))
            files.log("observed", **asdict(self._tracker.total))
            problem = files.end_recording()
            if problem:
                self.session.message = f"{reason}; {problem}"
            self.session.report_path = files.finish("done", reason, report=self.settings.report)
            self._encryptions.start(files.folder, files.content.header.encrypt_to)
        self._changed(self.session)
        self._delete_expired()
        return True

    def suspend(self) -> None:
        """Close the files of a running session without an end: the node continues it when it is started again."""
        self._log_observation()
        files, self._files = self._files, None
        if files is not None:
            files.suspend()

    @property
    def encrypting(self) -> bool:
        """True while files of ended sessions are encrypted."""
        return self._encryptions.busy

    def write_report(self) -> str:
        """Write the report of the repetitions so far; return its path, '' if it is disabled or cannot be written."""
        if self._files is not None and self.settings.report:
            self.session.report_path = self._files.write_report()
        return self.session.report_path

    def _log_observation(self) -> None:
        if self._files is not None:
            self._files.log("observed", **asdict(self._tracker.total))

    def folder(self, session: Session) -> Path:
        """Return the folder of a session's files."""
        return self._sessions / session.file_stem

    def continue_or_end(self) -> None:
        """Continue the session that the node kept before it was restarted, or end it as interrupted.

        The newest session of this node is continued if its journal is young enough and its target is not reached. All
        other sessions without an end are ended, unless another program writes them or may be restarting.
        """
        now_ns, longest_s = self._now_ns(), self.settings.resume_s
        for unfinished in reversed(unfinished_sessions(self._sessions)):
            own, age_s = unfinished.content.header.node == self._node, unfinished.age_s(now_ns)
            young = -CLOCK_ERROR_S <= age_s <= longest_s
            if own and young and not unfinished.complete and not self.session.running:
                self._resume(unfinished, max(age_s, 0.0))
            elif own or not young:
                self._interrupt(unfinished, age_s)
        self._encryptions.start_pending(self._sessions)
        self._delete_expired()

    def _delete_expired(self) -> None:
        try:
            delete_expired(self._sessions, self.settings.retention_days, self._now_ns())
        except RehabPoseError as error:
            self._report_error(str(error))

    def _resume(self, unfinished: Unfinished, away_s: float) -> None:
        files = self._open(unfinished)
        if files is None:
            return
        message = f"continued: the session node was not running for {away_s:.0f} s"
        self.session = session = _restored(files)
        session.stage, session.message = SessionStage.RUNNING, message
        self._files, self._resumed = files, session.tally.since_ns > 0
        self._tracker = ObservationTracker(files.content.last_stamp_ns, GapReason.SESSION_NODE_DOWN)
        files.log("resumed", message=message)
        files.audit("resume", message)
        if session.recording is not Recording.NOTHING:
            try:
                self._check_space(session.recording)
                session.recording_path = files.record(lambda path: self._start_recording(path, session.recording))
            except RehabPoseError as error:
                self._recording_failed(str(error))
        self._changed(session)

    def _interrupt(self, unfinished: Unfinished, away_s: float) -> None:
        files = self._open(unfinished)
        if files is None:
            return
        state, message = "interrupted", f"interrupted: the session node was not running for {away_s:.0f} s"
        if unfinished.complete:
            state, message = "done", f"all {len(unfinished.content.counted)} repetitions done"
        report = files.finish(state, message, report=self.settings.report)
        self._encryptions.start(files.folder, files.content.header.encrypt_to)
        if self.session.session_id:
            return  # a newer one is shown
        self.session = _restored(files)
        self.session.end(message, SessionStage[state.upper()])
        self.session.report_path = report
        self._changed(self.session)

    def _open(self, unfinished: Unfinished) -> SessionFiles | None:
        """Open the files of a session without an end; None if another program writes them."""
        try:
            return SessionFiles(Journal.resume(unfinished.folder, self._now_ns), self._report_error)
        except RecordingError as error:
            self._report_error(str(error))
            return None

    def _recording_failed(self, problem: str) -> None:
        """End the recording and say so; counting goes on."""
        message = f"the recording was ended, counting goes on: {problem}"
        self._report_error(f"session: {message}")
        if self._files is not None:
            self._files.end_recording(message)
        self.session.message = message
        self._changed(self.session)

    def _begin(self, session: Session, folder: Path, *, goal: bool) -> Journal:
        make_private(self._sessions)
        try:
            folder.mkdir(mode=0o700)
        except OSError as error:
            msg = f"session: expected to create {folder}: {error}; choose another session_id or session.folder"
            raise RecordingError(msg) from error
        tally, now_ns = session.tally, self._now_ns()
        header = JournalHeader(
            session_id=session.session_id,
            subject_code=session.subject_code,
            exercise=tally.exercise,
            side=tally.side.name.lower(),
            target=tally.target,
            since_ns=tally.since_ns,
            recording=session.recording.name.lower(),
            goal=goal,
            started=datetime.fromtimestamp(now_ns / NS_PER_S).astimezone().isoformat(timespec="seconds"),
            node=self._node,
            software=f"rehab_pose {__version__}",
            encrypt_to=self.settings.encrypt_to,
        )
        return Journal.begin(folder, header, self._now_ns)

    def _check_space(self, recording: Recording) -> None:
        free, needed = self._free_mb(), self.settings.min_free_mb
        if recording is Recording.NOTHING:
            needed = min(needed, MIN_JOURNAL_MB)
        if free < needed:
            msg = (
                f"session: expected {needed:g} MB of free space below {self._sessions}, there are {free:.0f} MB; "
                "delete files, record less, or change session.folder or session.min_free_mb"
            )
            raise RecordingError(msg)

    def _free_mb(self) -> float:
        try:
            return free_mb(self._sessions)
        except OSError as error:
            self._report_error(f"session: the free space of {self._sessions} is unknown: {error}")
            return float("inf")

    @property
    def _sessions(self) -> Path:
        return session_folder(self.settings.folder)

    def _folder(self, session_id: str, subject_code: str) -> Path:
        return self._sessions / Session(session_id, subject_code).file_stem


def _restored(files: SessionFiles) -> Session:
    """Return the session of a journal."""
    header, content = files.content.header, files.content
    since_ns = header.since_ns or min((part.first_ns for part in content.observations if part.first_ns), default=0)
    tally = Tally(header.exercise, Side[header.side.upper()], header.target, since_ns, content.counted)
    repetitions = [entry.repetition for entry in content.repetitions]
    tally.others = sum(header.exercise not in {"", repetition.label} for repetition in repetitions)
    recording = Recording[header.recording.upper()]
    paths = [str(files.folder / name) for name in content.recordings]
    return Session(
        header.session_id,
        header.subject_code,
        SessionStage.RUNNING,
        tally,
        repetitions,
        recording,
        paths[-1] if paths else "",
    )
