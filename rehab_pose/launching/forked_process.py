"""Processes of nodes that are forked from one with loaded modules, instead of loading everything again. Linux only."""

from __future__ import annotations

import ctypes
import json
import os
import socket
import subprocess
import sys
from contextlib import suppress
from typing import IO, TYPE_CHECKING

from rehab_pose.launching.parent_process import PARENT_PID
from rehab_pose.launching.start_signals import OWN_GROUP, blocked_stop_signals

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["NOT_STARTED", "ForkServer", "ForkedProcess"]

SERVER = "rehab_pose.launching.fork_server"
PR_SET_CHILD_SUBREAPER = 36
"""Option of prctl (Linux): children of descendants that end become children of this process."""
MODULE_PLACE = 2
"""Place of the module's name in the command line of a node, after the interpreter and `-m`."""
NOT_STARTED = -1000
"""Code of a process that could not be forked; signals, the other negative codes, have smaller numbers."""
ANSWER_BYTES = 32
END_S = 2.0
"""Time that the server gets to end [s]; it ends at once unless it is loading a large library."""
MAX_RESTARTS = 5
"""A server that was killed is started again at most this many times."""


class ForkedProcess:
    """A node's process that was requested, with the attributes of `subprocess.Popen` that a supervisor uses.

    Attributes:
        pid: Its id; 0 until the server has answered.
        returncode: Its exit code, the negative number of the signal that ended it, or NOT_STARTED; None while it runs.
        stdout: Its output and errors.
    """

    def __init__(self, server: ForkServer, output: int) -> None:
        """Take a process.

        Args:
            server: It was requested from this server.
            output: Descriptor of the pipe from which its output is read.
        """
        self.pid = 0
        self.returncode: int | None = None
        self.stdout: IO[str] | None = open(output, encoding="utf-8", errors="replace")  # noqa: SIM115
        self._server = server

    def answer(self, pid: int) -> None:
        """Take the server's answer: the id of the process, 0 if there is none."""
        self.pid = pid
        if not pid:
            self.returncode = NOT_STARTED

    def poll(self) -> int | None:
        """Return the exit code; None while the process runs or was not started yet."""
        if not self.pid:
            self._server.take_answers()
        if self.pid and self.returncode is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:  # the kernel forgets ended children where SIGCHLD is ignored
                self.returncode = 0
            else:
                self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode


class ForkServer:
    """The launcher's side of `rehab_pose.launching.fork_server`, which is started with the first process."""

    def __init__(self, modules: Sequence[str]) -> None:
        """Prepare a server.

        Args:
            modules: Modules of the nodes that it may have to start; what they need is loaded once.
        """
        self._modules = list(modules)
        self._environment: Mapping[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._requests: socket.socket | None = None
        self._unanswered: list[ForkedProcess] = []
        self._usable = sys.platform.startswith("linux")
        self._restarts = 0

    @property
    def pid(self) -> int | None:
        """Id of the server's process; None while there is none."""
        return None if self._process is None else self._process.pid

    def start(self, command: Sequence[str], environment: Mapping[str, str]) -> ForkedProcess | None:
        """Request a process; return it before it runs, or None where it has to be started in the ordinary way.

        Args:
            command: Interpreter, `-m`, module and words.
            environment: All of its environment variables.
        """
        if (
            not self._usable
            or list(command[:2]) != [sys.executable, "-m"]
            or command[MODULE_PLACE] not in self._modules
        ):
            return None
        if self._requests is None:
            self._environment = environment
            self._start_server()
        assert self._requests is not None  # noqa: S101  (for mypy: made above)
        request = {
            "module": command[MODULE_PLACE],
            "arguments": list(command[MODULE_PLACE + 1 :]),
            "environment": {**environment, PARENT_PID: str(os.getpid())},
        }
        output, output_end = os.pipe()
        try:
            socket.send_fds(self._requests, [json.dumps(request).encode()], [output_end])
        except OSError:  # the server has ended, or the environment is longer than a message
            os.close(output)
            return None
        finally:
            os.close(output_end)
        process = ForkedProcess(self, output)
        self._unanswered.append(process)
        return process

    def take_answers(self) -> None:
        """Give the waiting processes their ids; where the server has ended, they are not started."""
        with suppress(BlockingIOError):
            while self._requests is not None and self._unanswered:
                try:
                    answer = self._requests.recv(ANSWER_BYTES, socket.MSG_DONTWAIT)
                except ConnectionError:
                    answer = b""
                if not answer:
                    self._refuse_all()
                    return
                self._unanswered.pop(0).answer(int(answer))

    def keep_running(self) -> None:
        """Start the server again if it was killed; without effect on the nodes, which are this process's children."""
        if self._process is None or self._process.poll() is None:
            return
        self.take_answers()
        self._refuse_all()
        self._close()
        self._restarts += 1
        self._usable = self._restarts <= MAX_RESTARTS
        sys.stderr.write(f"the process that starts nodes has ended{'; it is started again' if self._usable else ''}\n")
        if self._usable:
            self._start_server()

    def stop(self) -> None:
        """End the server; processes that it has not started yet are not started."""
        self._usable = False
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self.take_answers()
        self._refuse_all()
        self._close()

    def _refuse_all(self) -> None:
        while self._unanswered:
            self._unanswered.pop(0).answer(0)

    def _start_server(self) -> None:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        self._requests, server_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        names = [module.rpartition(".")[2] for module in self._modules]  # `ps` shows modules for the nodes only
        with server_end, blocked_stop_signals():
            self._process = subprocess.Popen(  # noqa: S603  (our own module, no shell)
                [sys.executable, "-m", SERVER, str(server_end.fileno()), *names],
                env={**self._environment, PARENT_PID: str(os.getpid())},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[server_end.fileno()],
                **OWN_GROUP,
            )

    def _close(self) -> None:
        self._process = None
        if self._requests is not None:
            self._requests.close()
            self._requests = None
