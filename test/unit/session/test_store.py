"""Stored sessions and the command `rehab-pose session`: list, show, repair, export, delete, expire, audit log."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from rehab_pose.bags.message_types import type_store
from rehab_pose.bags.reader import BagReader
from rehab_pose.bags.writer import BagWriter
from rehab_pose.cli.main import main
from rehab_pose.datatypes import Repetition, Side
from rehab_pose.messages import topics
from rehab_pose.session.audit import audit_reading
from rehab_pose.session.file_names import AUDIT_LOG, JOURNAL
from rehab_pose.session.journal import Journal, read_journal
from rehab_pose.session.journal_content import JournalHeader
from rehab_pose.session.store import delete_expired, list_sessions
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

START_NS = 1_790_000_000 * NS_PER_S


def repetition(number: int) -> Repetition:
    end_ns = START_NS + 3 * number * NS_PER_S
    return Repetition(end_ns, "cam_7", "squat", number, end_ns - NS_PER_S, end_ns, "a_m", 0.1, 0.5, 0.5, Side.LEFT)


def keep(sessions: Path, name: str = "s1", *, ended: bool = True, recorded: bool = False, day: int = 0) -> Path:
    """Write a session of three repetitions; one that has not ended is left as by a killed program."""
    folder = sessions / f"p7_{name}"
    folder.mkdir(parents=True)
    header = JournalHeader(name, "p7", "squat", started="2026-09-21T10:00:00+02:00", node="/ward_3/session")
    journal = Journal.begin(folder, header, now_ns=lambda: START_NS + day * 86400 * NS_PER_S)
    for number in (1, 2, 3):
        journal.add_repetition(repetition(number), counted=True)
    journal.add("note", message="written by anna")
    if recorded:
        journal.add("recording", path="recording", state="started", message="")
        with BagWriter(folder / "recording") as bag:
            for index in range(300):
                label = type_store().types["std_msgs/msg/String"](data=f"label {index}")
                bag.write(topics.EXERCISE_LABEL, START_NS + index * NS_PER_S // 30, label)
    if ended:
        journal.add("end", state="done", message="stopped")
    journal.close()
    return folder


def actions(sessions: Path) -> list[tuple[str, str]]:
    lines = [json.loads(line) for line in (sessions / AUDIT_LOG).read_text().splitlines()]
    return [(line["action"], line["session"]) for line in lines]


def test_sessions_are_listed_with_their_state(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["session", "list", "--folder", str(tmp_path)]) == 0
    assert "no sessions" in capsys.readouterr().out
    keep(tmp_path)
    keep(tmp_path, "s2", ended=False)
    for name in ("p9_s3", "p8_s4", "else"):
        (tmp_path / name).mkdir()
    running = Journal.begin(tmp_path / "p9_s3", JournalHeader("s3"))
    (tmp_path / "p8_s4" / JOURNAL).write_text("{}\n")
    assert main(["session", "list", "--folder", str(tmp_path)]) == 0
    captured = capsys.readouterr()
    head, *lines, _next = captured.out.splitlines()
    assert head.split() == ["NAME", "STARTED", "EXERCISE", "REPETITIONS", "STATE", "SIZE"]
    assert [line.split()[0] for line in lines] == ["p7_s1", "p7_s2", "p8_s4", "p9_s3"]
    assert lines[0].split()[-5:-2] == ["Squat", "3", "done"]
    assert "interrupted" in lines[1]
    assert "unreadable" in lines[2]
    assert "running" in lines[3]
    assert "is no journal of a session" in captured.err
    running.close()


def test_showing_a_session_is_in_the_audit_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep(tmp_path)
    assert main(["session", "show", "s1", "--folder", str(tmp_path)]) == 0
    assert "Squat: 3 repetitions, 1.0 s each on average, mean quality " in capsys.readouterr().out
    assert actions(tmp_path) == [("read", "p7_s1")]
    assert main(["session", "show", "s9", "--folder", str(tmp_path)]) == 2
    assert "there is none" in capsys.readouterr().err


def test_showing_a_damaged_journal_is_an_error_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = keep(tmp_path)
    (folder / JOURNAL).write_text("{}\n")
    assert main(["session", "show", "p7_s1", "--folder", str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert "is no journal of a session" in captured.err
    assert not captured.out


def test_reading_a_recording_of_a_session_is_in_the_audit_log(tmp_path: Path) -> None:
    folder = keep(tmp_path, recorded=True)
    assert main(["bag", "info", str(folder / "recording")]) == 0
    assert main(["bag", "info", str(folder / "recording" / "recording.mcap")]) == 0
    audit_reading(tmp_path / "other" / "bag", "play")
    assert actions(tmp_path) == [("read", "p7_s1")] * 2


def test_a_repaired_session_has_its_report_and_a_whole_bag(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = keep(tmp_path, ended=False, recorded=True)
    with (folder / JOURNAL).open("ab") as file:
        file.write(b'{"kind": "repet')
    bag = folder / "recording" / "recording.mcap"
    cut = bag.read_bytes()[: bag.stat().st_size // 2]
    bag.write_bytes(cut)
    assert main(["session", "repair", str(folder)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("3 repetitions in ")
    assert lines[1] == "1 lines of the journal could not be read"
    assert "left out: 1 file without its end" in lines[2]
    assert len(json.loads((folder / "s1_repetitions.json").read_text())["repetitions"]) == 3
    assert bag.read_bytes() == cut
    with BagReader(folder / "recording_recovered") as reader:
        assert 100 < sum(1 for _ in reader.messages()) < 200
    assert read_journal(folder).state == "interrupted"
    assert main(["session", "repair", str(folder)]) == 0
    assert "was recovered before" in capsys.readouterr().out
    assert main(["session", "repair", str(tmp_path / "nothing")]) == 2


def test_damage_inside_a_bag_with_a_whole_index_is_repaired(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = keep(tmp_path, recorded=True)
    bag = folder / "recording" / "recording.mcap"
    data = bytearray(bag.read_bytes())
    data[data.index(b"label 150") + 6] ^= 1
    bag.write_bytes(data)
    assert main(["session", "repair", str(folder)]) == 0
    assert "left out: 1 damaged record" in capsys.readouterr().out
    with BagReader(folder / "recording_recovered") as reader:
        assert 250 < sum(1 for _ in reader.messages()) < 300


def test_a_running_session_is_neither_repaired_nor_deleted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = keep(tmp_path, ended=False)
    journal = Journal.resume(folder)
    assert main(["session", "repair", str(folder)]) == 2
    assert main(["session", "delete", "s1", "--yes", "--folder", str(tmp_path)]) == 2
    assert "it is running; stop it first" in capsys.readouterr().err
    journal.close()


def test_a_deidentified_export_tells_neither_who_nor_when(tmp_path: Path) -> None:
    keep(tmp_path / "in", recorded=True)
    out = tmp_path / "out"
    arguments = ["session", "export", "s1", "--folder", str(tmp_path / "in"), "-o"]
    assert main([*arguments, str(out), "--deidentified", "--code", "A1"]) == 0
    assert sorted(file.name for file in out.iterdir()) == ["A1_repetitions.html", "A1_repetitions.json"]
    text = "".join(file.read_text() for file in out.iterdir())
    for secret in ("p7", "s1", "2026", str(START_NS)[:6], "ward_3", "anna", "cam_7"):
        assert secret not in text, secret
    content = json.loads((out / "A1_repetitions.json").read_text())
    assert content["repetitions"][0]["start_ns"] == NS_PER_S
    assert [entry["duration_s"] for entry in content["repetitions"]] == [1.0] * 3
    assert main([*arguments, str(out)]) == 2, "nothing is overwritten"
    assert main([*arguments, str(tmp_path / "all")]) == 0
    assert (tmp_path / "all" / "recording" / "recording.mcap").is_file()
    assert actions(tmp_path / "in") == [("export", "p7_s1")] * 2


def test_only_sessions_are_deleted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keep(tmp_path, "s1", recorded=True)
    other = tmp_path / "p7_s2"
    other.mkdir()
    (other / JOURNAL).write_text("my notes\n")
    (tmp_path / "link").symlink_to(tmp_path / "p7_s1")
    delete = ["session", "delete", "--folder", str(tmp_path)]
    assert main([*delete, "s1"]) == 2, "no question can be asked here"
    assert main([*delete, "p7_s2", "--yes"]) == 2
    assert "is not deleted" in capsys.readouterr().err
    assert main([*delete, "link", "--yes"]) == 2
    assert main([*delete, "s1", "--yes"]) == 0
    assert sorted(entry.name for entry in tmp_path.iterdir() if entry.is_dir()) == ["p7_s2"]
    assert actions(tmp_path) == [("delete", "p7_s1")]


def test_sessions_are_deleted_after_the_days_of_retention(tmp_path: Path) -> None:
    keep(tmp_path, "old")
    keep(tmp_path, "new", day=20)
    now_ns = START_NS + 31 * 86400 * NS_PER_S
    assert delete_expired(tmp_path, 0, now_ns) == []
    assert delete_expired(tmp_path, 30, now_ns) == ["p7_old"]
    assert [session.folder.name for session in list_sessions(tmp_path)] == ["p7_new"]
    assert main(["session", "expire", "--days", "0", "--folder", str(tmp_path)]) == 2
