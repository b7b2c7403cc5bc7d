"""The latched list of the exercises that the running recogniser knows, sent again when it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehab_pose.messages import topics
from rehab_pose.messages.exercise import exercise_list_message

if TYPE_CHECKING:
    from rehab_pose.ros.runtime.stage_node import StageNode

__all__ = ["ExerciseListOutput"]


class ExerciseListOutput:
    """Publishes the list when it is known and when it changes."""

    def __init__(self, node: StageNode) -> None:
        self._node = node
        self._sent: tuple[str, ...] = ()

    def update(self, labels: tuple[str, ...]) -> None:
        """Publish the labels, `none` first, unless they were sent last."""
        if labels != self._sent:
            self._sent = labels
            self._node.publish(topics.EXERCISE_LIST, exercise_list_message(self._node.factory, labels))
