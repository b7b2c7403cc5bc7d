"""Nodes' processes that are forked from one: their own output, words, environment, exit code and process group."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING

import pytest

from rehab_pose.graph import NODES, node_spec
from rehab_pose.launching.preloading import forked_nodes, modules_without_ros
from rehab_pose.launching.supervisor import Processes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processes are forked on Linux only")
MODULE = "others.nodes.quick"
NODE = """
import os, random, sys, time

def main():
    if sys.argv[1] == "sleep":
        print("sleeps", flush=True)
        time.sleep(60)
    print(sys.argv[1:], os.environ["OWN"], "RANDOM", random.random(), os.getpgid(0) == os.getpid())
    print(open("/proc/self/comm").read().strip(), sys.orig_argv[1:3], len(os.listdir("/proc/self/task")))
    sys.stderr.write("an error")
    return int(sys.argv[1])

if __name__ == "__main__":
    sys.exit(main())
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return an environment in which the module of a node is found."""
    package = tmp_path / "others" / "nodes"
    package.mkdir(parents=True)
    (package / "quick.py").write_text(NODE, encoding="utf-8")
    return {**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}


@pytest.fixture
def processes() -> Iterator[Processes]:
    started = Processes([MODULE])
    yield started
    started.stop()


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", MODULE, *words]


def test_each_process_is_its_own_and_its_end_is_described(
    environment: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    numbers = []
    for code, name in ((3, "first"), (4, "second")):
        processes = Processes([MODULE])
        processes.start(name, command(str(code), "--ros-args"), {**environment, "OWN": name})
        description = processes.wait(20.0)
        assert description is not None
        assert description.startswith(f"{name} ended with exit code {code}")
        output = capfd.readouterr().err
        assert f"['{code}', '--ros-args'] {name} RANDOM" in output
        assert f"quick ['-m', '{MODULE}'] 1" in output
        assert "an error" in description
        numbers.append(output.split("RANDOM ")[1].split()[:2])
        processes.stop()
    assert numbers[0][1] == numbers[1][1] == "True", "each leads a process group"
    assert numbers[0][0] != numbers[1][0], "each has random numbers of its own"


def test_a_killed_process_is_forked_again_and_a_stop_ends_it(
    processes: Processes, environment: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    processes.start("node", command("sleep"), {**environment, "OWN": ""}, respawn=True)
    first = _started(processes)
    assert processes._server.pid not in {None, first}
    os.kill(first, signal.SIGKILL)
    end_s = time.monotonic() + 20.0
    while processes.pids.get("node", first) == first and time.monotonic() < end_s:
        assert processes.wait(0.05) is None
    assert "node ended with signal SIGKILL" in capfd.readouterr().err
    second = _started(processes)
    assert second != first
    assert processes.stop() == []
    with pytest.raises(ProcessLookupError):
        os.kill(second, 0)


def test_an_environment_longer_than_a_message_is_given_in_the_ordinary_way(
    processes: Processes, environment: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    long = {f"LONG_{index}": "x" * 100_000 for index in range(5)}
    processes.start("node", command("5"), {**environment, "OWN": "long", **long})
    assert "exit code 5" in (processes.wait(20.0) or "")
    assert "long RANDOM" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("names", "forked"),
    [
        (["pipeline", "session"], []),
        (["joints", "session", "parts"], ["joints", "session", "parts"]),
        (["exercise"], []),
    ],
)
def test_nodes_are_forked_where_several_run_stages(names: list[str], forked: list[str]) -> None:
    modules = forked_nodes([node_spec(name) for name in names])
    assert modules == [node_spec(name).module for name in forked]


def test_modules_of_all_nodes_are_loaded_before_ros() -> None:
    found = {spec.name: modules_without_ros(spec.module) for spec in NODES}
    assert "rehab_pose.messages.frame_builder" in found["rgbd_sync"], "imported by a module with ROS"
    assert "rehab_pose.stage_groups" in found["joints"]
    assert not [name for names in found.values() for name in names if ".ros." in name or ".nodes." in name]


def _started(processes: Processes) -> int:
    """Return the id of the node's process once it runs."""
    end_s = time.monotonic() + 20.0
    while "node" not in processes.pids and time.monotonic() < end_s:
        assert processes.wait(0.05) is None
    return processes.pids["node"]
