"""A session counts the repetitions that belong to it, and ends when its target is reached."""

from __future__ import annotations

import pytest

from rehab_pose.exercise.catalogue import LABELS
from rehab_pose.ros.session import Session, SessionStage

SQUAT = LABELS.index("squat")


def test_only_repetitions_of_the_wanted_exercise_count() -> None:
    session = Session()
    session.start("s", SQUAT, 0)
    assert session.count("squat")
    assert not session.count("arm_lifting")
    assert session.repetitions == 1


def test_any_exercise_counts_where_none_was_named() -> None:
    session = Session()
    session.start("s", 0, 0)
    assert session.count("squat")
    assert session.count("arm_lifting")
    assert session.repetitions == 2


def test_the_session_is_done_at_its_target() -> None:
    session = Session()
    session.start("s", 0, 2)
    stages = []
    for _ in range(3):
        session.count("squat")
        stages.append(session.stage)
    assert stages == [SessionStage.RUNNING, SessionStage.DONE, SessionStage.DONE]
    assert session.repetitions == 2


@pytest.mark.parametrize("started", [True, False])
def test_stopping_tells_whether_something_ran(started: bool) -> None:
    session = Session()
    if started:
        session.start("s", 0, 0)
    assert session.stop() is started
    assert not session.count("squat")


def test_the_services_answer(ros: object) -> None:
    from rclpy.executors import SingleThreadedExecutor  # noqa: PLC0415
    from rclpy.node import Node  # noqa: PLC0415

    from rehab_pose.messages import topics  # noqa: PLC0415
    from rehab_pose.ros.carrier import message_class  # noqa: PLC0415
    from rehab_pose.ros.session import SessionServices  # noqa: PLC0415
    from rehab_pose.ros.stage_node import StageNode  # noqa: PLC0415

    assert ros is not None
    server, client_node = StageNode("server"), Node("client")
    SessionServices(server, server.output(topics.SESSION_STATE))
    executor = SingleThreadedExecutor()
    executor.add_node(server)
    executor.add_node(client_node)

    def ask(kind: str, name: str, **fields: object) -> object:
        service = message_class(f"rehab_pose_msgs/srv/{kind}")
        client = client_node.create_client(service, name)
        assert client.wait_for_service(timeout_sec=5.0)
        future = client.call_async(service.Request(**fields))
        executor.spin_until_future_complete(future, timeout_sec=5.0)
        return future.result()

    listed = ask("ListExercises", "list_exercises")
    assert list(getattr(listed, "labels", [])) == list(LABELS)
    started = ask("StartSession", "start_session", session_id="monday", exercise_id=SQUAT, target_repetitions=5)
    assert (getattr(started, "success", None), getattr(started, "session_id", None)) == (True, "monday")
    refused = ask("StartSession", "start_session", session_id="x", exercise_id=99)
    assert getattr(refused, "success", None) is False
    assert "expected an exercise_id from 0 to 5, got 99" in getattr(refused, "message", "")
    assert getattr(ask("StopSession", "stop_session"), "success", None) is True
    assert getattr(ask("StopSession", "stop_session"), "success", None) is False
    server.close()
    executor.shutdown()
