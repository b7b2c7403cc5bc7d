"""Factory of rclpy messages, for the conversions of rehab_pose.messages."""

from __future__ import annotations

import array
import importlib
from functools import cache
from typing import TYPE_CHECKING, Any

from rehab_pose.errors import MissingDependencyError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rehab_pose.messages.factory import Message

__all__ = ["RosMessageFactory", "message_class"]


@cache
def message_class(type_name: str) -> type[Any]:
    """Return the class of a type such as `std_msgs/msg/Header`.

    Raises:
        MissingDependencyError: Its package is not installed.
    """
    package, kind, name = type_name.split("/")
    try:
        module = importlib.import_module(f"{package}.{kind}")
    except ModuleNotFoundError as error:
        msg = (
            f"expected the message package {package}, but it is not installed ({error}); build it with colcon, or "
            "run `pip install ./rehab_pose_msgs` for rehab_pose_msgs"
        )
        raise MissingDependencyError(msg) from error
    result: type[Any] = getattr(module, name)
    return result


class RosMessageFactory:
    """Makes rclpy messages."""

    def make(self, type_name: str, **fields: object) -> Message:
        """Return a message with the given fields."""
        return message_class(type_name)(**fields)

    def array(self, values: NDArray[Any]) -> array.array[Any]:
        """Return an array.array: the form that every ROS 2 distribution accepts without checking each number."""
        result = array.array(values.dtype.char)
        result.frombytes(values.data.cast("B"))
        return result
