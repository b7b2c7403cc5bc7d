"""Command lines and environment of node processes."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from rehab_pose.errors import MissingDependencyError
from rehab_pose.graph import NODES, node_spec
from rehab_pose.launching.node_commands import node_command, node_environment, own_environment, parameter_words
from rehab_pose.launching.shared_files import shared_file


def test_a_command_runs_the_nodes_module_with_parameters_and_namespace() -> None:
    command = node_command(node_spec("joints"), Path("p.yaml"), "/robot1/", ("-p", "a:=1"))
    expected = [
        "-m",
        "rehab_pose.nodes.joints",
        "--ros-args",
        "--params-file",
        "p.yaml",
        "-r",
        "__ns:=/robot1/rehab_pose",
    ]
    assert command == [sys.executable, *expected, "-p", "a:=1"]
    assert "-r" not in node_command(node_spec("joints"), Path("p.yaml"))


def test_a_node_is_told_its_enclave_where_security_is_enabled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_SECURITY_ENABLE", "true")
    command = node_command(node_spec("joints"), Path("p.yaml"))
    assert command[command.index("--ros-args") :][-2:] == ["--enclave", "/rehab_pose/joints"]
    monkeypatch.setenv("ROS_SECURITY_ENABLE", "false")
    assert "--enclave" not in node_command(node_spec("joints"), Path("p.yaml"))


def test_parameters_become_words_of_the_command_line() -> None:
    assert parameter_words("simulation", {"exercise": "squat", "people": 2}) == (
        *("-p", "simulation.exercise:=squat"),
        *("-p", "simulation.people:=2"),
    )


def test_nodes_calculate_on_one_thread_unless_the_user_chose_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert node_environment()["OMP_NUM_THREADS"] == "1"
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert node_environment()["OMP_NUM_THREADS"] == "4"


HEAPS = """
import ctypes, threading
library, end = ctypes.CDLL(None), threading.Event()
library.fopen.restype = ctypes.c_void_p
ready = [threading.Event() for _ in range(4)]
def allocate(event):
    block = ctypes.create_string_buffer(200_000)
    event.set()
    end.wait()
threads = [threading.Thread(target=allocate, args=(event,)) for event in ready]
for thread in threads:
    thread.start()
for event in ready:
    event.wait()
file = library.fopen(b"/dev/stdout", b"w")
library.malloc_info(0, ctypes.c_void_p(file))
library.fclose(ctypes.c_void_p(file))
end.set()
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="counts the heaps of glibc's malloc")
def test_the_threads_of_a_node_share_one_heap(monkeypatch: pytest.MonkeyPatch) -> None:
    def heaps(environment: dict[str, str]) -> int:
        command = [sys.executable, "-c", HEAPS]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.count(
            "<heap nr="
        )

    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    assert heaps(node_environment()) == 1 < heaps(dict(os.environ))


def test_only_nodes_that_send_images_get_a_large_segment() -> None:
    environment = node_environment()
    own = {spec.name: own_environment(spec, environment) for spec in NODES}
    assert [name for name, values in own.items() if values == environment] == ["rgbd_sync", "silhouette", "pipeline"]
    assert "small" in " ".join(own["session"].values())


def test_shared_files_are_found_or_named_with_the_places_searched() -> None:
    assert shared_file("config/rehab_pose.yaml").is_file()
    with pytest.raises(MissingDependencyError, match=r"expected config/none\.yaml at one of"):
        shared_file("config/none.yaml")
