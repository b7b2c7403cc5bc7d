"""Sessions that survive: a killed node, a full disk, a failing recorder, repeated messages, ids in use."""

from __future__ import annotations

import errno
import json
import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from rehab_pose.datatypes import Repetition, Side
from rehab_pose.errors import RecordingError
from rehab_pose.session import controller as controller_module
from rehab_pose.session.controller import SessionController
from rehab_pose.session.file_names import JOURNAL
from rehab_pose.session.journal import read_journal
from rehab_pose.session.settings import SessionSettings
from rehab_pose.session.state import Recording, Session, SessionStage, Tally
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NODE = "/session"
NOW_NS = 1_800_000_000 * NS_PER_S


class Bag:
    """A recording that fails when told to."""

    def __init__(self, path: Path) -> None:
        path.mkdir()
        self.path, self.failure, self.stopped = path, "", False
        self.broken_end = False

    def problem(self) -> str:
        return self.failure

    def stop(self) -> int:
        self.stopped = True
        if self.broken_end:
            msg = "bag: cannot be finished"
            raise RecordingError(msg)
        return 7


class Program:
    """A session node without ROS; `kill` ends it as kill -9 does: nothing is finished, and locks are released."""

    def __init__(self, folder: Path, now_ns: int = NOW_NS, **settings: object) -> None:
        self.states: list[tuple[SessionStage, str]] = []
        self.errors: list[str] = []
        self.bags: list[Bag] = []
        self.now_ns = now_ns
        self.controller = SessionController(
            SessionSettings(folder=str(folder), min_free_mb=1.0, **settings),  # type: ignore[arg-type]
            self.start_recording,
            lambda session: self.states.append((session.stage, session.message)),
            self.errors.append,
            node=NODE,
            now_ns=lambda: self.now_ns,
        )
        self.controller.continue_or_end()

    def start_recording(self, path: Path, _recording: Recording) -> Bag:
        self.bags.append(Bag(path))
        return self.bags[-1]

    @property
    def session(self) -> Session:
        return self.controller.session

    def begin(self, target: int = 0, recording: Recording = Recording.NOTHING, session_id: str = "s1") -> None:
        self.controller.start(session_id, "p7", Tally("squat", target=target, since_ns=NS_PER_S), recording, NS_PER_S)

    def do(self, number: int, *, newest: int | None = None) -> bool:
        return self.controller.receive(repetition(number), repetition(newest or number).stamp_ns)

    def kill(self) -> None:
        files = self.controller._files
        assert files is not None
        files._journal.close()


def repetition(number: int) -> Repetition:
    end_ns = (1 + 3 * number) * NS_PER_S
    return Repetition(end_ns, "cam", "squat", number, end_ns - NS_PER_S, end_ns, "a_m", 0.1, 0.5, 0.5, Side.LEFT)


def reported(folder: Path, name: str = "p7_s1") -> list[int]:
    content = json.loads(next((folder / name).glob("*_repetitions.json")).read_text())
    return [entry["count"] for entry in content["repetitions"]]


def facts(folder: Path, name: str = "p7_s1") -> dict[str, object]:
    content: dict[str, object] = json.loads(next((folder / name).glob("*_repetitions.json")).read_text())["session"]
    return content


def test_a_killed_session_is_continued_and_missed_repetitions_are_delivered_later(tmp_path: Path) -> None:
    first = Program(tmp_path)
    first.begin(recording=Recording.RESULTS)
    first.do(1)
    first.controller.check(stage_running=True)
    first.kill()
    second = Program(tmp_path, NOW_NS + 5 * NS_PER_S)
    assert second.states[-1] == (SessionStage.RUNNING, "continued: the session node was not running for 5 s")
    assert second.bags[0].path == tmp_path / "p7_s1" / "recording_2"
    # The topic keeps the last repetitions: those of before the session, one that is known, and one that was missed.
    assert not second.controller.receive(replace(repetition(1), stamp_ns=1, start_ns=0, end_ns=1), 0)
    assert not second.do(1, newest=3)
    assert second.do(2, newest=3)
    assert second.do(3)
    assert not second.do(3)
    second.controller.stop("stopped")
    assert reported(tmp_path) == [1, 2, 3]
    content = read_journal(tmp_path / "p7_s1")
    assert (content.resumptions, content.recordings, content.state) == (1, ["recording", "recording_2"], "done")


def test_a_session_of_a_node_that_ends_with_its_launcher_is_continued(tmp_path: Path) -> None:
    first = Program(tmp_path)
    first.begin(recording=Recording.RESULTS)
    first.do(1)
    first.controller.suspend()
    assert first.bags[0].stopped
    assert not read_journal(tmp_path / "p7_s1").ended
    first.controller.suspend()  # without a session nothing happens
    second = Program(tmp_path, NOW_NS + 5 * NS_PER_S)
    assert second.states[-1] == (SessionStage.RUNNING, "continued: the session node was not running for 5 s")
    assert second.do(2)
    second.controller.stop("stopped")
    assert reported(tmp_path) == [1, 2]


def test_a_session_that_starts_before_the_first_frame_counts_nothing_from_before_it(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.controller.start("s1", "p7", Tally("squat"), Recording.NOTHING, 0)
    assert not program.controller.receive(repetition(1), 0)
    newest_ns = repetition(1).stamp_ns + NS_PER_S
    program.controller.observe(newest_ns, 1.0, present=True, confidence=1.0, unknown_movement=False)
    assert not program.controller.receive(repetition(1), newest_ns)
    assert program.do(2)
    program.controller.check(stage_running=True)
    program.kill()
    second = Program(tmp_path, NOW_NS + NS_PER_S)
    assert not second.do(1, newest=4)
    assert second.do(3, newest=4)
    second.controller.stop("stopped")
    assert reported(tmp_path) == [2, 3]


def test_the_gap_without_the_session_node_is_in_the_report(tmp_path: Path) -> None:
    first = Program(tmp_path)
    first.begin()
    first.controller.observe(2 * NS_PER_S, 1.0, present=True, confidence=1.0, unknown_movement=False)
    first.controller.check(stage_running=True)
    first.kill()
    second = Program(tmp_path, NOW_NS + 5 * NS_PER_S)
    second.do(2, newest=3)
    second.controller.observe(9 * NS_PER_S, 1.0, present=True, confidence=1.0, unknown_movement=False)
    second.controller.stop("stopped")
    [gap] = [gap for gap in facts(tmp_path)["gaps"] if gap["reason"] == "session_node_down"]  # type: ignore[attr-defined]
    assert (gap["duration_s"], gap["repetitions_delivered_later"]) == (7.0, 1)
    page = next((tmp_path / "p7_s1").glob("*.html")).read_text()
    assert "Gap of 7.0 s: the program that keeps the session was not running." in page
    assert "delivered later: 1." in page


def test_a_session_that_waited_too_long_is_ended_as_interrupted_with_its_report(tmp_path: Path) -> None:
    first = Program(tmp_path)
    first.begin()
    first.do(1)
    first.kill()
    second = Program(tmp_path, NOW_NS + 300 * NS_PER_S)
    assert second.states == [(SessionStage.INTERRUPTED, "interrupted: the session node was not running for 300 s")]
    assert second.session.session_id == "s1"
    assert reported(tmp_path) == [1]
    assert facts(tmp_path)["state"] == "interrupted"
    assert Program(tmp_path, NOW_NS + 600 * NS_PER_S).states == [], "it is ended once"


def test_a_session_with_all_repetitions_is_ended_as_done(tmp_path: Path) -> None:
    first = Program(tmp_path)
    first.begin(target=2)
    first.do(1)
    first.kill()
    with (tmp_path / "p7_s1" / JOURNAL).open("ab") as file:  # killed between the repetition and the end
        line = json.loads((tmp_path / "p7_s1" / JOURNAL).read_text().splitlines()[1])
        file.write(json.dumps({**line, "start_ns": 1, "end_ns": 2}).encode() + b"\n")
    second = Program(tmp_path, NOW_NS + NS_PER_S)
    assert second.states == [(SessionStage.DONE, "all 2 repetitions done")]


@pytest.mark.parametrize("line", [b"[" * 100_000, b"\xff\xfe", b"[]"], ids=["nested", "no text", "no object"])
def test_a_session_with_a_damaged_last_line_is_continued(tmp_path: Path, line: bytes) -> None:
    first = Program(tmp_path)
    first.begin()
    first.do(1)
    first.kill()
    with (tmp_path / "p7_s1" / JOURNAL).open("ab") as file:
        file.write(line + b"\n")
    second = Program(tmp_path, NOW_NS + NS_PER_S)
    assert second.session.running
    second.controller.stop("stopped")
    assert reported(tmp_path) == [1]
    assert facts(tmp_path)["journal_lines_unreadable"] == 1


def test_sessions_of_other_nodes_and_of_running_programs_are_left_alone(tmp_path: Path) -> None:
    running = Program(tmp_path)
    running.begin()
    assert Program(tmp_path, NOW_NS + 300 * NS_PER_S).states == []
    running.kill()
    other = SessionController(
        SessionSettings(folder=str(tmp_path)),
        running.start_recording,
        lambda _: pytest.fail("changed"),
        pytest.fail,
        node="/robot_2/session",
        now_ns=lambda: NOW_NS + NS_PER_S,
    )
    other.continue_or_end()
    assert not read_journal(tmp_path / "p7_s1").ended


def test_the_target_counts_repetitions_from_before_the_kill(tmp_path: Path) -> None:
    first = Program(tmp_path)
    first.begin(target=3)
    first.do(1)
    first.do(2)
    first.kill()
    second = Program(tmp_path, NOW_NS + NS_PER_S)
    assert second.session.running
    second.do(3)
    assert second.states[-1] == (SessionStage.DONE, "all 3 repetitions done")


@pytest.mark.parametrize("recording", [Recording.NOTHING, Recording.RESULTS], ids=str)
def test_an_id_in_use_is_refused_also_without_a_recording(tmp_path: Path, recording: Recording) -> None:
    program = Program(tmp_path)
    program.begin()
    program.do(1)
    program.controller.stop("stopped")
    with pytest.raises(RecordingError, match="exists already; choose another"):
        program.begin(recording=recording)
    assert reported(tmp_path) == [1]


@pytest.mark.parametrize(
    ("newest_ns", "year"), [(5 * NS_PER_S, "2027"), (1_700_000_000 * NS_PER_S, "2023")], ids=["uptime", "date"]
)
def test_free_ids_are_date_and_time(tmp_path: Path, newest_ns: int, year: str) -> None:
    program = Program(tmp_path)
    for _ in range(2):
        program.controller.start("", "p7", Tally(), Recording.NOTHING, newest_ns)
    program.controller.stop("stopped")
    names = sorted(entry.name for entry in tmp_path.iterdir() if entry.is_dir())
    assert re.fullmatch(rf"p7_{year}-\d\d-\d\d_\d\d-\d\d-\d\d", names[0])
    assert names[1] == f"{names[0]}_2"


def test_a_recorder_that_fails_is_ended_and_counting_goes_on(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.begin(recording=Recording.RESULTS)
    program.do(1)
    program.bags[0].failure, program.bags[0].broken_end = "bag: No space left on device", True
    program.controller.check(stage_running=True)
    assert program.bags[0].stopped
    sentence = "the recording was ended, counting goes on: bag: No space left on device"
    assert program.states[-1] == (SessionStage.RUNNING, sentence)
    assert f"session: {sentence}" in program.errors
    program.do(2)
    program.controller.check(stage_running=True)
    program.controller.stop("stopped")
    assert reported(tmp_path) == [1, 2]
    assert sentence in facts(tmp_path)["notes"]  # type: ignore[operator]


def test_a_recording_that_cannot_be_finished_is_said_at_the_end(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.begin(recording=Recording.RESULTS)
    program.bags[0].broken_end = True
    program.controller.stop("stopped")
    assert program.states[-1] == (
        SessionStage.DONE,
        "stopped; the recording could not be finished: bag: cannot be finished",
    )
    assert read_journal(tmp_path / "p7_s1").state == "done"


def test_a_recording_is_ended_and_none_is_started_below_the_free_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = Program(tmp_path)
    program.begin(recording=Recording.RESULTS)
    monkeypatch.setattr(controller_module, "free_mb", lambda _: 0.5)
    program.controller.check(stage_running=True)
    assert program.states[-1][1].endswith("less than 1 MB are free on the disk; delete files")
    assert program.bags[0].stopped
    program.do(1)
    with pytest.raises(RecordingError, match=r"expected 1 MB of free space below .*, there are 0 MB"):
        program.begin(recording=Recording.RESULTS, session_id="s2")
    assert program.session.running, "the running one continues"
    program.controller.stop("stopped")
    assert reported(tmp_path) == [1]


def test_a_recording_that_cannot_start_leaves_no_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = Program(tmp_path)

    def refuse(path: Path, _recording: Recording) -> Bag:
        msg = f"bag: {path} cannot be written"
        raise RecordingError(msg)

    monkeypatch.setattr(program.controller, "_start_recording", refuse)
    with pytest.raises(RecordingError, match="cannot be written"):
        program.begin(recording=Recording.RESULTS)
    assert not program.session.running
    assert not (tmp_path / "p7_s1").exists()


def test_a_full_disk_costs_no_repetition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = Program(tmp_path)
    program.begin()
    full = _full_disk()
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        for number in (1, 2, 3):
            program.do(number)
    assert len(program.session.tally.counted) == 3
    assert any("No space left on device" in error for error in program.errors)
    program.controller.stop("stopped")
    assert reported(tmp_path) == [1, 2, 3]
    assert len(read_journal(tmp_path / "p7_s1").repetitions) == 3


def _full_disk() -> Callable[[int, memoryview], int]:
    def write(_descriptor: int, _data: memoryview) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    return write


def test_starts_and_stops_are_in_the_audit_log(tmp_path: Path) -> None:
    program = Program(tmp_path)
    program.begin()
    program.kill()
    Program(tmp_path, NOW_NS + NS_PER_S).controller.stop("stopped")
    lines = [json.loads(line) for line in (tmp_path / "audit.log").read_text().splitlines()]
    assert [line["action"] for line in lines] == ["start", "resume", "stop"]
    assert {line["session"] for line in lines} == {"p7_s1"}
    assert (tmp_path / "audit.log").stat().st_mode & 0o077 == 0


def test_all_files_are_for_their_owner_only(tmp_path: Path) -> None:
    sessions = tmp_path / "sessions"
    program = Program(sessions)
    program.begin()
    program.do(1)
    program.controller.stop("stopped")
    readable = [path for path in [sessions, *sessions.rglob("*")] if path.stat().st_mode & 0o077]
    assert readable == []
