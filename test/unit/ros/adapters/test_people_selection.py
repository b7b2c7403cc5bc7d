"""The service select_person and the list of people of a node."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rehab_pose.datatypes import SeenPerson
from rehab_pose.graph import node_spec
from rehab_pose.messages import topics
from rehab_pose.ros.adapters.people_selection import PeopleSelection
from rehab_pose.ros.io.message_factory import RosMessageFactory, message_class
from rehab_pose_sim.camera import SimulatedCamera

NEAR = SeenPerson(1, 5_000_000_000, np.array([0.1, 0.2, 2.0]), in_view=True, followed=True)
BESIDE = SeenPerson(2, 5_000_000_000, np.array([1.0, 0.2, 3.0]), in_view=True, followed=False)
GONE = SeenPerson(4, 1_000_000_000, np.array([-1.0, 0.2, 2.5]), in_view=False, followed=False)


class Segmenter:
    """Stands in for the stage."""

    people = (NEAR, BESIDE, GONE)

    def __init__(self) -> None:
        self.chosen: list[int] = []

    def follow(self, person: SeenPerson) -> None:
        self.chosen.append(person.person_id)


class Node:
    """Stands in for the node."""

    spec = node_spec("pipeline")
    factory = RosMessageFactory()

    def __init__(self) -> None:
        self.services: dict[str, Any] = {}
        self.published: list[tuple[topics.Topic, Any]] = []

    def create_service(self, _kind: type, name: str, callback: Any) -> None:  # noqa: ANN401
        self.services[name] = callback

    def publish(self, topic: topics.Topic, message: Any) -> None:  # noqa: ANN401
        self.published.append((topic, message))


@pytest.mark.parametrize(
    ("request_fields", "chosen", "sentence"),
    [
        ({"id": 2}, [2], "person 2: in view"),
        ({"id": 4}, [4], "person 4: not in view, waited for"),
        ({"position": [0.8, 0.0, 2.8]}, [2], "person 2: in view"),
        ({"id": 3}, [], "expected one of the people that were seen (1, 2, 4), got 3"),
        ({"position": [-1.0, 0.2, 2.5]}, [], "expected a person within 1 m of it"),
        ({"position": [np.nan, 0.0, 2.0]}, [], "expected three finite numbers"),
    ],
)
def test_a_person_is_chosen_by_number_or_position(
    request_fields: dict[str, Any], chosen: list[int], sentence: str
) -> None:
    node, segmenter, kind = Node(), Segmenter(), message_class("rehab_pose_msgs/srv/SelectPerson")
    PeopleSelection(node, lambda: segmenter)  # type: ignore[arg-type,return-value]
    fields = {
        name: np.array(value, np.float32) if name == "position" else value for name, value in request_fields.items()
    }
    response = node.services["select_person"](kind.Request(**fields), kind.Response())
    assert segmenter.chosen == chosen
    assert (response.success, response.id) == (bool(chosen), chosen[0] if chosen else 0)
    assert sentence in response.message


def test_the_list_is_sent_when_it_changes() -> None:
    node, frame = Node(), SimulatedCamera().frame(0).frame
    selection = PeopleSelection(node, lambda: None)  # type: ignore[arg-type]
    for people in ((), (), (NEAR, GONE), (NEAR, GONE), (replace(NEAR, followed=False), GONE)):
        selection.publish(frame, people)
    assert [topic for topic, _ in node.published] == [topics.PEOPLE] * 3
    message = node.published[1][1]
    assert list(message.ids) == [1, 4]
    np.testing.assert_allclose(message.positions, [0.1, 0.2, 2.0, -1.0, 0.2, 2.5], rtol=1e-6)
    assert [stamp.sec for stamp in message.last_seen] == [5, 1]
    assert (list(message.in_view), message.followed_id) == ([True, False], 1)
    assert node.published[2][1].followed_id == 0
