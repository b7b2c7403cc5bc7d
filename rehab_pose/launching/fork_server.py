"""A process that loads modules and kernels of nodes once, and forks a process for each node that is requested.

`python -m rehab_pose.launching.fork_server DESCRIPTOR NODE...`, started by `forked_process.ForkServer`. Requests come
from the socket of that descriptor, each in one message: the node's module, words and environment, and the descriptor of
the pipe for its output. The answer is the node's process id. The node is no child of this process but of the launcher,
which waits for it and ends it: the process between them ends at once, and the kernel gives its child to the launcher
(PR_SET_CHILD_SUBREAPER). So nodes run on when this process is killed.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import socket
import sys
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from rehab_pose.launching.parent_process import end_with_parent
from rehab_pose.launching.start_signals import blocked_stop_signals, end_on_stop_signals

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]

MAX_REQUEST_BYTES = 1 << 20
"""Longest request [bytes]; the kernel limits messages to about 200 kB, far more than a command and an environment."""
PR_SET_NAME = 15
"""Option of prctl (Linux) that sets the name of a process as `ps` and `top` show it."""
NAME_LENGTH = 15
"""Longest name of a process in Linux."""
ARGUMENTS_START, ARGUMENTS_END = 45, 46
"""Places of the addresses of the command line in /proc/self/stat, counted after the name (fields 48 and 49)."""
GO = b"g"
NOT_STARTED = b"0"
"""Answer where the kernel refused another process."""


class _Request(NamedTuple):
    """A node that is to be started."""

    module: str
    arguments: list[str]
    environment: dict[str, str]
    output: int
    """Descriptor of the pipe for the node's output."""


def main() -> int:
    """Load the modules, then answer requests until the launcher ends; in a node's process, run the node."""
    end_on_stop_signals()
    end_with_parent()
    requests = socket.socket(fileno=int(sys.argv[1]))
    _preload(sys.argv[2:])
    gc.collect()
    gc.freeze()  # collections in the nodes then leave these objects, and the memory that they share, untouched
    with requests:
        while (request := _receive(requests)) is not None:
            if _forked(request, requests):
                break
    if request is not None:
        _run_node(request)
    return 0


def _preload(names: Sequence[str]) -> None:
    from rehab_pose.graph import NODES, plugin_nodes  # noqa: PLC0415  (stop signals end this process while it loads)
    from rehab_pose.launching.preloading import preload  # noqa: PLC0415

    for spec in (*NODES, *plugin_nodes()):
        if spec.name in names:
            preload(spec)


def _receive(requests: socket.socket) -> _Request | None:
    """Return the next request; None if the launcher has ended."""
    content, descriptors, _, _ = socket.recv_fds(requests, MAX_REQUEST_BYTES, 1)
    if not content:
        return None
    [output] = descriptors
    fields = json.loads(content)
    return _Request(fields["module"], fields["arguments"], fields["environment"], output)


def _forked(request: _Request, requests: socket.socket) -> bool:
    """Fork a node's process and send its id; return True in the node's process, False in this one."""
    ids, ids_end = os.pipe()
    start, start_end = os.pipe()
    with blocked_stop_signals():  # an end in the middle would leave a node that the launcher does not know
        between = os.fork()
        if between == 0:
            node = _forked_once_more(ids_end)
            if node:
                os._exit(0)
            for descriptor in (ids, ids_end, start_end):
                os.close(descriptor)
            if os.read(start, 1) != GO:  # the launcher was not told of this process
                os._exit(1)
            os.close(start)
            return True
        os.close(ids_end)
        os.close(start)
        os.waitpid(between, 0)  # from now on the node is the launcher's child
        requests.send(os.read(ids, NAME_LENGTH) or NOT_STARTED)
        os.write(start_end, GO)
        for descriptor in (ids, start_end, request.output):
            os.close(descriptor)
    return False


def _forked_once_more(ids: int) -> int:
    """Fork the node's process and write its id into a pipe; return it, or 0 in the node's process."""
    try:
        node = os.fork()
        if node:
            os.setpgid(node, node)  # Ctrl-C in a terminal reaches the launcher only, which then stops the nodes
            os.write(ids, b"%d" % node)
    except OSError:  # no more processes; the launcher is answered that none was started
        os._exit(1)
    return node


def _run_node(request: _Request) -> NoReturn:
    """Make this process one of the node's own, run the node, and end with its exit code."""
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123  (no path, a device)
        os.dup2(nothing.fileno(), 0)
    os.dup2(request.output, 1)
    os.dup2(request.output, 2)
    os.close(request.output)
    os.environ.clear()
    os.environ.update(request.environment)
    words = [sys.executable, "-m", request.module, *request.arguments]
    sys.argv[1:] = request.arguments
    sys.orig_argv[:] = words
    _show_as(request.module.rpartition(".")[2], words)
    module = importlib.import_module(request.module)
    sys.argv[0] = module.__file__ or request.module
    code = module.main()
    # The node has closed what it opened. The interpreter's own end would write to all memory that is shared with the
    # server: measured, 0.2 to 0.8 s of CPU for each node, while a stop waits for all of them.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _show_as(name: str, words: Sequence[str]) -> None:
    """Make `ps` show this process with a name and a command line, which is cut to the length of the present one."""
    ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode()[:NAME_LENGTH], 0, 0, 0)
    with open("/proc/self/stat", encoding="utf-8") as file:  # noqa: PTH123  (a file of the kernel)
        fields = file.read().rpartition(")")[2].split()
    start, end = int(fields[ARGUMENTS_START]), int(fields[ARGUMENTS_END])
    line = b"\0".join(os.fsencode(word) for word in words)[: end - start - 1]
    ctypes.memmove(start, line.ljust(end - start, b"\0"), end - start)


if __name__ == "__main__":
    sys.exit(main())
