"""Start programs, monitor and restart them, stop them cleanly, and report which one ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from rehab_pose.launching.dead_ports import DeadPorts
from rehab_pose.launching.exit_codes import EXIT_BAD_SETTINGS
from rehab_pose.launching.forked_process import NOT_STARTED, ForkedProcess, ForkServer
from rehab_pose.launching.parent_process import PARENT_PID
from rehab_pose.launching.start_signals import OWN_GROUP, blocked_stop_signals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Processes"]

LAST_LINES = 12
"""Last lines of a program's output that are repeated after its end."""
GRACE_S = 2.5
"""Time that a program gets to end after SIGINT [s]. Nodes finish their files in a fraction of it; a process that still
runs then usually waits for DDS, which can take seconds to release the shared memory of a program that just ended."""
POLL_S = 0.05
"""Period of checking the programs [s]."""
MAX_RESPAWNS, RESPAWN_WINDOW_S = 5, 30.0
"""A program is restarted at most this many times within this time [s]."""


@dataclass
class _Child:
    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    respawn: bool
    blocked_signals: bool
    process: subprocess.Popen[str] | ForkedProcess
    ended_s: list[float] = field(default_factory=list)
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_LINES))
    reader: threading.Thread | None = None


class Processes:
    """A set of programs that run together, each in its own process group."""

    def __init__(self, nodes: Sequence[str] = ()) -> None:
        """Prepare a set without programs.

        Args:
            nodes: Modules of nodes, whose processes are forked from one that has loaded what they need (on Linux). That
                makes restarts quick, and the memory of loaded libraries is shared.
        """
        self._children: list[_Child] = []
        self._server = ForkServer(nodes)
        self._dead_ports = DeadPorts()

    def start(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        respawn: bool = False,
        blocked_signals: bool = False,
    ) -> None:
        """Start a program; its output is passed on, line by line, and its last lines are kept.

        Args:
            name: Shown in messages.
            command: Its command line.
            environment: All of its environment variables.
            respawn: Restart the program when it ends, unless it could not use its settings or ended too often.
            blocked_signals: Start it with stop signals blocked. Only for programs that let them in by themselves, as
                all nodes do: no signal then meets an interpreter that is still loading.
        """
        process = self._process(command, environment, blocked_signals=blocked_signals)
        child = _Child(name, command, environment, respawn, blocked_signals, process)
        self._listen(child)
        self._children.append(child)

    def _process(
        self, command: Sequence[str], environment: Mapping[str, str], *, blocked_signals: bool
    ) -> subprocess.Popen[str] | ForkedProcess:
        forked = self._server.start(command, environment)
        return forked or _spawn(command, environment, blocked_signals=blocked_signals)

    def _listen(self, child: _Child) -> None:
        child.reader = threading.Thread(
            target=self._forward_output, args=(child,), name=f"{child.name}_output", daemon=True
        )
        child.reader.start()

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by name, of the programs that were started already."""
        return {child.name: child.process.pid for child in self._children if child.process.pid}

    def wait(self, duration_s: float | None = None, stop: threading.Event | None = None) -> str | None:
        """Wait until a program ends, the time is over or `stop` is set; return a description of the end, or None."""
        stop = stop or threading.Event()
        end_s = None if duration_s is None else time.monotonic() + duration_s
        while not stop.is_set() and (end_s is None or time.monotonic() < end_s):
            self._server.keep_running()
            for child in self._children:
                code = child.process.poll()
                if code == NOT_STARTED:
                    child.process = _spawn(child.command, child.environment, blocked_signals=child.blocked_signals)
                    self._listen(child)
                elif code is not None and not self._try_restart(child, code):
                    return self._describe_end(child, code)
            time.sleep(POLL_S)
        return None

    def _try_restart(self, child: _Child, code: int) -> bool:
        """Restart a program that ended, if that is allowed; return whether it was restarted."""
        now_s = time.monotonic()
        child.ended_s = [ended_s for ended_s in child.ended_s if now_s - ended_s < RESPAWN_WINDOW_S] + [now_s]
        if not child.respawn or code in {0, EXIT_BAD_SETTINGS} or len(child.ended_s) > MAX_RESPAWNS:
            return False
        sys.stderr.write(f"{self._describe_end(child, code)}\nrestarting {child.name}\n")
        self._dead_ports.keep(child.environment)
        child.process = self._process(child.command, child.environment, blocked_signals=child.blocked_signals)
        self._listen(child)
        return True

    def stop(self) -> list[str]:
        """Stop all programs by SIGINT, then SIGKILL; return the names of those that were killed."""
        self._server.stop()  # no node is started from now on
        killed = []
        for number in (signal.SIGINT, signal.SIGKILL):
            alive = [child for child in self._children if child.process.poll() is None]
            if not alive:
                break
            for child in alive:
                self._send(child, number)
            if number is signal.SIGKILL:
                killed = [child.name for child in alive]
            end_s = time.monotonic() + GRACE_S
            while time.monotonic() < end_s and any(child.process.poll() is None for child in alive):
                time.sleep(POLL_S)
        for child in self._children:
            if child.reader is not None:
                child.reader.join(GRACE_S)
        self._dead_ports.close()
        return killed

    @staticmethod
    def _send(child: _Child, number: signal.Signals) -> None:
        try:
            os.killpg(child.process.pid, number)
        except ProcessLookupError:  # the program has ended already
            return

    @staticmethod
    def _forward_output(child: _Child) -> None:
        output: IO[str] | None = child.process.stdout
        if output is None:
            return
        with output:
            for line in output:
                child.last_lines.append(line.rstrip("\n"))
                sys.stderr.write(line)
                sys.stderr.flush()

    @staticmethod
    def _describe_end(child: _Child, code: int) -> str:
        if child.reader is not None:
            child.reader.join(GRACE_S)
        cause = f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
        last = "\n".join(f"    {line}" for line in child.last_lines)
        return f"{child.name} ended with {cause}; its last lines:\n{last}"


def _spawn(command: Sequence[str], environment: Mapping[str, str], *, blocked_signals: bool) -> subprocess.Popen[str]:
    """Start a program in its own process group, so that Ctrl-C reaches only this process, which then stops it."""
    with blocked_stop_signals() if blocked_signals else nullcontext():
        return subprocess.Popen(  # noqa: S603  (known programs, no shell)
            command,
            env={**environment, PARENT_PID: str(os.getpid())},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            **OWN_GROUP,
        )
