"""The complete graph over real DDS: every frame of a recording gives a result on every topic."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rehab_pose.bags.reader import BagReader
from rehab_pose.bags.writer import BagWriter
from rehab_pose.graph import Option, choose_nodes
from rehab_pose.launching.node_commands import node_environment
from rehab_pose.launching.shared_memory import use_shared_memory
from rehab_pose.messages import topics
from rehab_pose.messages.angles import angles_from_message
from rehab_pose.messages.body import body_from_message
from rehab_pose.messages.camera_info import camera_info_message
from rehab_pose.messages.exercise import classification_from_message
from rehab_pose.messages.factory import header
from rehab_pose.messages.images import depth_millimetres, image_message
from rehab_pose.messages.joints import joints_from_message
from rehab_pose.pipeline import Pipeline
from rehab_pose.units import NS_PER_S
from rehab_pose_sim.camera import SimulatedCamera
from rehab_pose_sim.graph_watch import GraphWatch
from rehab_pose_sim.settings import SimulationSettings

if TYPE_CHECKING:
    from rehab_pose.pipeline import PipelineResult
    from rehab_pose_sim.graph_watch import GraphRecord

pytestmark = pytest.mark.graph

COMMAND = "rehab_pose.cli.main"
FRAMES = 20
LOOPS = 10
JOINTS_AS_OFFLINE_M, BODY_AS_OFFLINE_M, ANGLES_AS_OFFLINE_RAD = 1e-5, 1e-3, 0.01
"""Largest differences between live and offline results, which result from float32 fields in messages between nodes."""
RATE_HZ = 8.0
"""Frame rate of the recording [Hz]; low, because the test requires every frame on a machine with few cores."""
START_S = 60.0
DRAIN_S = 20.0
"""Longest wait for the frames that are still queued in the nodes, and for the diagnostics after the last one [s]."""


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bag with a simulated person for some frames, and no person in the last two."""
    path = tmp_path_factory.mktemp("recording") / "bag"
    camera = SimulatedCamera(SimulationSettings(exercise="squat", gap_s=0.0))
    with BagWriter(path) as bag:
        for index in range(FRAMES):
            frame = camera.frame(index).frame
            stamp_ns = NS_PER_S + round(index * NS_PER_S / RATE_HZ)
            stamp = header(bag.factory, stamp_ns, frame.frame_id)
            depth = depth_millimetres(frame.depth_m)
            if index >= FRAMES - 2:
                depth[:] = 0
            bag.write(topics.CAMERA_INFO, stamp_ns, camera_info_message(bag.factory, stamp, frame.intrinsics))
            bag.write(topics.COLOR, stamp_ns, image_message(bag.factory, stamp, "rgb8", frame.color))
            bag.write(topics.DEPTH, stamp_ns, image_message(bag.factory, stamp, "16UC1", depth))
    return path


def children(pid: int) -> dict[str, int]:
    """Return the process ids of the nodes that a process has started, by node."""
    pids = {}
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        line = Path(f"/proc/{child}/cmdline")
        command = line.read_text() if line.exists() else ""
        if "rehab_pose.nodes." in command:
            pids[command.split("rehab_pose.nodes.")[1].split("\0")[0]] = int(child)
    return pids


def all_frames_processed(record: GraphRecord, names: list[str]) -> bool:
    """Return whether every frame reached the label and the body, and whether each node reported all of them."""
    reported = {name.rpartition("/")[2]: int(values["processed"]) for name, values in record.diagnostics.items()}
    return len(record.exercise_ns) == len(record.body_ns) == FRAMES and all(
        reported.get(name, 0) >= FRAMES for name in names
    )


@pytest.mark.parametrize("composed", [False, True], ids=["separate", "composed"])
def test_every_frame_has_a_result_on_every_topic(
    program: Any,  # noqa: ANN401
    recording: Path,
    offline: dict[int, PipelineResult],
    tmp_path: Path,
    composed: bool,
) -> None:
    names = [spec.name for spec in choose_nodes({Option.MESH, Option.RECOGNITION}, composed=composed)]
    run = program(COMMAND, "run", *([] if composed else ["--separate"]), "--ros-args", "-p", "node.queue_length:=30")
    recorded_topics = [
        "/rehab_pose/joints",
        "/rehab_pose/keypoints",
        "/rehab_pose/parts",
        "/rehab_pose/body",
        "/rehab_pose/body/vertices",
        "/rehab_pose/body/topology",
        "/rehab_pose/joint_angles",
        "/rehab_pose/bones",
    ]
    recorded_topics += ["/rehab_pose/exercise", "/rehab_pose/exercise/list", "/rehab_pose/floor_plane", "/diagnostics"]
    record = program(COMMAND, "record", "-o", str(tmp_path / "results"), *recorded_topics)
    for name in recorded_topics:
        assert record.wait_for_output(f"recording {name}", START_S), run.output + record.output
    use_shared_memory(os.environ)
    with GraphWatch() as watch:
        assert watch.wait_for(lambda state: state.connected(names), START_S), watch.record.diagnostics
        play = program(COMMAND, "play", str(recording), "--wait", str(START_S))
        assert play.process.wait(START_S) == 0, play.output
        is_complete = watch.wait_for(lambda state: all_frames_processed(state, names), DRAIN_S)
        assert is_complete, watch.record.diagnostics
    processes = children(run.process.pid)
    assert sorted(processes) == sorted(names)
    assert run.stop() == 0, run.output
    assert record.stop() == 0, record.output
    assert not any(Path(f"/proc/{pid}").exists() for pid in processes.values()), "a node is still running"
    with BagReader(tmp_path / "results") as bag:
        counts = {name: bag.topics[name].count for name in recorded_topics if name != "/diagnostics"}
        joints = [joints_from_message(message) for _, _, message in bag.messages("/rehab_pose/joints")]
        status = {entry.name: entry for _, _, message in bag.messages("/diagnostics") for entry in message.status}
    floor_changes = counts.pop("/rehab_pose/floor_plane")
    assert 1 <= floor_changes < FRAMES
    latched = {"/rehab_pose/body/topology": 1, "/rehab_pose/exercise/list": 1}
    assert counts == {**dict.fromkeys(counts, FRAMES), **latched}, {
        name: {value.key: value.value for value in entry.values if "dropped" in value.key or "lost" in value.key}
        for name, entry in status.items()
    }
    assert [entry is not None for entry in joints] == [True] * (FRAMES - 2) + [False] * 2
    assert sorted(status) == sorted(f"/rehab_pose/{name}" for name in names)
    assert_as_offline(tmp_path / "results", offline)


def assert_as_offline(results: Path, offline: dict[int, PipelineResult]) -> None:
    """Compare a live run's results with those of the same recording processed without ROS."""
    with BagReader(results) as bag:
        joints = [joints_from_message(message) for _, _, message in bag.messages("/rehab_pose/joints")]
        bodies = [body_from_message(message) for _, _, message in bag.messages("/rehab_pose/body")]
        angles = [angles_from_message(message) for _, _, message in bag.messages("/rehab_pose/joint_angles")]
        labels = [classification_from_message(message) for _, _, message in bag.messages("/rehab_pose/exercise")]
    assert {label.stamp_ns: label.label for label in labels} == {
        stamp_ns: result.exercise.classification.label for stamp_ns, result in offline.items()
    }
    for live in filter(None, joints):
        expected = offline[live.stamp_ns].joints
        assert expected is not None
        np.testing.assert_allclose(live.positions_m, expected.positions_m, atol=JOINTS_AS_OFFLINE_M)
    for fitted in filter(None, bodies):
        body = offline[fitted.stamp_ns].body
        assert body is not None
        np.testing.assert_allclose(fitted.joint_positions_m, body.joint_positions_m, atol=BODY_AS_OFFLINE_M)
    for measured in filter(None, angles):
        solved = offline[measured.stamp_ns].joint_angles
        assert solved is not None
        np.testing.assert_allclose(measured.angles_rad, solved.angles_rad, atol=ANGLES_AS_OFFLINE_RAD)


@pytest.fixture(scope="module")
def offline(recording: Path) -> dict[int, PipelineResult]:
    """Return the results of the pipeline without ROS for the recording, by stamp [ns]."""
    pipeline = Pipeline()
    with BagReader(recording) as bag:
        return {frame.stamp_ns: pipeline.process(frame) for frame in bag.frames()}


def test_every_frame_of_a_looped_recording_is_classified_in_each_loop(
    program: Any,  # noqa: ANN401
    recording: Path,
    wait: Any,  # noqa: ANN401
) -> None:
    nodes = "rgbd_sync,silhouette,joints,exercise"
    run = program(COMMAND, "run", "--nodes", nodes, "--ros-args", "-p", "node.queue_length:=30")
    use_shared_memory(os.environ)
    with GraphWatch() as watch:
        assert watch.wait_for(lambda state: state.connected(nodes.split(",")), START_S), run.output
        play = program(COMMAND, "play", str(recording), "--loop", "--rate", "1.5", "--wait", str(START_S))
        played = "played"
        assert wait(lambda: play.output.count(played) >= LOOPS, 2 * START_S), play.output
        loops = play.output.count(played)
        play.stop()
        watch.wait_for(lambda state: len(state.classifications) >= loops * FRAMES, DRAIN_S)
        counts_by_stamp = Counter(classification.stamp_ns for classification in watch.record.classifications)
    assert len(counts_by_stamp) == FRAMES
    first_ns, last_ns = min(counts_by_stamp), max(counts_by_stamp)
    assert counts_by_stamp[first_ns] >= loops, (loops, counts_by_stamp)
    assert min(counts_by_stamp.values()) >= loops, (loops, counts_by_stamp)
    assert counts_by_stamp[last_ns] >= loops
    assert loops - 1 <= run.output.count("time jumped back") <= loops, "one line a loop, of four nodes"


@pytest.mark.parametrize("composed", [False, True], ids=["separate", "composed"])
def test_with_all_streams_every_frame_has_a_label_and_the_streams_are_computed_for_it(
    program: Any,  # noqa: ANN401
    recording: Path,
    offline: dict[int, PipelineResult],
    composed: bool,
) -> None:
    names = ["pipeline"] if composed else ["rgbd_sync", "silhouette", "keypoints", "joints", "parts", "exercise"]
    parameters = ["-p", "node.queue_length:=30", "-p", "exercise.streams:=fused"]
    run = program(COMMAND, "run", "--nodes", ",".join(names), "--ros-args", *parameters)
    use_shared_memory(os.environ)
    with GraphWatch() as watch:
        assert watch.wait_for(lambda state: state.connected(names), START_S), run.output
        play = program(COMMAND, "play", str(recording), "--wait", str(START_S))
        assert play.process.wait(START_S) == 0, play.output
        assert watch.wait_for(lambda state: len(state.exercise_ns) == FRAMES, DRAIN_S), watch.record.diagnostics
        if not composed:
            received = ("keypoints", "parts", "body", "body/vertices")
            assert watch.wait_for(
                lambda state: all(
                    state.diagnostics["/rehab_pose/exercise"].get(f"received: /rehab_pose/{name}") == str(FRAMES)
                    for name in received
                ),
                DRAIN_S,
            ), watch.record.diagnostics["/rehab_pose/exercise"]
        classifications = list(watch.record.classifications)
    assert run.stop() == 0, run.output
    assert {entry.stamp_ns for entry in classifications} == set(offline)
    assert all("+exercise_fused-" in entry.model_id for entry in classifications)
    # The corrections of a live graph depend on when the streams come: only the label is the same.
    last = max(entry.stamp_ns for entry in classifications)
    labels = {entry.stamp_ns: entry.label for entry in classifications}
    assert labels[last] == offline[last].exercise.classification.label


def test_with_no_respawn_a_killed_node_is_reported_and_the_others_are_stopped(program: Any, wait: Any) -> None:  # noqa: ANN401
    run = program(COMMAND, "run", "--no-respawn", "--nodes", "rgbd_sync,markers")
    assert wait(lambda: len(children(run.process.pid)) == 2, START_S), run.output
    processes = children(run.process.pid)
    os.kill(processes["markers"], signal.SIGKILL)
    assert run.process.wait(START_S) == 1
    assert "run: markers ended with signal SIGKILL" in run.output
    assert not Path(f"/proc/{processes['rgbd_sync']}").exists()


def test_a_killed_node_is_restarted(program: Any, wait: Any) -> None:  # noqa: ANN401
    run = program(COMMAND, "run", "--nodes", "markers")

    def pid() -> int | None:
        return children(run.process.pid).get("markers")

    assert wait(lambda: pid() is not None, START_S), run.output
    first = pid()
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert wait(lambda: pid() not in {first, None}, START_S), run.output
    assert "markers ended with signal SIGKILL" in run.output
    assert "restarting markers" in run.output
    assert run.stop() == 0, run.output


def test_a_node_with_invalid_settings_is_not_restarted(program: Any) -> None:  # noqa: ANN401
    run = program(COMMAND, "run", "--nodes", "markers", "--ros-args", "-p", "markers.rate_hz:=-1.0")
    assert run.process.wait(START_S) == 1
    assert run.output.count("expected a value from 0.1 to 60") == 2, "once by the node, once by the launcher"


def test_an_unknown_node_is_refused_with_the_known_names(program: Any) -> None:  # noqa: ANN401
    run = program(COMMAND, "run", "--nodes", "joint")
    assert run.process.wait(START_S) == 2
    assert run.output.startswith("rehab-pose run: --nodes: expected names from rgbd_sync")


def test_nodes_load_neither_torch_nor_each_others_stages() -> None:
    program = (
        "import sys, rehab_pose.cli.run\nfrom rehab_pose.nodes import exercise, markers, session\n"
        "loaded = {'torch', 'cv2', 'numba', 'rehab_pose.silhouette', 'rehab_pose.body'} & set(sys.modules)\n"
        "print(sorted(loaded))"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=node_environment()
    )
    assert result.stdout.strip() == "[]"
