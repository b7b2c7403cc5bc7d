"""A stop signal while a program loads its modules ends it at once, without a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from rehab_pose.launching.exit_codes import EXIT_INTERRUPTED
from rehab_pose.launching.start_signals import STOP_SIGNALS, blocked_stop_signals, end_on_stop_signals

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """
import time
time.sleep(0.3)  # the interpreter loads; the signal has arrived meanwhile
from rehab_pose.launching.start_signals import end_on_stop_signals
end_on_stop_signals()
time.sleep(60)
"""

NODES = """
from pathlib import Path
from rehab_pose.launching.parent_process import end_on_stop_signals_if_node
end_on_stop_signals_if_node(__name__, Path(__file__).parent)
"""


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_signal_before_the_handlers_ends_the_program_once_it_lets_signals_in(number: int) -> None:
    with blocked_stop_signals():
        program = subprocess.Popen([sys.executable, "-c", PROGRAM], stderr=subprocess.PIPE, text=True)
    start_s = time.monotonic()
    os.kill(program.pid, number)
    _, errors = program.communicate(timeout=20)
    assert program.returncode == 0
    assert errors == ""
    assert time.monotonic() - start_s < 10


def test_a_program_under_nohup_goes_on_after_the_terminal_is_closed() -> None:
    program = (
        "import os, signal\n"
        "from rehab_pose.launching.start_signals import end_on_stop_signals\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup starts it\n"
        "end_on_stop_signals(7)\n"
        "os.kill(os.getpid(), signal.SIGHUP)\n"
        "print('goes on', flush=True)\n"
        "os.kill(os.getpid(), signal.SIGTERM)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (7, "goes on\n", "")


def test_the_signals_of_this_thread_are_as_before_the_block() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    with blocked_stop_signals():
        assert set(STOP_SIGNALS) <= signal.pthread_sigmask(signal.SIG_BLOCK, [])
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before


def test_the_handler_ends_the_process_without_raising() -> None:
    program = "from rehab_pose.launching.start_signals import end_on_stop_signals; import os, signal\n"
    program += f"{end_on_stop_signals.__name__}(7); os.kill(os.getpid(), signal.SIGINT)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (7, "")


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_node_that_is_started_by_itself_ends_on_a_signal_while_it_loads(number: int, tmp_path: Path) -> None:
    package = tmp_path / "others" / "nodes"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(NODES, encoding="utf-8")
    (package / "slow.py").write_text("import time\nprint('loads', flush=True)\ntime.sleep(60)\n", encoding="utf-8")
    (tmp_path / "slow").write_text("from others.nodes import slow\n", encoding="utf-8")  # a script that pip installs
    for command in (["-m", "others.nodes.slow"], ["slow"]):
        program = subprocess.Popen(
            [sys.executable, *command],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert program.stdout is not None
        assert program.stdout.readline() == "loads\n"
        os.kill(program.pid, number)
        _, errors = program.communicate(timeout=20)
        assert (program.returncode, errors) == (0, "")


def test_signals_stay_as_they_are_in_a_program_that_imports_a_node() -> None:
    program = "import signal, rehab_pose.nodes; print(signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "True\n", done.stderr


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_command_ends_on_a_signal_while_its_first_modules_load(number: int, tmp_path: Path) -> None:
    script = tmp_path / "rehab-pose"  # as pip installs it
    script.write_text("import rehab_pose.cli, time\nprint('loads', flush=True)\ntime.sleep(60)\n", encoding="utf-8")
    program = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert program.stdout is not None
    assert program.stdout.readline() == "loads\n"
    os.kill(program.pid, number)
    _, errors = program.communicate(timeout=20)
    assert (program.returncode, errors) == (EXIT_INTERRUPTED, "")


def test_a_running_command_and_other_programs_have_the_handlers_of_before() -> None:
    program = (
        "import signal, sys; before = signal.getsignal(signal.SIGINT); sys.argv[0] = '/bin/rehab-pose'; "
        "sys.orig_argv[:] = ['python', '/bin/rehab-pose']; import rehab_pose.cli; "
        "from rehab_pose.launching.start_signals import restore_command_handlers; "
        "loading = signal.getsignal(signal.SIGINT); restore_command_handlers(); "
        "print(loading is before, signal.getsignal(signal.SIGINT) is before)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout == "False True\n", done.stderr
    other = program.replace("rehab-pose", "pytest")
    done = subprocess.run([sys.executable, "-c", other], capture_output=True, text=True, check=False)
    assert done.stdout == "True True\n", done.stderr
