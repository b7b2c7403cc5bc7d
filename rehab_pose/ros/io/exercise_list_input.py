"""The latched list of the exercises that the running recogniser knows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehab_pose.messages import topics
from rehab_pose.messages.exercise import labels_from_message

if TYPE_CHECKING:
    from rehab_pose.messages.factory import Message
    from rehab_pose.ros.runtime.stage_node import StageNode

__all__ = ["ExerciseListInput"]


class ExerciseListInput:
    """Keeps the newest list.

    Attributes:
        labels: Names, `none` first; None until a list was received.
    """

    def __init__(self, node: StageNode) -> None:
        """Subscribe. The topic is not watched for silence, because the list is sent only when it changes."""
        self.labels: tuple[str, ...] | None = None
        node.listen(topics.EXERCISE_LIST, self._on_list, watched=False)

    def _on_list(self, message: Message, _arrived_s: float) -> None:
        self.labels = labels_from_message(message)
