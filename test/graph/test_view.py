"""The page of a running graph: shows the topics, its buttons reach the session node, and it survives a kill."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from rehab_pose.bags.writer import BagWriter
from rehab_pose.datatypes import ExerciseClassification, Joints, JointVisibility
from rehab_pose.messages import topics
from rehab_pose.messages.exercise import classification_message, exercise_list_message
from rehab_pose.messages.joints import joints_message
from rehab_pose.skeletons.smpl24 import SMPL_24
from rehab_pose.units import NS_PER_S
from rehab_pose.view.wire import decode_message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

websockets = pytest.importorskip("websockets.sync.client", reason="the extra `view` is not installed")
WebSocketException = pytest.importorskip("websockets.exceptions").WebSocketException
pytestmark = pytest.mark.graph

COMMAND = "rehab_pose.cli.main"
START_S = 60.0
FRAMES, RATE_HZ = 40, 10.0


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bag with the results of a person who squats, without repetitions."""
    path = tmp_path_factory.mktemp("results") / "bag"
    count = len(SMPL_24)
    with BagWriter(path) as bag:
        bag.write(topics.EXERCISE_LIST, NS_PER_S, exercise_list_message(bag.factory))
        for index in range(FRAMES):
            stamp = NS_PER_S + round(index * NS_PER_S / RATE_HZ)
            joints = Joints(
                stamp,
                "camera",
                SMPL_24,
                np.tile([0.1, 0.2, 2.0], (count, 1)),
                np.full(count, 0.9),
                np.full(count, np.nan),
                np.full(count, JointVisibility.OBSERVED, np.uint8),
            )
            label = ExerciseClassification(stamp, "camera", stamp, "squat", 0.9, np.full(6, 1 / 6), False, "test")
            bag.write(topics.JOINTS, stamp, joints_message(bag.factory, stamp, "camera", joints))
            bag.write(topics.EXERCISE, stamp, classification_message(bag.factory, label))
    return path


class LivePage:
    """A page without a browser: keeps the newest content of each part."""

    def __init__(self, socket: Any) -> None:  # noqa: ANN401  (websockets is not typed here)
        self._socket = socket
        self.contents: dict[str, Any] = {}

    def wait_for(self, condition: Callable[[dict[str, Any]], bool]) -> bool:
        end_s = time.monotonic() + START_S
        while not condition(self.contents) and time.monotonic() < end_s:
            number, contents, _ = decode_message(self._socket.recv(START_S))
            self.contents |= contents
            self.send({"acknowledge": number})
        return condition(self.contents)

    def send(self, message: dict[str, Any]) -> None:
        self._socket.send(json.dumps(message))


@contextmanager
def opened(address: str) -> Iterator[LivePage]:
    host, token = re.findall(r"http://([\d.:]+)/\?token=(\S+)", address)[-1]
    with websockets.connect(f"ws://{host}/state?token={token}", origin=f"http://{host}") as socket:
        yield LivePage(socket)


def answers(address: str) -> bool:
    """Return whether the page can be opened."""
    try:
        with opened(address):
            return True
    except (OSError, WebSocketException):
        return False


def test_the_page_shows_the_graph_and_its_buttons_reach_the_session_node(
    program: Callable[..., Any], wait: Callable[..., bool], results: Path, tmp_path: Path
) -> None:
    folder = f"session.folder:={tmp_path / 'sessions'}"
    run = program(COMMAND, "run", "--nodes", "session,view", "--port", "0", "--no-open", "--ros-args", "-p", folder)
    assert run.wait_for_output("live page: http", START_S), run.output
    program(COMMAND, "play", str(results), "--loop", "--wait", "1")
    with opened(run.output) as page:
        _use(page)
    _kill_node(run.process.pid, "view")
    assert wait(lambda: answers(run.output), START_S), "the restarted page has the same address"
    with opened(run.output) as page:
        assert page.wait_for(lambda parts: "joints" in parts)
    assert "Traceback" not in run.output


def _use(page: LivePage) -> None:
    assert page.wait_for(lambda parts: "joints" in parts and "exercises" in parts and "session" in parts)
    assert page.contents["joints"]["tracking"] == "good"
    assert page.wait_for(lambda parts: parts.get("exercise", {}).get("displayed") == "Squat")
    assert ["squat", "Squat"] in page.contents["exercises"]["exercises"]
    page.send({"command": "start", "exercise": "squat", "side": "both", "repetitions": 3, "subject_code": "P01"})
    assert page.wait_for(lambda parts: parts["session"]["running"])
    assert (page.contents["session"]["displayed"], page.contents["session"]["target"]) == ("Squat", 3)
    assert page.wait_for(lambda parts: "cue" in parts)
    assert page.contents["cue"]["words"] == "Squat, 3 repetitions. Begin when you are ready."
    page.send({"command": "start", "exercise": "squat", "side": "any", "repetitions": 1, "subject_code": "P02"})
    assert page.wait_for(lambda parts: "another exercise is running" in parts.get("notice", {}).get("words", ""))
    page.send({"command": "stop"})
    assert page.wait_for(lambda parts: not parts["session"]["running"])
    assert page.wait_for(lambda parts: parts["cue"]["words"] == "The exercise has ended, 0 of 3 done.")


def _kill_node(launcher: int, name: str) -> None:
    children = Path(f"/proc/{launcher}/task/{launcher}/children").read_text(encoding="ascii").split()
    [pid] = [
        int(child)
        for child in children
        if f"rehab_pose.nodes.{name}\0" in Path(f"/proc/{child}/cmdline").read_text(encoding="utf-8")
    ]
    os.kill(pid, signal.SIGKILL)
