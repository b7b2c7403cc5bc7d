"""Kills of the session node at random moments of a session, a part of `rehab-pose-lab bench faults`.

A node of this process publishes classifications and repetitions as the exercise node does, without images; the session
node runs in a process of its own, is killed with SIGKILL, and started again at once.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from rehab_pose.bags.reader import BagReader
from rehab_pose.datatypes import ExerciseClassification, Repetition
from rehab_pose.errors import RehabPoseError
from rehab_pose.exercise.catalogue import LABELS
from rehab_pose.launching.node_commands import node_environment
from rehab_pose.messages import topics
from rehab_pose.messages.exercise import classification_message, repetition_message
from rehab_pose.messages.topic_names import nodes_namespace
from rehab_pose.ros.io.message_factory import RosMessageFactory, message_class
from rehab_pose.ros.io.qos import qos
from rehab_pose.session.file_names import JOURNAL
from rehab_pose.session.journal import read_journal
from rehab_pose.session.observation import GapReason
from rehab_pose.session.state import SessionStage
from rehab_pose.units import NS_PER_S
from rehab_pose_lab.benchmarks.running_graph import use_private_domain

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["kill_metrics"]

FRAME_PERIOD_S = 1.0 / 30.0
FRAMES_PER_REPETITION = 45
"""A repetition is finished every 1.5 s, twice as fast as people do them, so that some fall into each outage. The topic
keeps 50, for outages of 75 s."""
LONGEST_LIFE_S = 1.5
"""Kills come at a random moment up to this time after the session runs again [s]."""
TIMEOUT_S = 60.0
SETTLE_S = 3.0
"""Time at the end for the last repetitions to arrive [s]."""
LABEL = "squat"


@dataclass
class _Exercise:
    """Publishes a person who does squats without a pause."""

    node: Node
    executor: SingleThreadedExecutor
    published: list[Repetition] = field(default_factory=list)
    states: list[Any] = field(default_factory=list)
    frames: int = 0

    @classmethod
    def start(cls) -> _Exercise:
        node = Node("exercise_bench", namespace=nodes_namespace())
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        exercise = cls(node, executor)
        factory = RosMessageFactory()
        publishers = {
            topic: node.create_publisher(message_class(topic.type_name), topic.name, qos(topic.delivery))
            for topic in (topics.EXERCISE, topics.REPETITION)
        }
        state = message_class(topics.SESSION_STATE.type_name)
        node.create_subscription(
            state, topics.SESSION_STATE.name, exercise.states.append, qos(topics.SESSION_STATE.delivery)
        )

        def frame() -> None:
            now_ns = time.time_ns()
            exercise.frames += 1
            classification = ExerciseClassification(
                now_ns, "cam", now_ns - NS_PER_S, LABEL, 0.9, np.full(len(LABELS), 0.1), False, "bench"
            )
            publishers[topics.EXERCISE].publish(classification_message(factory, classification))
            if exercise.frames % FRAMES_PER_REPETITION == 0:
                start_ns = now_ns - round(FRAMES_PER_REPETITION * FRAME_PERIOD_S * NS_PER_S)
                number = len(exercise.published) + 1
                done = Repetition(now_ns, "cam", LABEL, number, start_ns, now_ns, "pelvis_height_m", 0.4, 0.9, 0.5)
                publishers[topics.REPETITION].publish(repetition_message(factory, done))
                exercise.published.append(done)

        node.create_timer(FRAME_PERIOD_S, frame)
        return exercise

    def wait(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        end_s = time.monotonic() + timeout_s
        while not condition() and time.monotonic() < end_s:
            self.executor.spin_once(timeout_sec=0.02)
        return condition()

    def call(self, kind: str, name: str, **fields: object) -> Any:  # noqa: ANN401  (a response of any service)
        service = message_class(f"rehab_pose_msgs/srv/{kind}")
        client = self.node.create_client(service, name)
        if not self.wait(client.service_is_ready, TIMEOUT_S):
            msg = f"expected the service {name} within {TIMEOUT_S:g} s; the session node does not run"
            raise RehabPoseError(msg)
        future = client.call_async(service.Request(**fields))
        self.wait(future.done, TIMEOUT_S)
        self.node.destroy_client(client)
        return future.result()


def kill_metrics(kills: int, log: Callable[[str], None], seed: int = 0) -> dict[str, float]:
    """Return how many repetitions a session loses or counts twice when its node is killed.

    Args:
        kills: Number of kills during one session.
        log: Called with a line about each tenth kill.
        seed: Seed of the moments.

    Raises:
        RehabPoseError: The session node does not start.
    """
    use_private_domain()
    with TemporaryDirectory(prefix="rehab_pose_kills_") as folder:
        rclpy.init(args=["bench", "--ros-args", "--log-level", "error"])
        try:
            return _killed_session(Path(folder), kills, log, seed)
        finally:
            rclpy.try_shutdown()


def _start_node(folder: Path) -> subprocess.Popen[bytes]:
    words = ["--ros-args", "--log-level", "fatal", "-p", f"session.folder:={folder}"]
    return subprocess.Popen(  # noqa: S603  (our own module)
        [sys.executable, "-m", "rehab_pose.nodes.session", *words],
        env=node_environment(),
        stdout=subprocess.DEVNULL,
    )


def _killed_session(folder: Path, kills: int, log: Callable[[str], None], seed: int) -> dict[str, float]:
    exercise, moments = _Exercise.start(), np.random.default_rng(seed)
    process = _start_node(folder)
    respawn_s: list[float] = []
    killed_ns: list[int] = []
    try:
        started = exercise.call("StartSession", "start_session", session_id="bench", recording=1)
        if started is None or not started.success:
            msg = f"the session did not start: {started.message if started else 'no answer'}"
            raise RehabPoseError(msg)
        for number in range(1, kills + 1):
            exercise.wait(lambda: False, moments.uniform(0.0, LONGEST_LIFE_S))
            process.kill()
            killed_ns.append(time.time_ns())
            process.wait()
            exercise.states.clear()
            start_s = time.monotonic()
            process = _start_node(folder)
            if not exercise.wait(lambda: _runs(exercise.states), TIMEOUT_S):
                msg = f"after kill {number} the session was not continued within {TIMEOUT_S:g} s"
                raise RehabPoseError(msg)
            respawn_s.append(time.monotonic() - start_s)
            if number % 10 == 0:
                log(f"{number} kills")
        last = len(exercise.published)
        exercise.wait(lambda: False, SETTLE_S)
        exercise.call("StopSession", "stop_session")
    finally:
        process.terminate()
        process.wait(TIMEOUT_S)
    return {
        "kills": float(kills),
        **_report_metrics(folder / "bench", exercise.published[:last], killed_ns),
        "respawn_p95_s": float(np.percentile(respawn_s, 95)) if respawn_s else float("nan"),
        "respawn_max_s": max(respawn_s, default=float("nan")),
        **_recording_metrics(folder / "bench", killed_ns),
    }


def _runs(states: list[Any]) -> bool:
    return any(state.state == SessionStage.RUNNING for state in states)


def _report_metrics(folder: Path, published: list[Repetition], killed_ns: list[int]) -> dict[str, float]:
    """Return the repetitions that were published during the session and are not once in its report.

    Args:
        folder: The session's folder.
        published: All repetitions that must have arrived before the end.
        killed_ns: Times of the kills [ns].
    """
    [report] = folder.glob("*_repetitions.json")
    content, journal = json.loads(report.read_text()), read_journal(folder)
    reported = [entry["end_ns"] for entry in content["repetitions"]]
    start_ns = journal.header.since_ns or content["session"]["first_stamp_ns"]
    expected, before = _expected_and_earlier(published, start_ns)
    gaps = [gap for gap in content["session"]["gaps"] if gap["reason"] == GapReason.SESSION_NODE_DOWN.value]
    unnamed = [at_ns for at_ns in killed_ns if not any(gap["start_ns"] <= at_ns <= gap["end_ns"] for gap in gaps)]
    return {
        "repetitions": float(len(expected)),
        "repetitions_lost": float(len(expected - set(reported))),
        "repetitions_doubled": float(len(reported) - len(set(reported))),
        "repetitions_of_before": float(len(set(reported) & before)),
        "outages_unnamed": float(len(unnamed)),
        "journal_lines_unreadable": float(journal.unreadable_lines),
        "journal_kb": (folder / JOURNAL).stat().st_size / 1e3,
    }


def _expected_and_earlier(published: list[Repetition], start_ns: int) -> tuple[set[int], set[int]]:
    """Return the ends [ns] of the repetitions that a session must count, and of those that it must not.

    One that ended in the very frame at which the session started may be reported before the start or after it: it is in
    neither set.
    """
    expected = {repetition.end_ns for repetition in published if repetition.stamp_ns > start_ns}
    earlier = {repetition.end_ns for repetition in published if repetition.stamp_ns < start_ns}
    return expected, earlier


def _recording_metrics(folder: Path, killed_ns: list[int]) -> dict[str, float]:
    """Return how much of the end of each part of the recording is missing: what was not written before the kill."""
    lost_s, unreadable = [], 0
    for name, at_ns in zip(read_journal(folder).recordings, killed_ns, strict=False):
        try:
            with BagReader(folder / name) as bag:
                newest = max((message.time_ns for message in bag.serialized()), default=None)
        except RehabPoseError:
            newest = None
        if newest is None:
            unreadable += 1  # killed before its first second
        else:
            lost_s.append((at_ns - newest) / NS_PER_S)
    return {
        "recording_lost_max_s": max(lost_s, default=float("nan")),
        "recordings_without_a_message": float(unreadable),
    }
