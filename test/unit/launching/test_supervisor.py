"""The supervisor restarts programs, describes the one that ended, and leaves no process behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rehab_pose.launching import parent_process, supervisor
from rehab_pose.launching.dead_ports import DeadPorts
from rehab_pose.launching.supervisor import Processes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TIMEOUT_S = 20.0
SLEEP = "import time; time.sleep(60)"
IGNORE_SIGINT = (
    "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
)


@pytest.fixture
def processes() -> Iterator[Processes]:
    started = Processes()
    yield started
    started.stop()


def program(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def wait_until(condition: Callable[[], bool]) -> bool:
    end_s = time.monotonic() + TIMEOUT_S
    while not condition() and time.monotonic() < end_s:
        time.sleep(0.02)
    return condition()


def is_running(pid: int) -> bool:
    """Return whether a process runs; one that has ended and was not waited for yet (a zombie) does not."""
    status = Path(f"/proc/{pid}/stat")
    return status.is_file() and status.read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0] != "Z"


def test_nothing_to_report_while_all_programs_run(processes: Processes) -> None:
    processes.start("sleeper", program(SLEEP), os.environ)
    assert processes.wait(0.2) is None


@pytest.mark.parametrize(
    ("code", "ending"), [("import sys; print('last words'); sys.exit(3)", "exit code 3"), ("", "exit code 0")]
)
def test_a_program_that_ends_is_described_with_its_last_lines(processes: Processes, code: str, ending: str) -> None:
    processes.start("short", program(code), os.environ)
    description = processes.wait(TIMEOUT_S)
    assert description is not None
    assert description.startswith(f"short ended with {ending}")
    assert ("last words" in description) == bool(code)


def test_a_killed_program_is_restarted(processes: Processes, capsys: pytest.CaptureFixture[str]) -> None:
    processes.start("sleeper", program(SLEEP), os.environ, respawn=True)
    first = processes.pids["sleeper"]
    os.kill(first, signal.SIGKILL)
    assert processes.wait(1.0) is None
    assert processes.pids["sleeper"] != first
    output = capsys.readouterr().err
    assert "sleeper ended with signal SIGKILL" in output
    assert "restarting sleeper" in output


def test_a_program_that_cannot_use_its_settings_is_not_restarted(processes: Processes) -> None:
    processes.start("node", program("import sys; sys.exit(2)"), os.environ, respawn=True)
    assert "exit code 2" in (processes.wait(TIMEOUT_S) or "")


def test_a_program_that_ends_again_and_again_is_given_up(
    processes: Processes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(supervisor, "MAX_RESPAWNS", 2)
    log = tmp_path / "starts"
    processes.start(
        "node", program(f"open({str(log)!r}, 'a').write('x'); raise SystemExit(1)"), os.environ, respawn=True
    )
    assert "exit code 1" in (processes.wait(TIMEOUT_S) or "")
    assert len(log.read_text()) == 3, "started once and restarted twice"


def test_stopping_ends_all_programs_and_names_those_that_had_to_be_killed(
    processes: Processes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(supervisor, "GRACE_S", 3.0)
    ready, awake = tmp_path / "ready", tmp_path / "awake"
    stubborn = IGNORE_SIGINT.replace("print('ready', flush=True)", f"open({str(ready)!r}, 'w').close()")
    processes.start("polite", program(f"open({str(awake)!r}, 'w').close(); {SLEEP}"), os.environ)
    processes.start("stubborn", program(stubborn), os.environ)
    assert wait_until(lambda: ready.exists() and awake.exists())
    pids = list(processes.pids.values())
    assert processes.stop() == ["stubborn"]
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


def test_programs_end_with_a_launcher_that_is_killed(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    child = (
        "import pathlib, os, time; from rehab_pose.launching.parent_process import end_with_parent; end_with_parent(); "
        f"pathlib.Path({str(pid_file)!r}).write_text(str(os.getpid())); time.sleep(60)"
    )
    launcher = (
        "import os, sys; from rehab_pose.launching.supervisor import Processes; started = Processes(); "
        f"started.start('child', [sys.executable, '-c', {child!r}], os.environ); started.wait()"
    )
    started = subprocess.Popen([sys.executable, "-c", launcher])
    try:
        assert wait_until(lambda: pid_file.is_file() and bool(pid_file.read_text(encoding="ascii")))
        pid = int(pid_file.read_text(encoding="ascii"))
    finally:
        started.kill()
        started.wait()
    assert wait_until(lambda: not is_running(pid))


def test_a_program_knows_whether_its_launcher_was_killed(tmp_path: Path) -> None:
    told = tmp_path / "told"
    child = (
        "import os, pathlib, signal, time; from rehab_pose.launching import parent_process as p; "
        f"told = pathlib.Path({str(told)!r}); "
        "signal.signal(signal.SIGTERM, lambda *_: (told.write_text(str(p.launcher_ended())), os._exit(0))); "
        "p.end_with_parent(); told.write_text(f'starts, {p.launcher_ended()}'); time.sleep(60)"
    )
    launcher = (
        "import os, sys; from rehab_pose.launching.supervisor import Processes; started = Processes(); "
        f"started.start('child', [sys.executable, '-c', {child!r}], os.environ); started.wait()"
    )
    started = subprocess.Popen([sys.executable, "-c", launcher])
    try:
        assert wait_until(lambda: told.is_file() and told.read_text(encoding="ascii") == "starts, False")
    finally:
        started.kill()
        started.wait()
    assert wait_until(lambda: told.read_text(encoding="ascii") == "True")
    assert not parent_process.launcher_ended()  # this process has no launcher


LOCKS_A_PORT = """
import fcntl, os, signal, sys, time
file = open(sys.argv[1], "a")
try:
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
except BlockingIOError:
    print("the port is kept", flush=True)
    time.sleep(60)
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_restarted_program_does_not_get_the_port_of_the_killed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(supervisor, "DeadPorts", lambda: DeadPorts(tmp_path))
    processes = Processes()
    environment = {**os.environ, "ROS_DOMAIN_ID": "0"}
    command = [*program(LOCKS_A_PORT), str(tmp_path / "fastdds_port7411_el")]
    processes.start("node", command, environment, respawn=True)
    errors: list[str] = []

    def is_kept() -> bool:
        processes.wait(0.1)
        errors.append(capsys.readouterr().err)
        return "the port is kept" in "".join(errors)

    try:
        assert wait_until(is_kept), "".join(errors)
    finally:
        processes.stop()
