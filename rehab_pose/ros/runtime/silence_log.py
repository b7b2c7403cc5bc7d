"""Log lines of a camera that became silent and of one that sends again. Imports no ROS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehab_pose.messages.topics import CAMERA_TOPICS
from rehab_pose.ros.runtime.health import SILENCE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rehab_pose.ros.runtime.health import InputHealth

__all__ = ["SilenceLog"]

CAMERA_NAMES = tuple(topic.name for topic in CAMERA_TOPICS)


class SilenceLog:
    """Makes one line when the camera stops, and one when it sends again.

    A camera that was not started yet is no event: /diagnostics shows it, and so does `rehab-pose doctor`.
    """

    def __init__(self) -> None:
        """Begin with a camera that has sent nothing yet."""
        self._stopped = ""
        """Full names of the topics that the last line called silent; empty = the camera sends."""

    def line(self, inputs: Mapping[str, InputHealth], silent: Mapping[str, float]) -> str:
        """Return the line to log; empty = nothing changed.

        Args:
            inputs: Counters of all inputs, by relative name.
            silent: Time without a message of the inputs that are silent [s], by relative name.
        """
        stopped = [name for name in CAMERA_NAMES if name in silent and inputs[name].received]
        if bool(stopped) == bool(self._stopped):
            return ""
        before, self._stopped = self._stopped, ", ".join(inputs[name].full_name for name in stopped)
        if not stopped:
            return f"messages again on {before}"
        return f"{SILENCE} {max(silent[name] for name in stopped):.0f} s on {self._stopped}"
