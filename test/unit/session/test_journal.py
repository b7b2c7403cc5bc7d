"""The journal: round trip, torn and foreign lines, repeated repetitions, its lock, and a full disk."""

from __future__ import annotations

import dataclasses
import fcntl
import json
import math
import os
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehab_pose.datatypes import Repetition, Side
from rehab_pose.errors import RecordingError
from rehab_pose.session.file_names import JOURNAL
from rehab_pose.session.journal import Journal, read_journal
from rehab_pose.session.journal_content import FORMAT, JournalContent, JournalHeader
from rehab_pose.session.observation import GapReason, Observation
from rehab_pose.session.report import write_session_report
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from pathlib import Path

HEADER = JournalHeader(
    "s1", "p7", "squat", "left", 5, 100, "results", "2026-11-27T14:05:33+01:00", True, "/session", "x 1"
)


def repetition(number: int, label: str = "squat") -> Repetition:
    end_ns = number * 3 * NS_PER_S
    return Repetition(
        end_ns + 1,
        "cam",
        label,
        number,
        end_ns - NS_PER_S,
        end_ns,
        "a_m",
        0.1,
        math.nan,
        0.5,
        Side.LEFT,
        reasons=("r",),
    )


def same(one: Repetition, other: Repetition) -> bool:
    return repr(dataclasses.asdict(one)) == repr(dataclasses.asdict(other))


def test_a_journal_is_read_as_it_was_written(tmp_path: Path) -> None:
    journal = Journal.begin(tmp_path, HEADER)
    journal.add_repetition(repetition(1), counted=True)
    journal.add_repetition(repetition(2, "bridge"), counted=False)
    journal.add("gap", reason="no_person", start_ns=5, end_ns=NS_PER_S + 5)
    journal.add("observed", **dataclasses.asdict(Observation(1, 2, 3, 2, 7, 1.5, 1, 0)))
    journal.add("recording", path="recording", state="failed", message="full")
    journal.add("end", state="done", message="stopped")
    journal.close()
    content = read_journal(tmp_path)
    assert content.header == HEADER
    assert [entry.counted for entry in content.repetitions] == [True, False]
    assert same(content.repetitions[0].repetition, repetition(1))
    assert [(gap.reason, gap.duration_s) for gap in content.gaps] == [(GapReason.NO_PERSON, 1.0)]
    assert content.observations == [Observation(1, 2, 3, 2, 7, 1.5, 1, 0)]
    assert (content.recordings, content.notes) == (["recording"], ["full"])
    assert (content.state, content.message, content.unreadable_lines) == ("done", "stopped", 0)
    assert (tmp_path / JOURNAL).stat().st_mode & 0o077 == 0


def test_every_line_is_on_the_disk_before_the_next_one(tmp_path: Path) -> None:
    journal = Journal.begin(tmp_path, HEADER)
    for number in range(1, 4):
        journal.add_repetition(repetition(number), counted=True)
        assert len(read_journal(tmp_path).repetitions) == number
    journal.close()


@pytest.mark.parametrize("kept", [1, 30, -1])
def test_a_torn_last_line_is_skipped_and_counted(tmp_path: Path, kept: int) -> None:
    journal = Journal.begin(tmp_path, HEADER)
    journal.add_repetition(repetition(1), counted=True)
    size = (tmp_path / JOURNAL).stat().st_size
    journal.add_repetition(repetition(2), counted=True)
    journal.close()
    data = (tmp_path / JOURNAL).read_bytes()
    (tmp_path / JOURNAL).write_bytes(data[: size + kept] if kept > 0 else data[:-2])
    content = read_journal(tmp_path)
    assert (len(content.repetitions), content.unreadable_lines) == (1, 1)
    again = Journal.resume(tmp_path)
    again.add_repetition(repetition(3), counted=True)
    again.close()
    content = read_journal(tmp_path)
    assert [entry.repetition.count for entry in content.repetitions] == [1, 3]
    assert content.unreadable_lines == 1


def test_a_repetition_with_the_same_label_start_and_end_counts_once(tmp_path: Path) -> None:
    journal = Journal.begin(tmp_path, HEADER)
    for _ in range(2):
        journal.add_repetition(repetition(1), counted=True)
    journal.add_repetition(repetition(1, "bridge"), counted=False)
    journal.close()
    content = read_journal(tmp_path)
    assert (len(content.repetitions), content.repeated) == (2, 1)
    assert content.knows(repetition(1))
    assert not content.knows(repetition(2))


@pytest.mark.parametrize(
    "line",
    [
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"kind": "unknown", "time_ns": 1}',
        b'{"kind": "__class__", "time_ns": 1}',
        b'{"kind": "repetition", "time_ns": 1, "label": 5}',
        b'{"kind": "gap", "time_ns": 1, "reason": "else", "start_ns": 1, "end_ns": 2}',
        b'{"kind": "end", "time_ns": 1, "state": "gone", "message": ""}',
        b'{"kind": "note", "time_ns": "now", "message": ""}',
        b"[" * 100_000,
        b'{"kind": "note", "message": "", "time_ns": ' + b"9" * 400 + b"}",
        b'{"kind": "gap", "reason": "no_person", "time_ns": 1, "start_ns": 1, "end_ns": ' + b"9" * 400 + b"}",
        b'{"kind": "observed", "time_ns": 1, "confidence_sum": ' + b"9" * 400 + b"}",
        b'{"kind": "observed", "time_ns": 1, "confidence_sum": NaN}',
        b'{"kind": "recording", "time_ns": 1, "path": "../other", "state": "started", "message": ""}',
    ],
)
def test_other_lines_are_skipped_and_counted(line: bytes) -> None:
    first = json.dumps({"kind": "session", "time_ns": 1, **HEADER.line()}).encode()
    content = JournalContent.parse(b"\n".join([first, line, b""]))
    assert content.unreadable_lines == 1
    assert not content.ended


@pytest.mark.parametrize(
    ("first", "sentence"),
    [
        (b"", "expected a JSON object"),
        (b'{"kind": "session"}', "expected a first line of the format"),
        (json.dumps({"kind": "session", "format": FORMAT, "version": 99}).encode(), "expected a version from 1 to 1"),
        (json.dumps({"kind": "session", **HEADER.line(), "side": "up"}).encode(), "expected a side of any, left"),
        (json.dumps({"kind": "session", **HEADER.line(), "target": "5"}).encode(), "expected target of the type int"),
    ],
)
def test_another_file_is_refused(tmp_path: Path, first: bytes, sentence: str) -> None:
    (tmp_path / JOURNAL).write_bytes(first + b"\n")
    with pytest.raises(RecordingError, match=sentence):
        read_journal(tmp_path)


def test_the_journal_of_a_running_session_is_not_resumed(tmp_path: Path) -> None:
    journal = Journal.begin(tmp_path, HEADER)
    with pytest.raises(RecordingError, match="is running in another process"):
        Journal.resume(tmp_path)
    with pytest.raises(RecordingError, match="choose another session_id"):
        Journal.begin(tmp_path, HEADER)
    journal.close()
    Journal.resume(tmp_path).close()


def test_lines_that_were_written_before_the_lock_was_free_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal.begin(tmp_path, HEADER)
    lock = fcntl.flock

    def ends_first(descriptor: int, operation: int) -> None:
        journal.add_repetition(repetition(1), counted=True)
        journal.add("end", state="done", message="stopped")
        journal.close()
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", ends_first)
    again = Journal.resume(tmp_path)
    again.close()
    assert (len(again.content.repetitions), again.content.state) == (1, "done")


def test_a_journal_that_cannot_be_begun_leaves_its_name_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "s1"
    folder.mkdir()

    def full(_descriptor: int, _data: memoryview) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(RecordingError, match="No space left on device"):
            Journal.begin(folder, HEADER)
    assert not folder.exists()


def test_lines_wait_in_memory_while_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal.begin(tmp_path, HEADER)
    write = os.write

    def full(descriptor: int, data: memoryview) -> int:
        if len(data) > 20:
            return write(descriptor, data[:20])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        for number in (1, 2):
            with pytest.raises(RecordingError, match=f"{number} lines wait in memory"):
                journal.add_repetition(repetition(number), counted=True)
    assert len(journal.content.repetitions) == 2
    journal.add_repetition(repetition(3), counted=True)
    journal.close()
    content = read_journal(tmp_path)
    assert ([entry.repetition.count for entry in content.repetitions], content.unreadable_lines) == ([1, 2, 3], 0)


@given(
    changes=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=8),
    numbers=st.lists(st.integers(-(2**63), 2**63 - 1), min_size=3, max_size=3),
)
def test_a_damaged_journal_gives_a_report_or_one_error(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]], numbers: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("session")
    journal = Journal.begin(folder, HEADER)
    start_ns, turn_ns, end_ns = numbers
    journal.add_repetition(repetition(1), counted=True)
    strange = dataclasses.replace(repetition(2), start_ns=start_ns, turn_ns=turn_ns, end_ns=end_ns)
    journal.add_repetition(strange, counted=True)
    journal.add("gap", reason="no_person", start_ns=start_ns, end_ns=end_ns)
    journal.add("observed", **dataclasses.asdict(Observation(1, 2, 3, 2, 7, 1.5, 1, 0)))
    journal.add("end", state="done", message="stopped")
    journal.close()
    data = bytearray((folder / JOURNAL).read_bytes())
    for place, value in changes:
        data[place % len(data)] = value
    (folder / JOURNAL).write_bytes(data)
    try:
        write_session_report(folder, read_journal(folder))
    except RecordingError as error:
        assert str(error)  # noqa: PT017  (most changes raise nothing)


@pytest.mark.parametrize("change", [{"quality": 4.0}, {"count": 0}, {"start_ns": 2**60}, {"asymmetry": -3.0}])
def test_a_repetition_that_cannot_be_is_counted_as_a_damaged_line(tmp_path: Path, change: dict[str, Any]) -> None:
    journal = Journal.begin(tmp_path, HEADER)
    journal.add_repetition(repetition(1), counted=True)
    journal.add_repetition(dataclasses.replace(repetition(2), **change), counted=True)
    journal.close()
    content = read_journal(tmp_path)
    assert ([entry.repetition.count for entry in content.repetitions], content.unreadable_lines) == ([1], 1)
