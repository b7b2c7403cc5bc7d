"""The message types that recordings need, without ROS: the standard ones from rosbags, ours from their .msg files."""

from __future__ import annotations

import os
import sys
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from rehab_pose.errors import MissingDependencyError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from rosbags.typesys.store import Typestore

    from rehab_pose.messages.factory import Message

__all__ = ["BagMessageFactory", "definition_folder", "type_store"]

PACKAGE = "rehab_pose_msgs"


def definition_folder() -> Path:
    """Return the folder with the .msg files: beside this package in a checkout, else where the messages are installed.

    Raises:
        MissingDependencyError: There is none.
    """
    prefixes = [*os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep), sys.prefix]
    installed = [Path(prefix) / "share" / PACKAGE / "msg" for prefix in prefixes if prefix]
    candidates = [Path(__file__).resolve().parents[2] / PACKAGE / "msg", *installed]
    for folder in candidates:
        if (folder / "RgbdFrame.msg").is_file():
            return folder
    msg = (
        f"expected the message definitions of {PACKAGE} in one of {', '.join(map(str, candidates))}, they are in none; "
        f"install them with `pip install ./{PACKAGE}`, or build the workspace with colcon"
    )
    raise MissingDependencyError(msg)


@lru_cache(maxsize=1)
def type_store() -> Typestore:
    """Return all types, ready to read and write recordings."""
    store = get_typestore(Stores.ROS2_KILTED)
    for file in sorted(definition_folder().glob("*.msg")):
        store.register(get_types_from_msg(file.read_text(encoding="utf-8"), f"{PACKAGE}/msg/{file.stem}"))
    return store


class BagMessageFactory:
    """Makes rosbags' messages; every field has to be given."""

    def __init__(self) -> None:
        self._types = type_store().types

    def make(self, type_name: str, **fields: Any) -> Message:  # noqa: ANN401  (each type has its own)
        """Return a message with the given fields."""
        return self._types[type_name](**fields)

    @staticmethod
    def array(values: NDArray[Any]) -> NDArray[Any]:
        """Return the array itself: rosbags wants numpy."""
        return values
