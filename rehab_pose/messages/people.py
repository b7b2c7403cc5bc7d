"""Conversion of the people that were seen to their message."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rehab_pose.messages.factory import header, numbers, time_message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rehab_pose.datatypes import SeenPerson
    from rehab_pose.messages.factory import Message, MessageFactory

__all__ = ["people_message"]


def people_message(factory: MessageFactory, people: Sequence[SeenPerson], stamp_ns: int, frame_id: str) -> Message:
    """Return rehab_pose_msgs/People.

    Args:
        factory: Makes the messages.
        people: Everybody who was seen.
        stamp_ns: Stamp of the newest frame [ns].
        frame_id: The camera's frame.
    """
    return factory.make(
        "rehab_pose_msgs/msg/People",
        header=header(factory, stamp_ns, frame_id),
        ids=numbers(factory, np.array([person.person_id for person in people]), np.uint32),
        positions=numbers(factory, np.array([person.position_m for person in people]), np.float32),
        last_seen=[time_message(factory, person.stamp_ns) for person in people],
        in_view=[person.in_view for person in people],
        followed_id=next((person.person_id for person in people if person.followed), 0),
    )
