"""The session node over real DDS: services, the action, recordings and reports."""

from __future__ import annotations

import json
import math
import re
import time
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from rehab_pose.bags.reader import BagReader
from rehab_pose.bags.writer import BagWriter
from rehab_pose.datatypes import ExerciseClassification, Repetition, RepetitionPhase, RepetitionProgress, Side
from rehab_pose.errors import RecordingError
from rehab_pose.exercise.catalogue import LABELS, UNLISTED_ID
from rehab_pose.messages import topics
from rehab_pose.messages.exercise import (
    classification_message,
    exercise_list_message,
    progress_message,
    repetition_message,
)
from rehab_pose.messages.factory import stamp_ns
from rehab_pose.messages.topic_names import NAMESPACE
from rehab_pose.nodes.session import SessionNode
from rehab_pose.ros.io.message_factory import RosMessageFactory, message_class
from rehab_pose.ros.io.qos import qos
from rehab_pose.units import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SQUAT = LABELS.index("squat")
TIMEOUT_S = 10.0
FULL = "bag: No space left on device"
ACTION = message_class("rehab_pose_msgs/action/RunExercise")


class Exercise:
    """Publishes the inputs of the session node, and calls its services and its action."""

    def __init__(self, session: SessionNode) -> None:
        self.node = Node("exercise", namespace=NAMESPACE)
        self.session = session
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(session)
        self.executor.add_node(self.node)
        self.factory = RosMessageFactory()
        self.stamp_ns = 100 * NS_PER_S
        self.states: list[Any] = []
        self.feedback: list[Any] = []
        outputs = (
            *(topics.EXERCISE, topics.EXERCISE_LIST, topics.REPETITION, topics.REPETITION_PROGRESS),
            *(topics.JOINTS, topics.VERTICES),
        )
        self.publishers = {
            topic: self.node.create_publisher(message_class(topic.type_name), topic.name, qos(topic.delivery))
            for topic in outputs
        }
        state = message_class(topics.SESSION_STATE.type_name)
        self.node.create_subscription(
            state, topics.SESSION_STATE.name, self.states.append, qos(topics.Delivery.LATCHED)
        )
        self.client = ActionClient(self.node, ACTION, "run_exercise")
        inputs = (topics.EXERCISE, topics.EXERCISE_LIST, topics.REPETITION, topics.REPETITION_PROGRESS)
        assert self.wait_until(lambda: all(self.publishers[topic].get_subscription_count() for topic in inputs))
        assert self.wait_until(lambda: bool(self.states))
        assert self.wait_until(self.client.server_is_ready)

    def assistant(self) -> Node:
        """Return a node outside the namespace of the graph, as a robot's own programs are."""
        node = Node("robot_assistant")
        self.executor.add_node(node)
        return node

    def wait_until(self, condition: Callable[[], bool], timeout_s: float = TIMEOUT_S) -> bool:
        end_s = time.monotonic() + timeout_s
        while not condition() and time.monotonic() < end_s:
            self.executor.spin_once(timeout_sec=0.02)
        return condition()

    def call(self, kind: str, name: str, **fields: object) -> Any:  # noqa: ANN401
        service = message_class(f"rehab_pose_msgs/srv/{kind}")
        client = self.node.create_client(service, name)
        assert client.wait_for_service(timeout_sec=TIMEOUT_S)
        future = client.call_async(service.Request(**fields))
        assert self.wait_until(future.done)
        return future.result()

    def publish_repetition(self, label: str, side: Side = Side.ANY, quality: float = 0.5) -> Repetition:
        """Publish a repetition after two seconds of the camera's time, and wait until the node has received it."""
        self.stamp_ns += 2 * NS_PER_S
        end_ns = self.stamp_ns - NS_PER_S // 2
        start_ns = end_ns - NS_PER_S
        done = Repetition(
            self.stamp_ns, "cam", label, 1, start_ns, end_ns, "pelvis_height_m", 0.4, 0.9, quality, side, reasons=("a",)
        )
        self.publish_classification(label)
        received = self.session.health.inputs[topics.REPETITION.name].received
        self.publishers[topics.REPETITION].publish(repetition_message(self.factory, done))
        assert self.wait_until(lambda: self.session.health.inputs[topics.REPETITION.name].received > received)
        return done

    def publish_classification(self, label: str) -> None:
        """Publish the classification of the newest frame, and wait until the node has received it."""
        result = ExerciseClassification(self.stamp_ns, "cam", 0, label, 0.9, [0.1] * len(LABELS), False, "m")  # type: ignore[arg-type]
        received = self.session.health.inputs[topics.EXERCISE.name].received
        self.publishers[topics.EXERCISE].publish(classification_message(self.factory, result))
        assert self.wait_until(lambda: self.session.health.inputs[topics.EXERCISE.name].received > received)

    def frame(self, label: str = "squat") -> None:
        """Publish the classification and the progress of one frame, and wait until the node has received them."""
        self.stamp_ns += NS_PER_S // 30
        progress = RepetitionProgress(self.stamp_ns, "cam", label, 0, RepetitionPhase.OUT, "pelvis_height_m", 0.5, 0.2)
        self.publish_classification(label)
        received = self.session.health.inputs[topics.REPETITION_PROGRESS.name].received
        self.publishers[topics.REPETITION_PROGRESS].publish(
            progress_message(self.factory, self.stamp_ns, "cam", progress)
        )
        assert self.wait_until(lambda: self.session.health.inputs[topics.REPETITION_PROGRESS.name].received > received)

    def publish_list(self, *labels: str) -> None:
        """Publish the labels of the recogniser, and wait until the node has received them."""
        received = self.session.health.inputs[topics.EXERCISE_LIST.name].received
        self.publishers[topics.EXERCISE_LIST].publish(exercise_list_message(self.factory, labels))
        assert self.wait_until(lambda: self.session.health.inputs[topics.EXERCISE_LIST.name].received > received)

    def goal(self, **fields: object) -> Any:  # noqa: ANN401
        future = self.client.send_goal_async(
            ACTION.Goal(**fields), feedback_callback=lambda message: self.feedback.append(message.feedback)
        )
        assert self.wait_until(future.done)
        return future.result()

    def result(self, handle: Any) -> tuple[int, Any]:  # noqa: ANN401
        future = handle.get_result_async()
        assert self.wait_until(future.done)
        response = future.result()
        return response.status, response.result


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "sessions"


@pytest.fixture
def exercise(ros: Any, folder: Path) -> Iterator[Exercise]:  # noqa: ANN401
    ros("-p", f"session.folder:={folder}")
    node = SessionNode()
    client = Exercise(node)
    client.frame()
    yield client
    client.session.close()
    client.executor.shutdown()
    for one in (client.session, client.node):  # the last repetitions are kept for the next test's node otherwise
        one.destroy_node()


def test_the_services_start_and_stop_a_session_and_list_the_exercises(exercise: Exercise) -> None:
    assert list(exercise.call("ListExercises", "list_exercises").labels) == list(LABELS)
    started = exercise.call("StartSession", "start_session", session_id="monday", exercise_id=SQUAT, subject_code="p7")
    assert (started.success, started.session_id, started.recording_path) == (True, "monday", "")
    exercise.publish_repetition("squat")
    exercise.publish_repetition("arm_lifting")
    stopped = exercise.call("StopSession", "stop_session")
    assert (stopped.success, stopped.repetitions) == (True, 1)
    assert exercise.call("StopSession", "stop_session").success is False
    assert exercise.wait_until(lambda: exercise.states[-1].message == "stopped")
    state = exercise.states[-1]
    assert (state.session_id, state.subject_code, state.repetitions, state.state) == ("monday", "p7", 1, state.DONE)


def test_an_added_exercise_is_listed_and_selected_by_its_name(exercise: Exercise) -> None:
    refused = exercise.call("StartSession", "start_session", session_id="s1", exercise="bridge")
    assert not refused.success
    assert "has not sent its list" in refused.message
    exercise.publish_list(*LABELS, "bridge")
    listed = exercise.call("ListExercises", "list_exercises")
    assert list(listed.labels) == [*LABELS, "bridge"]
    assert list(listed.ids) == [*range(len(LABELS)), UNLISTED_ID]
    refused = exercise.call("StartSession", "start_session", session_id="s1", exercise="brige")
    assert "did you mean bridge?" in refused.message
    assert exercise.call("StartSession", "start_session", session_id="s1", exercise="bridge").success
    exercise.publish_repetition("squat")
    exercise.publish_repetition("bridge")
    assert exercise.wait_until(lambda: exercise.states[-1].repetitions == 1)
    assert (exercise.states[-1].exercise, exercise.states[-1].exercise_id) == ("bridge", UNLISTED_ID)
    assert exercise.call("StopSession", "stop_session").repetitions == 1
    handle = exercise.goal(exercise="bridge", repetitions=1)
    exercise.publish_repetition("squat")
    exercise.publish_repetition("bridge")
    status, result = exercise.result(handle)
    assert status == GoalStatus.STATUS_SUCCEEDED
    assert (result.repetitions, result.other_exercises) == (1, 1)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"exercise_id": 99}, "expected an exercise_id from 0 to"),
        ({"exercise": "sqat"}, "exercise: expected one that the recogniser knows"),
        ({"subject_code": "../../etc"}, "subject_code: expected a code"),
        ({"session_id": "a/b"}, "session_id: expected a code"),
        ({"recording": 9}, r"expected a recording of 0 \(nothing\), 1 \(results\)"),
    ],
    ids=["exercise", "name", "subject", "session", "recording"],
)
def test_an_invalid_session_is_refused_with_the_reason_and_the_running_one_continues(
    exercise: Exercise, folder: Path, fields: dict[str, object], sentence: str
) -> None:
    assert exercise.call("StartSession", "start_session", session_id="first").success
    refused = exercise.call("StartSession", "start_session", **fields)
    assert not refused.success
    assert refused.session_id == "first"
    assert re.match(sentence, refused.message)
    assert [entry.name for entry in folder.iterdir() if entry.is_dir()] == ["first"]


def test_the_report_contains_every_repetition(exercise: Exercise, folder: Path) -> None:
    exercise.call("StartSession", "start_session", session_id="s1", subject_code="p7", exercise_id=SQUAT)
    done = [
        exercise.publish_repetition("squat"),
        exercise.publish_repetition("arm_lifting"),
        exercise.publish_repetition("squat"),
    ]
    path = Path(exercise.call("StopSession", "stop_session").report_path)
    assert path.parent == folder / "p7_s1"
    content = json.loads(path.read_text())
    assert (content["session_id"], content["subject_code"]) == ("s1", "p7")
    assert [entry["label"] for entry in content["repetitions"]] == [repetition.label for repetition in done]
    assert path.parent.stat().st_mode & 0o077 == 0, "health data: other users must not read the folder"


@pytest.mark.parametrize(("tier", "mesh"), [(1, False), (2, True)], ids=["results", "mesh"])
def test_a_recording_contains_the_topics_of_its_tier(exercise: Exercise, folder: Path, tier: int, mesh: bool) -> None:
    started = exercise.call("StartSession", "start_session", session_id="s1", recording=tier)
    assert started.recording_path == str(folder / "s1" / "recording")
    recorded = [topics.JOINTS, topics.VERTICES] if mesh else [topics.JOINTS]
    assert exercise.wait_until(lambda: all(exercise.publishers[topic].get_subscription_count() for topic in recorded))
    for topic in (topics.JOINTS, topics.VERTICES):
        exercise.publishers[topic].publish(message_class(topic.type_name)())
    exercise.publish_repetition("squat")
    exercise.wait_until(lambda: False, 0.3)
    assert exercise.call("StopSession", "stop_session").recording_path == started.recording_path
    with BagReader(started.recording_path) as bag:
        counts = {name: topic.count for name, topic in bag.topics.items()}
    assert counts["/rehab_pose/joints"] == counts["/rehab_pose/repetition"] == 1
    assert counts["/rehab_pose/session_state"] >= 1
    assert counts.get("/rehab_pose/body/vertices", 0) == int(mesh)
    assert not any("rgb/image" in name for name in counts)


def test_a_recording_contains_no_repetition_of_an_earlier_session(exercise: Exercise) -> None:
    exercise.publish_repetition("squat")  # the topic keeps it for late subscribers
    started = exercise.call("StartSession", "start_session", session_id="s1", recording=1)
    exercise.wait_until(lambda: False, 1.0)
    later = exercise.publish_repetition("squat")
    exercise.wait_until(lambda: False, 0.3)
    report = Path(exercise.call("StopSession", "stop_session").report_path)
    with BagReader(started.recording_path) as bag:
        recorded = [stamp_ns(message.end) for _, _, message in bag.messages("repetition")]
        assert bag.topics["/rehab_pose/repetition"].depth == 50, "a player offers them as they were offered"
    assert recorded == [later.end_ns]
    assert [entry["end_ns"] for entry in json.loads(report.read_text())["repetitions"]] == [later.end_ns]


def test_a_failing_recorder_ends_the_recording_and_not_the_session(
    exercise: Exercise, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = exercise.call("StartSession", "start_session", session_id="s1", recording=1)
    exercise.publish_repetition("squat")
    exercise.wait_until(lambda: False, 1.2)

    def full(*_: object, **__: object) -> None:
        raise RecordingError(FULL)

    monkeypatch.setattr(BagWriter, "write_serialized", full)
    exercise.publish_repetition("squat")
    assert exercise.wait_until(lambda: exercise.states[-1].message.startswith("the recording was ended")), (
        "no complaint"
    )
    assert FULL in exercise.states[-1].message
    assert FULL in exercise.session.health.report().message
    exercise.publish_repetition("squat")
    stopped = exercise.call("StopSession", "stop_session")
    assert (stopped.success, stopped.repetitions) == (True, 3)
    assert len(json.loads(Path(stopped.report_path).read_text())["repetitions"]) == 3
    with BagReader(started.recording_path) as bag:
        assert not bag.losses
        assert bag.topics["/rehab_pose/repetition"].count == 1


def test_a_node_that_starts_again_continues_the_session(exercise: Exercise, folder: Path) -> None:
    exercise.call("StartSession", "start_session", session_id="s1", subject_code="p7", target_repetitions=3)
    exercise.publish_repetition("squat")
    files = exercise.session._controller._files
    assert files is not None
    files._journal.close()  # as the system does when the process is killed
    exercise.executor.remove_node(exercise.session)
    missed = replace(
        late_repetition(exercise, seconds=0), stamp_ns=exercise.stamp_ns + NS_PER_S, end_ns=exercise.stamp_ns + NS_PER_S
    )
    exercise.publishers[topics.REPETITION].publish(repetition_message(exercise.factory, missed))
    exercise.states.clear()
    again = SessionNode()
    exercise.executor.add_node(again)
    try:
        assert exercise.wait_until(lambda: any("continued" in state.message for state in exercise.states))
        assert exercise.wait_until(lambda: len(again._controller.session.tally.counted) == 2), "the missed one"
        assert exercise.states[-1].state == exercise.states[-1].RUNNING
    finally:
        again.close()
        exercise.executor.remove_node(again)
        again.destroy_node()
    content = json.loads((folder / "p7_s1" / "s1_repetitions.json").read_text())
    assert [entry["end_ns"] for entry in content["repetitions"]][-1] == missed.end_ns
    assert content["session"]["continued"] == 1


def test_a_goal_that_is_sent_again_after_a_restart_continues(exercise: Exercise) -> None:
    fields = {"exercise": "squat", "repetitions": 3, "subject_code": "p7"}
    assert exercise.goal(**fields).accepted
    exercise.publish_repetition("squat")
    files = exercise.session._controller._files
    assert files is not None
    files.end_recording()
    files._journal.close()  # as the system does when the process is killed
    exercise.executor.remove_node(exercise.session)
    exercise.session._action.close()
    exercise.session.destroy_node()
    exercise.session = SessionNode()
    exercise.executor.add_node(exercise.session)
    assert exercise.wait_until(exercise.client.server_is_ready)
    assert exercise.wait_until(lambda: all(p.get_subscription_count() for p in list(exercise.publishers.values())[:3]))
    handle = exercise.goal(**fields)
    assert handle.accepted
    exercise.publish_repetition("squat")
    exercise.publish_repetition("squat")
    status, result = exercise.result(handle)
    assert (status, result.repetitions) == (GoalStatus.STATUS_SUCCEEDED, 3)
    assert len(json.loads(Path(result.report_path).read_text())["repetitions"]) == 3
    assert not exercise.session._controller.session.running


def test_an_existing_recording_is_not_overwritten(exercise: Exercise) -> None:
    for expected in (True, False):
        response = exercise.call("StartSession", "start_session", session_id="s1", recording=1)
        assert response.success is expected
        exercise.call("StopSession", "stop_session")
    assert "exists already; choose another" in response.message


def test_stopping_the_node_finishes_the_recording(exercise: Exercise) -> None:
    started = exercise.call("StartSession", "start_session", session_id="s1", recording=1)
    exercise.publish_repetition("squat")
    exercise.session.close()
    with BagReader(started.recording_path) as bag:
        assert "/rehab_pose/session_state" in bag.topics


def test_a_goal_gets_feedback_and_succeeds_at_its_last_repetition(exercise: Exercise, folder: Path) -> None:
    exercise.frame()
    handle = exercise.goal(exercise_id=SQUAT, repetitions=2, side=Side.LEFT, subject_code="p7")
    assert handle.accepted
    exercise.publish_repetition("squat", Side.LEFT, quality=0.4)
    exercise.frame()
    assert exercise.wait_until(lambda: any(entry.repetitions == 1 for entry in exercise.feedback))
    feedback = next(entry for entry in exercise.feedback if entry.repetitions == 1)
    assert (feedback.label, feedback.phase, feedback.signal_name) == (
        "squat",
        int(RepetitionPhase.OUT),
        "pelvis_height_m",
    )
    assert feedback.signal == 0.5
    assert (feedback.quality, list(feedback.reasons)) == (pytest.approx(0.4), ["a"])
    exercise.publish_repetition("squat", Side.RIGHT)
    exercise.publish_repetition("arm_lifting", Side.LEFT)
    exercise.publish_repetition("squat", Side.LEFT, quality=0.8)
    status, result = exercise.result(handle)
    assert status == GoalStatus.STATUS_SUCCEEDED
    assert (result.repetitions, result.left, result.right, result.other_exercises) == (2, 2, 0, 1)
    assert result.mean_quality == pytest.approx(0.6)
    assert not result.timed_out
    assert len(json.loads(Path(result.report_path).read_text())["repetitions"]) == 4
    [own] = [entry for entry in folder.iterdir() if entry.is_dir()]
    assert re.fullmatch(r"p7_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d", own.name)
    assert (own / "recording").is_dir()
    assert not exercise.session._controller.session.running


def test_a_cancelled_goal_returns_its_result_and_the_next_goal_is_accepted(exercise: Exercise) -> None:
    handle = exercise.goal(repetitions=5)
    exercise.publish_repetition("squat")
    future = handle.cancel_goal_async()
    assert exercise.wait_until(future.done)
    status, result = exercise.result(handle)
    assert status == GoalStatus.STATUS_CANCELED
    assert (result.repetitions, result.message) == (1, "cancelled")
    assert exercise.goal(repetitions=1).accepted


def test_a_goal_ends_when_its_time_is_over(exercise: Exercise) -> None:
    start_s = time.monotonic()
    handle = exercise.goal(repetitions=5, timeout=0.5)
    status, result = exercise.result(handle)
    assert 0.4 < time.monotonic() - start_s < 5.0
    assert (status, result.timed_out, result.repetitions) == (GoalStatus.STATUS_ABORTED, True, 0)
    assert math.isnan(result.mean_quality)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"repetitions": 0}, "expected at least 1 repetition"),
        ({"repetitions": 1, "exercise_id": 99}, "expected an exercise_id from 0 to"),
        ({"repetitions": 1, "exercise": "sqat"}, "exercise: expected one that the recogniser knows"),
        ({"repetitions": 1, "side": 7}, "expected a side of 0 (any)"),
        ({"repetitions": 1, "timeout": -1.0}, "expected a timeout of 0 (none) or more seconds"),
        ({"repetitions": 1, "timeout": math.nan}, "expected a timeout of 0 (none) or more seconds"),
        ({"repetitions": 1, "subject_code": "../x"}, "subject_code: expected a code"),
    ],
    ids=["none", "exercise", "name", "side", "timeout", "nan", "subject"],
)
def test_an_invalid_goal_is_refused_and_the_reason_is_reported(
    exercise: Exercise, fields: dict[str, object], sentence: str
) -> None:
    assert not exercise.goal(**fields).accepted
    assert sentence in exercise.session.health.report().message
    assert not exercise.session._controller.session.running


def test_one_goal_at_a_time_is_accepted_and_counts_in_the_running_session(exercise: Exercise) -> None:
    exercise.call("StartSession", "start_session", session_id="monday", subject_code="p7")
    first = exercise.goal(repetitions=1, subject_code="p7")
    assert first.accepted
    assert not exercise.goal(repetitions=1).accepted
    exercise.publish_repetition("squat")
    status, _ = exercise.result(first)
    assert status == GoalStatus.STATUS_SUCCEEDED
    assert exercise.session._controller.session.running
    assert not exercise.goal(repetitions=1, subject_code="p8").accepted
    second = exercise.goal(repetitions=2)
    exercise.publish_repetition("squat")
    stopped = exercise.call("StopSession", "stop_session")
    assert stopped.repetitions == 2
    status, result = exercise.result(second)
    assert (status, result.repetitions, result.message) == (GoalStatus.STATUS_ABORTED, 1, "the session was ended")


def test_a_repetition_that_ended_before_the_goal_is_not_counted(exercise: Exercise) -> None:
    exercise.stamp_ns += 10 * NS_PER_S
    exercise.frame()
    handle = exercise.goal(repetitions=1)
    late = late_repetition(exercise, seconds=3)
    exercise.publishers[topics.REPETITION].publish(repetition_message(exercise.factory, late))
    exercise.wait_until(lambda: False, 0.3)
    assert exercise.session._controller.session.running
    exercise.publish_repetition("squat")
    assert exercise.result(handle)[0] == GoalStatus.STATUS_SUCCEEDED


def late_repetition(exercise: Exercise, seconds: int) -> Repetition:
    """Return a repetition that ended some seconds ago and is reported now."""
    now_ns = exercise.stamp_ns
    end_ns = now_ns - seconds * NS_PER_S
    one = Repetition(now_ns, "cam", "squat", 1, end_ns - NS_PER_S, end_ns, "pelvis_height_m", 0.4, 0.9, 0.5)
    return replace(one, stamp_ns=now_ns)


def test_the_folder_can_be_changed_while_the_node_runs(exercise: Exercise, tmp_path: Path) -> None:
    from rclpy.parameter import Parameter  # noqa: PLC0415

    [response] = exercise.session.set_parameters([Parameter("session.folder", value=str(tmp_path / "other"))])
    assert response.successful
    exercise.call("StartSession", "start_session", session_id="s1")
    assert exercise.call("StopSession", "stop_session").report_path.startswith(str(tmp_path / "other"))
    [response] = exercise.session.set_parameters([Parameter("session.goal_recording", value="everything")])
    assert not response.successful
    assert "expected one of nothing, results, mesh, images, got 'everything'" in response.reason


def _malformed(factory: RosMessageFactory, good: Repetition) -> dict[str, tuple[topics.Topic, Any]]:
    """Return messages that no correct publisher sends, by their fault."""
    progress = RepetitionProgress(good.stamp_ns, "cam", "squat", 0, RepetitionPhase.OUT, "pelvis_height_m", 0.5, 0.2)
    result = ExerciseClassification(good.stamp_ns, "cam", 0, "squat", 0.9, [0.1] * len(LABELS), False, "m")  # type: ignore[arg-type]
    repetition = {name: repetition_message(factory, good) for name in ("side", "quality", "name", "time")}
    repetition["side"].side = 7
    repetition["quality"].quality = -5.0
    repetition["name"].label = "no such exercise"
    repetition["time"].end.nanosec = 2 * NS_PER_S
    advance = {name: progress_message(factory, good.stamp_ns, "cam", progress) for name in ("phase", "time")}
    advance["phase"].phase = 99
    advance["time"].header.stamp.nanosec = NS_PER_S
    label = {name: classification_message(factory, result) for name in ("name", "confidence", "time")}
    label["name"].label = "no such exercise"
    label["confidence"].confidence = -5.0
    label["time"].header.stamp.nanosec = 2**32 - 1
    return {
        **{f"repetition {fault}": (topics.REPETITION, message) for fault, message in repetition.items()},
        **{f"progress {fault}": (topics.REPETITION_PROGRESS, message) for fault, message in advance.items()},
        **{f"classification {fault}": (topics.EXERCISE, message) for fault, message in label.items()},
    }


def test_malformed_results_are_counted_and_the_session_goes_on(exercise: Exercise) -> None:
    exercise.publish_list(*LABELS)
    assert exercise.call("StartSession", "start_session", session_id="s1").success
    good = exercise.publish_repetition("squat")
    health, times = exercise.session.health, 20
    for fault, (topic, message) in _malformed(exercise.factory, good).items():
        reason = f"InputError on {topic.name}"
        before = health.dropped[reason]
        for _ in range(times):
            exercise.publishers[topic].publish(message)
            received = health.inputs[topic.name].received
            assert exercise.wait_until(lambda r=received, t=topic: health.inputs[t.name].received > r), fault  # type: ignore[misc]
        assert health.dropped[reason] == before + times, fault
    assert health.report().values["dropped: InputError on repetition"] == str(4 * times)
    assert health.report().message.startswith(("label: expected", "stamp: expected", "Exercise"))
    exercise.publish_repetition("squat")
    stopped = exercise.call("StopSession", "stop_session")
    assert (stopped.success, stopped.repetitions) == (True, 2)


def test_a_programming_error_in_a_service_or_a_goal_is_answered(
    exercise: Exercise, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        msg = "mistake"
        raise KeyError(msg)

    with monkeypatch.context() as patch:
        patch.setattr(exercise.session._controller, "start", fail)
        refused = exercise.call("StartSession", "start_session", session_id="s1")
        status, result = exercise.result(exercise.goal(repetitions=1))
    assert (refused.success, refused.message) == (False, "internal error: KeyError: 'mistake'")
    assert (status, result.message) == (GoalStatus.STATUS_ABORTED, "internal error: KeyError: 'mistake'")
    assert exercise.session.health.dropped["internal error on run_exercise"] == 1
    assert exercise.goal(repetitions=1).accepted


def robot_example(repository: Path) -> Any:  # noqa: ANN401  (a module that is no part of a package)
    specification = spec_from_file_location("exercise_states", repository / "examples" / "robot" / "exercise_states.py")
    assert specification is not None
    assert specification.loader is not None
    module = module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_the_leaf_of_a_behaviour_tree_succeeds_fails_and_is_halted(exercise: Exercise, repository: Path) -> None:
    robot, said = robot_example(repository), list[str]()

    def leaf(repetitions: int, timeout_s: float) -> Any:  # noqa: ANN401
        made = robot.ExerciseLeaf(
            exercise.assistant(), robot.goal_of("P01", "squat", repetitions, timeout_s), said.append
        )
        assert exercise.wait_until(lambda: made.tick() is robot.Status.RUNNING and made._handle is not None)
        return made

    done = leaf(2, 60.0)
    for _ in range(2):
        exercise.publish_repetition("squat")
    assert exercise.wait_until(lambda: done.tick() is robot.Status.SUCCESS)
    assert done.result.repetitions == 2
    assert {"2; a"} <= set(said) <= {"1; a", "2; a"}  # feedback before its subscription was found is lost
    late = leaf(5, 0.5)
    assert exercise.wait_until(lambda: late.tick() is robot.Status.FAILURE)
    assert late.result.timed_out
    stopped = leaf(5, 60.0)
    stopped.halt()
    assert exercise.wait_until(lambda: stopped.tick() is robot.Status.FAILURE)
    assert stopped.result.message == "cancelled"


def test_the_plan_of_a_robot_offers_an_unfinished_exercise_once_more(exercise: Exercise, repository: Path) -> None:
    robot, said = robot_example(repository), list[str]()
    goals = [robot.goal_of("P01", "squat", 1, 0.3), robot.goal_of("P01", "squat", 1, 60.0)]

    def spin() -> None:
        exercise.executor.spin_once(timeout_sec=0.02)
        if said.count("squat: 1 times, please") == 3 and "well done" not in said:
            exercise.publish_repetition("squat")

    assert robot.run_exercises(exercise.assistant(), goals, said.append, spin) == [0, 1]
    assert [words for words in said if "squat" not in words and words[0] != "1"] == [
        "let us try again", "we go on with something else", "well done"
    ]  # fmt: skip
