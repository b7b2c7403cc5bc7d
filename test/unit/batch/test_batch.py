"""Batches: every recording has a row, a stopped batch goes on, and the tables do not depend on the order of work."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pandas as pd
import pytest

from rehab_pose.batch.batch import RECORDINGS_TABLE, REPETITIONS_TABLE, Batch, locked_output
from rehab_pose.batch.executors import InProcess, LocalProcesses, RayCluster
from rehab_pose.batch.worker import MARK_FILE, BatchSettings, Task, failed_row, part_folder
from rehab_pose.cli.main import main
from rehab_pose.errors import RecordingError
from rehab_pose.pipeline import PipelineSettings
from rehab_pose_sim.cli.main import main as simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

FRAMES = 4


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two recordings and a damaged one."""
    folder = tmp_path_factory.mktemp("archive")
    for name in ("first", "second"):
        assert simulator(["bag", "-o", str(folder / "day" / name), "--frames", str(FRAMES)]) == 0
    (folder / "damaged.mcap").write_bytes(b"no bag")
    return folder


class Fake:
    """Gives rows without processing; ends after some of them."""

    def __init__(self, limit: int = 99, *, backwards: bool = False) -> None:
        self.limit, self.backwards, self.names = limit, backwards, list[str]()

    def rows(self, tasks: Sequence[Task]) -> Iterator[dict[str, Any]]:
        for task in list(reversed(tasks) if self.backwards else tasks)[: self.limit]:
            self.names.append(task.name)
            yield failed_row(task, "not processed")


def tables(folder: Path) -> tuple[bytes, bytes]:
    return (folder / RECORDINGS_TABLE).read_bytes(), (folder / REPETITIONS_TABLE).read_bytes()


def processes_of_session(number: int) -> list[str]:
    """Return the running processes of a session of Linux."""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # ended meanwhile
            state, _, _, session, *_ = file.read_text(encoding="utf-8").rpartition(") ")[2].split()
            if int(session) == number and state != "Z":
                found.append(file.parent.name)
    return found


def wait_until(condition: Callable[[], bool], timeout_s: float) -> None:
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.05)


def test_a_batch_that_is_repeated_processes_only_what_failed_and_gives_the_same_tables(
    archive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["process", str(archive), "-o", str(tmp_path / "out"), "--jobs", "1"]
    assert main(command) == 3
    output = capsys.readouterr().out
    assert "3 recordings: 2 done, 0 partly, 1 failed; 8 frames" in output
    assert "damaged: failed: bag: expected a rosbag" in output
    table = pd.read_parquet(tmp_path / "out" / RECORDINGS_TABLE)
    assert table["name"].tolist() == ["damaged", "day__first", "day__second"]
    assert table["status"].tolist() == ["failed", "done", "done"]
    assert table["frames"].tolist() == [0, FRAMES, FRAMES]
    assert json.loads(table["models"].iloc[1])["exercise"]
    assert table["settings"].tolist() == ["", "", ""]  # the defaults
    assert {path.name for path in (tmp_path / "out" / "day__first").iterdir()} == {
        "results", "summary.json", "batch_row.json"
    }  # fmt: skip
    before = tables(tmp_path / "out")
    assert main(command) == 3
    assert "2 recordings have results already, 1 are left" in capsys.readouterr().out
    assert tables(tmp_path / "out") == before


def test_a_recording_whose_process_is_killed_is_tried_again(archive: Path, tmp_path: Path) -> None:
    batch = Batch({"first": archive / "day" / "first"}, tmp_path)
    killed = []

    def kill_first() -> None:
        while not (children := multiprocessing.active_children()):
            time.sleep(0.05)
        time.sleep(0.5)
        children[0].kill()
        killed.append(children[0].pid)

    thread = threading.Thread(target=kill_first)
    thread.start()
    facts = list(batch.run(LocalProcesses(1)))
    thread.join()
    assert killed
    assert [entry["status"] for entry in facts] == ["done"]


def test_a_recording_that_ends_its_process_is_no_loss_for_the_one_beside_it(archive: Path, tmp_path: Path) -> None:
    recordings = {"good": archive / "day" / "first", "poison": archive / "day" / "second"}
    batch, ended = Batch(recordings, tmp_path), threading.Event()

    def kill_while_poison_is_processed() -> None:
        while not ended.wait(0.02):
            part = part_folder(tmp_path / "poison")
            if (part / MARK_FILE).exists():
                for child in multiprocessing.active_children():
                    child.kill()
                    child.join()
                shutil.rmtree(part)  # else the next recording is taken for this one

    thread = threading.Thread(target=kill_while_poison_is_processed)
    thread.start()
    statuses = {entry["name"]: entry["status"] for entry in batch.run(LocalProcesses(2))}
    ended.set()
    thread.join()
    assert statuses == {"good": "done", "poison": "failed"}
    assert "ended unexpectedly" in batch.rows["poison"]["recording"]["problem"]


@pytest.mark.slow
def test_the_workers_of_a_killed_command_end_with_it(tmp_path: Path) -> None:
    for name in ("first", "second"):
        assert simulator(["bag", "-o", str(tmp_path / "archive" / name), "--frames", "60"]) == 0
    words = ["process", str(tmp_path / "archive"), "-o", str(tmp_path / "out"), "--jobs", "2"]
    command = subprocess.Popen([sys.executable, "-m", "rehab_pose.cli.main", *words], start_new_session=True)
    try:
        wait_until(lambda: len(list((tmp_path / "out").glob(".*.part"))) == 2, 60.0)
    finally:
        command.kill()
        command.wait()
    wait_until(lambda: not processes_of_session(command.pid), 5.0)


@pytest.mark.slow
def test_a_ray_cluster_gives_the_same_rows(archive: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray")
    rows = {}
    for name, executor in (("ray", RayCluster("local", 2)), ("here", InProcess())):
        batch = Batch({"first": archive / "day" / "first", "bad": archive / "damaged.mcap"}, tmp_path / name)
        with mock.patch.dict(os.environ):  # Ray sets variables for the programs that this process starts
            list(batch.run(executor))
        rows[name] = json.dumps(batch.rows, sort_keys=True).replace(str(tmp_path / name), "")
    assert rows["ray"] == rows["here"]


def test_the_order_of_the_work_does_not_change_the_tables(tmp_path: Path) -> None:
    recordings = {name: tmp_path / name for name in "abc"}
    outputs = []
    for folder, backwards in (("one", False), ("two", True)):
        batch = Batch(recordings, tmp_path / folder)
        assert len(list(batch.run(Fake(backwards=backwards)))) == 3
        batch.write_tables()
        outputs.append(tables(tmp_path / folder))
    assert outputs[0] == outputs[1]


def test_an_interrupted_recording_is_done_again_and_its_folder_of_another_program_is_kept(
    archive: Path, tmp_path: Path
) -> None:
    part = part_folder(tmp_path / "first")
    part.mkdir()
    (part / MARK_FILE).touch()
    (part / "results").mkdir()
    foreign = part_folder(tmp_path / "second")
    foreign.mkdir()
    (foreign / "notes.txt").touch()
    batch = Batch({name: archive / "day" / name for name in ("first", "second")}, tmp_path)
    statuses = {entry["name"]: entry["status"] for entry in batch.run(InProcess())}
    assert statuses == {"first": "done", "second": "failed"}
    assert not part.exists()
    assert (foreign / "notes.txt").is_file()


def test_results_of_other_settings_and_folders_of_other_programs_are_refused(archive: Path, tmp_path: Path) -> None:
    recordings = {"first": archive / "day" / "first"}
    list(Batch(recordings, tmp_path).run(InProcess()))
    assert Batch(recordings, tmp_path).resumed == 1
    settings = BatchSettings(PipelineSettings.from_mapping({"exercise": {"library": False}}))
    with pytest.raises(RecordingError, match="with settings by default, this is"):
        Batch(recordings, tmp_path, settings)
    (tmp_path / "mine").mkdir()
    with pytest.raises(RecordingError, match="expected results of this command"):
        Batch({"mine": archive}, tmp_path)


def test_two_batches_do_not_share_an_output(tmp_path: Path) -> None:
    with (
        locked_output(tmp_path / "out"),
        pytest.raises(RecordingError, match="another `rehab-pose process` works on"),
        locked_output(tmp_path / "out"),
    ):
        pass
    with locked_output(tmp_path / "out"):
        pass
