"""The service select_person of a node, and the latched list of the people that were seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.errors import InputError
from rehab_pose.messages import topics
from rehab_pose.messages.people import people_message
from rehab_pose.ros.io.message_factory import message_class
from rehab_pose.silhouette.person_choice import requested_person

if TYPE_CHECKING:
    from collections.abc import Callable

    from rehab_pose.datatypes import RgbdFrame, SeenPerson
    from rehab_pose.messages.factory import Message
    from rehab_pose.ros.runtime.stage_node import StageNode
    from rehab_pose.silhouette.segmenter import SilhouetteSegmenter

__all__ = ["PeopleSelection"]


class PeopleSelection:
    """Serves select_person, and publishes the list when it changes."""

    def __init__(self, node: StageNode, segmenter: Callable[[], SilhouetteSegmenter | None]) -> None:
        """Start serving.

        Args:
            node: A node with the service and the topic in its row.
            segmenter: Returns the stage that selects the subject; None while it could not be built.
        """
        self._node, self._segmenter = node, segmenter
        self._sent: tuple[SeenPerson, ...] | None = None
        for name, kind in node.spec.services:
            node.create_service(message_class(f"rehab_pose_msgs/srv/{kind}"), name, self._on_select)

    def prepare(self, segmenter: SilhouetteSegmenter) -> None:
        """Look at everybody in the next frame only if the list has subscribers; call it before each frame."""
        segmenter.watch_everybody(wanted=self._node.has_subscribers(topics.PEOPLE))

    def publish(self, frame: RgbdFrame, people: tuple[SeenPerson, ...]) -> None:
        """Publish the list after a frame, if it changed."""
        if people != self._sent:
            self._sent = people
            message = people_message(self._node.factory, people, frame.stamp_ns, frame.frame_id)
            self._node.publish(topics.PEOPLE, message)

    def _on_select(self, request: Message, response: Message) -> Message:
        segmenter = self._segmenter()
        try:
            people = segmenter.people if segmenter else ()
            person = requested_person(people, request.id, np.array(request.position, dtype=np.float64))
        except InputError as error:
            response.success, response.message, response.id = False, str(error), 0
            return response
        assert segmenter is not None  # noqa: S101  (without it no one was seen)
        segmenter.follow(person)
        place = "in view" if person.in_view else "not in view, waited for"
        response.success, response.message, response.id = True, f"person {person.person_id}: {place}", person.person_id
        return response
