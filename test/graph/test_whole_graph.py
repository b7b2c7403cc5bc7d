"""The whole graph over real DDS: a recording goes in, every frame is answered or its loss is counted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from rehab_pose.cli.run import STAGE_NODES, node_environment
from rehab_pose.cli.transport import use_shared_memory
from rehab_pose.messages import topics
from rehab_pose.messages.camera_info import camera_info_message
from rehab_pose.messages.carrier import header
from rehab_pose.messages.images import depth_millimetres, image_message
from rehab_pose.messages.joints import joints_from_message
from rehab_pose.recordings.bag_reader import BagReader
from rehab_pose.recordings.bag_writer import BagWriter
from rehab_pose.ros.watch import GraphWatch
from rehab_pose.simulation.camera import SimulatedCamera
from rehab_pose.simulation.settings import SimulationSettings

pytestmark = pytest.mark.graph

COMMAND = "rehab_pose.cli.main"
FRAMES = 20
RATE_HZ = 8.0
"""Slow: two graphs and the tests share few cores, and the test asks for every frame, not for speed."""
START_S = 60.0
NS_PER_S = 1_000_000_000


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bag with a simulated person for some frames, and nobody in the last two."""
    path = tmp_path_factory.mktemp("recording") / "bag"
    camera = SimulatedCamera(SimulationSettings(exercise="squat", gap_s=0.0))
    with BagWriter(path) as bag:
        for index in range(FRAMES):
            frame = camera.frame(index).frame
            stamp_ns = NS_PER_S + round(index * NS_PER_S / RATE_HZ)
            stamp = header(bag.carrier, stamp_ns, frame.frame_id)
            depth = depth_millimetres(frame.depth_m)
            if index >= FRAMES - 2:
                depth[:] = 0
            bag.write(topics.CAMERA_INFO, stamp_ns, camera_info_message(bag.carrier, stamp, frame.intrinsics))
            bag.write(topics.COLOR, stamp_ns, image_message(bag.carrier, stamp, "rgb8", frame.color))
            bag.write(topics.DEPTH, stamp_ns, image_message(bag.carrier, stamp, "16UC1", depth))
    return path


def children(pid: int) -> dict[str, int]:
    """Return the node processes of a run, by node."""
    found = {}
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        command = Path(f"/proc/{child}/cmdline").read_text()
        if "rehab_pose.nodes." in command:
            found[command.split("rehab_pose.nodes.")[1].split("\0")[0]] = int(child)
    return found


@pytest.mark.parametrize("composed", [False, True], ids=["separate", "composed"])
def test_every_frame_is_answered_on_every_topic(program: Any, recording: Path, tmp_path: Path, composed: bool) -> None:  # noqa: ANN401
    names = ["pipeline"] if composed else list(STAGE_NODES)
    run = program(COMMAND, "run", *(["--composed"] if composed else []), "--ros-args", "-p", "node.queue_length:=30")
    wanted = ["/joints", "/keypoints", "/parts", "/body", "/body/vertices", "/body/topology", "/joint_angles", "/bones"]
    wanted += ["/exercise", "/exercise/list", "/diagnostics"]
    record = program(COMMAND, "record", "-o", str(tmp_path / "results"), *wanted)
    for name in wanted:
        assert record.wait_for_output(f"recording {name}", START_S), run.output + record.output
    use_shared_memory(os.environ)
    with GraphWatch() as watch:
        assert watch.wait_for(lambda seen: seen.connected(names), START_S), watch.record.diagnostics
    play = program(COMMAND, "play", str(recording), "--wait", str(START_S))
    assert play.process.wait(START_S) == 0, play.output
    time.sleep(4.0)  # what still waits in the nodes, and the last diagnostics
    processes = children(run.process.pid)
    assert sorted(processes) == sorted(names)
    assert run.stop() == 0, run.output
    assert record.stop() == 0, record.output
    assert not any(Path(f"/proc/{pid}").exists() for pid in processes.values()), "a node is left over"
    with BagReader(tmp_path / "results") as bag:
        counts = {name: bag.topics[name].count for name in wanted if name != "/diagnostics"}
        joints = [joints_from_message(message) for _, _, message in bag.messages("/joints")]
        status = {entry.name: entry for _, _, message in bag.messages("/diagnostics") for entry in message.status}
    latched = {"/body/topology": 1, "/exercise/list": 1}
    assert counts == {**dict.fromkeys(counts, FRAMES), **latched}, {
        name: {value.key: value.value for value in entry.values if "dropped" in value.key or "lost" in value.key}
        for name, entry in status.items()
    }
    assert [found is not None for found in joints] == [True] * (FRAMES - 2) + [False] * 2
    assert sorted(status) == sorted(f"/{name}" for name in names)


def test_a_node_that_dies_is_named_and_the_others_are_stopped(program: Any) -> None:  # noqa: ANN401
    run = program(COMMAND, "run", "--nodes", "rgbd_sync,markers")
    end_s = time.monotonic() + START_S
    while len(children(run.process.pid)) < 2 and time.monotonic() < end_s:
        time.sleep(0.1)
    processes = children(run.process.pid)
    os.kill(processes["markers"], signal.SIGKILL)
    assert run.process.wait(START_S) == 1
    assert "run: markers ended with signal SIGKILL" in run.output
    assert not Path(f"/proc/{processes['rgbd_sync']}").exists()


def test_an_unknown_node_is_refused_in_one_sentence(program: Any) -> None:  # noqa: ANN401
    run = program(COMMAND, "run", "--nodes", "joint")
    assert run.process.wait(START_S) == 2
    assert run.output.startswith("rehab-pose run: --nodes: expected some of rgbd_sync")


def test_nodes_load_neither_torch_nor_each_others_stages() -> None:
    program = (
        "import sys, rehab_pose.nodes.exercise, rehab_pose.nodes.markers\n"
        "loaded = {'torch', 'cv2', 'rehab_pose.silhouette', 'rehab_pose.body', 'rosbags'} & set(sys.modules)\n"
        "print(sorted(loaded))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=node_environment()
    )
    assert result.stdout.strip() == "[]"
