"""State of running processes as Linux shows it in /proc: children, memory, descriptors, threads, sockets."""

from __future__ import annotations

import os
import re
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from rehab_pose.launching.shared_memory import SHARED_MEMORY

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "Memory",
    "ProcessSize",
    "SharedMemory",
    "bound_addresses",
    "children",
    "marked_processes",
    "memory",
    "node_pids",
    "process_size",
    "shared_memory",
    "stolen_s",
]

KB_PER_MB = 1024.0
BYTES_PER_MB = 1024.0**2
SOCKET_TABLES = ("udp", "udp6", "tcp", "tcp6")
NODE_MODULE = re.compile(r"\brehab_pose\w*\.nodes\.(\w+)")
"""Module of a node of the product or of the simulator, in its command line."""
ZOMBIE = "Z"


class ProcessSize(NamedTuple):
    """Resident memory [MB], open descriptors and threads of a process."""

    rss_mb: float
    private_mb: float
    """Without shared memory, of which a page counts once a process has touched it [MB]."""
    descriptors: int
    threads: int


class Memory(NamedTuple):
    """Resident memory of processes, summed up."""

    rss_mb: float
    """Of each process by itself [MB]: what several share is counted for each."""
    pss_mb: float
    """What is shared is divided among those that share it [MB]: the memory that the processes take from the machine."""


class SharedMemory(NamedTuple):
    """Files in /dev/shm that processes have mapped."""

    files: int
    size_mb: float
    """Space that they take [MB]."""


def children(pid: int) -> list[int]:
    """Return the processes that a process started; none if it has ended."""
    listed = Path(f"/proc/{pid}/task/{pid}/children")
    try:
        return [int(child) for child in listed.read_text(encoding="ascii").split()]
    except OSError:
        return []


def node_pids(launcher_pid: int) -> dict[str, int]:
    """Return the process id of each node that a launcher started, by name of the node."""
    pids = {}
    for child in children(launcher_pid):
        try:
            command = Path(f"/proc/{child}/cmdline").read_text(encoding="utf-8")
        except OSError:  # it ended in between
            continue
        found = NODE_MODULE.search(command)
        if found:
            pids[found[1]] = child
    return pids


def marked_processes(mark: str) -> list[int]:
    """Return the running processes with a text in their environment, which children inherit."""
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            marked = mark.encode() in (folder / "environ").read_bytes()
            state = (folder / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()[0]
        except OSError:  # it ended in between, or is another user's
            continue
        if marked and state != ZOMBIE:
            found.append(int(folder.name))
    return sorted(found)


def process_size(pid: int) -> ProcessSize:
    """Return the size of a process.

    Raises:
        OSError: It has ended.
    """
    lines = dict(
        line.split(":", 1)
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
        if ":" in line
    )
    descriptors = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
    rss_kb, shared_kb = (int(lines[name].split()[0]) for name in ("VmRSS", "RssShmem"))
    return ProcessSize(rss_kb / KB_PER_MB, (rss_kb - shared_kb) / KB_PER_MB, descriptors, int(lines["Threads"]))


def stolen_s(stat: Path = Path("/proc/stat")) -> float:
    """Return the processor time that this virtual machine wanted and the host gave to others, since its start [s].

    Args:
        stat: The kernel's file of processor times; `steal` is the eighth (proc_stat(5)).
    """
    times = stat.read_text(encoding="ascii").splitlines()[0].split()[1:]
    return int(times[7]) / os.sysconf("SC_CLK_TCK")


def memory(pids: Iterable[int]) -> Memory:
    """Return the memory of processes together; those that have ended have none."""
    total = {"Rss": 0.0, "Pss": 0.0}
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
        except OSError:
            continue
        for line in lines:
            name, _, value = line.partition(":")
            if name in total:
                total[name] += int(value.split()[0]) / KB_PER_MB
    return Memory(total["Rss"], total["Pss"])


def bound_addresses(pid: int) -> set[str]:
    """Return the local addresses of a process's UDP and TCP sockets; none if it has ended."""
    own = set()
    try:
        descriptors = list(Path(f"/proc/{pid}/fd").iterdir())
        tables = [Path(f"/proc/{pid}/net/{table}").read_text(encoding="ascii") for table in SOCKET_TABLES]
    except OSError:
        return set()
    for descriptor in descriptors:
        try:
            target = descriptor.readlink().name
        except OSError:  # closed meanwhile
            continue
        if target.startswith("socket:["):
            own.add(target[len("socket:[") : -1])
    found = set()
    for table in tables:
        for line in table.splitlines()[1:]:
            words = line.split()
            if words[9] in own:
                found.add(_address(words[1].split(":")[0]))
    return found


def _address(digits: str) -> str:
    """Return the address that /proc writes as hexadecimal words in the machine's order of bytes."""
    words = [bytes.fromhex(digits[place : place + 8])[::-1] for place in range(0, len(digits), 8)]
    return str(ip_address(b"".join(words)))


def shared_memory(pids: Iterable[int], folder: Path = SHARED_MEMORY) -> SharedMemory:
    """Return the files of shared memory that processes have mapped; none of those that have ended.

    Args:
        pids: The processes.
        folder: Where the files are.
    """
    names: set[str] = set()
    for pid in pids:
        try:
            lines = Path(f"/proc/{pid}/maps").read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            continue
        names |= {
            words[5] for line in lines if len(words := line.split(maxsplit=5)) == 6 and folder.as_posix() in words[5]
        }
    present = [path for path in map(Path, names) if path.exists()]  # of a removed file the name ends in "(deleted)"
    return SharedMemory(len(names), sum(path.stat().st_blocks for path in present) * 512 / BYTES_PER_MB)
