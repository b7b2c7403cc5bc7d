"""The commands `session start`, `stop` and `status` against a session node over DDS."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.node import Node

from rehab_pose.cli.main import main
from rehab_pose.messages import topics
from rehab_pose.messages.exercise import exercise_list_message
from rehab_pose.messages.topic_names import NAMESPACE
from rehab_pose.nodes.session import SessionNode
from rehab_pose.ros.io.message_factory import RosMessageFactory, message_class
from rehab_pose.ros.io.qos import qos
from rehab_pose.session.journal import read_journal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def publish_list_later() -> None:
    """Publish the list of a recogniser that knows the exercise `bridge` after a second, and keep it for a while."""
    node = Node("recogniser", namespace=NAMESPACE)
    time.sleep(1.0)
    topic = topics.EXERCISE_LIST
    publisher = node.create_publisher(message_class(topic.type_name), topic.name, qos(topic.delivery))
    publisher.publish(exercise_list_message(RosMessageFactory(), ("none", "squat", "bridge")))
    time.sleep(3.0)
    node.destroy_node()


def run(*arguments: str) -> int:
    return main(["session", *arguments])


@pytest.fixture
def sessions(ros: Any, tmp_path: Path) -> Iterator[Path]:  # noqa: ANN401
    """Run a session node in a thread; yield the folder of its sessions."""
    ros("-p", f"session.folder:={tmp_path / 'sessions'}")
    node, executor = SessionNode(), SingleThreadedExecutor()
    executor.add_node(node)

    def spin() -> None:
        try:
            executor.spin()
        except ExternalShutdownException:
            return

    thread = threading.Thread(target=spin)
    thread.start()
    yield tmp_path / "sessions"
    executor.shutdown()
    thread.join()
    node.close()
    node.destroy_node()


def test_a_session_is_started_shown_and_stopped_by_command(sessions: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("status") == 1
    assert "there was none" in capsys.readouterr().out
    words = ("--exercise", "lateral trunk tilt", "--side", "left")
    assert run("start", "P01", *words, "--recording", "nothing") == 0
    assert (
        "Lateral tilt of the trunk with the arms up, 0 repetitions, left side; recording nothing"
        in capsys.readouterr().out
    )
    assert run("start", "P02", "--exercise", "squat", "--side", "both", "--recording", "nothing") == 0
    answer = capsys.readouterr().out
    assert "ended P01_" in answer
    assert "started P02_" in answer
    assert run("status") == 0
    assert "is running: Squat, 0 repetitions" in capsys.readouterr().out
    assert run("stop") == 0
    assert "0 repetitions counted\nreport: " in capsys.readouterr().out
    assert run("stop") == 1
    first, second = (read_journal(folder) for folder in sorted(sessions.iterdir()) if folder.is_dir())
    assert (first.header.exercise, first.header.side, first.header.target) == ("lateral_trunk_tilt", "left", 0)
    assert (second.header.exercise, second.header.side, second.header.recording) == ("squat", "any", "nothing")


@pytest.mark.usefixtures("sessions")
def test_a_recogniser_that_is_still_starting_is_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    starter = threading.Thread(target=publish_list_later)
    starter.start()
    assert run("start", "P01", "--exercise", "bridge", "--recording", "nothing") == 0
    starter.join()
    assert "Bridge" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("P01", "--exercise", "sqat"), "there is no exercise 'sqat'; did you mean squat?"),
        (("P 01",), "expected a code"),
        (("P01", "--exercise", "squat", "--side", "left"), "both sides do squat together"),
    ],
    ids=["exercise", "code", "side"],
)
@pytest.mark.usefixtures("sessions")
def test_what_cannot_be_started_is_refused_with_the_reason(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    sentence: str,
) -> None:
    monkeypatch.setattr("rehab_pose.ros.adapters.session_client.ANSWER_S", 2.0)
    assert run("start", *arguments) == 2
    assert sentence in capsys.readouterr().err
    assert run("status") == 1


def test_without_a_graph_the_answer_is_one_sentence(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rehab_pose.ros.adapters.session_client.DISCOVERY_S", 0.3)
    assert run("stop") == 2
    assert capsys.readouterr().err.count("\n") == 1
