"""Start programs, watch them, stop them cleanly, and say which one died."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Processes"]

LAST_LINES = 12
"""Lines of a program's output that are shown again when it died."""
GRACE_S = 5.0
"""Time after each signal before a stronger one follows [s]."""
POLL_S = 0.05


@dataclass
class _Child:
    name: str
    process: subprocess.Popen[str]
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_LINES))
    reader: threading.Thread | None = None


class Processes:
    """A set of programs that run together, each in its own process group."""

    def __init__(self) -> None:
        self._children: list[_Child] = []

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a program; its output is passed on, line by line, and its last lines are kept."""
        process = subprocess.Popen(  # noqa: S603  (our own programs, no shell)
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        child = _Child(name, process)
        child.reader = threading.Thread(target=self._pass_on, args=(child,), name=f"{name}_output", daemon=True)
        child.reader.start()
        self._children.append(child)

    @property
    def pids(self) -> dict[str, int]:
        """Process ids by name."""
        return {child.name: child.process.pid for child in self._children}

    def wait(self, duration_s: float | None = None) -> str | None:
        """Wait until a program ends or the time is over; return what to say about the one that ended, else None."""
        end_s = None if duration_s is None else time.monotonic() + duration_s
        while end_s is None or time.monotonic() < end_s:
            for child in self._children:
                code = child.process.poll()
                if code is not None:
                    return self._obituary(child, code)
            time.sleep(POLL_S)
        return None

    def stop(self) -> list[str]:
        """End all programs: SIGINT, then SIGTERM, then SIGKILL; return the names of those that needed the last."""
        killed = []
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
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
        return killed

    @staticmethod
    def _send(child: _Child, number: signal.Signals) -> None:
        try:
            os.killpg(child.process.pid, number)
        except ProcessLookupError:  # it ended in between
            return

    @staticmethod
    def _pass_on(child: _Child) -> None:
        output: IO[str] | None = child.process.stdout
        if output is None:
            return
        with output:
            for line in output:
                child.last_lines.append(line.rstrip("\n"))
                sys.stderr.write(line)
                sys.stderr.flush()

    @staticmethod
    def _obituary(child: _Child, code: int) -> str:
        if child.reader is not None:
            child.reader.join(GRACE_S)
        how = f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
        last = "\n".join(f"    {line}" for line in child.last_lines)
        return f"{child.name} ended with {how}; its last lines:\n{last}"
