"""Conversion of a silhouette and the joints of the same frame to the input of the stages that use both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehab_pose.datatypes import PersonView
from rehab_pose.messages.frames import silhouette_from_message
from rehab_pose.messages.joints import joints_from_message

if TYPE_CHECKING:
    from rehab_pose.messages.factory import Message

__all__ = ["person_view_from_messages"]


def person_view_from_messages(silhouette_message: Message, joints_message: Message) -> PersonView | None:
    """Return the person of a Silhouette and a Joints message with the same stamp, None when no person is in view.

    Raises:
        InputError: An image has the wrong encoding, the camera is not calibrated, the joints' format is unknown, or
            sizes differ from what the messages announce.
    """
    silhouette, joints = silhouette_from_message(silhouette_message), joints_from_message(joints_message)
    return PersonView(silhouette, joints) if silhouette and joints else None
