"""Message types of recordings without ROS: the standard types of rosbags and those of rehab_pose_msgs."""

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
"""Name of the package with this project's message definitions."""
PRODUCT = "rehab_pose"
"""Name of this package."""


def definition_folder() -> Path:
    """Return the folder with the .msg files: that of the checkout, else that of the installed messages.

    Raises:
        MissingDependencyError: There is no such folder.
    """
    prefixes = [*os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep), sys.prefix]
    # The product's own package ships a copy, so that bags work where the message package is not installed.
    installed = [Path(prefix) / "share" / name / "msg" for name in (PACKAGE, PRODUCT) for prefix in prefixes if prefix]
    candidates = [Path(__file__).resolve().parents[2] / PACKAGE / "msg", *installed]
    for folder in candidates:
        if (folder / "RgbdFrame.msg").is_file():
            return folder
    msg = (
        f"expected the message definitions of {PACKAGE} in one of {', '.join(map(str, candidates))}, found none; "
        f"install them with `pip install ./{PACKAGE}`, or build the workspace with colcon"
    )
    raise MissingDependencyError(msg)


@lru_cache(maxsize=1)
def type_store() -> Typestore:
    """Return the store of all types, for reading and writing of recordings."""
    store = get_typestore(Stores.ROS2_KILTED)
    for file in sorted(definition_folder().glob("*.msg")):
        store.register(get_types_from_msg(file.read_text(encoding="utf-8"), f"{PACKAGE}/msg/{file.stem}"))
    return store


class BagMessageFactory:
    """Makes messages of rosbags; every field must be given."""

    def __init__(self) -> None:
        self._types = type_store().types

    def make(self, type_name: str, **fields: Any) -> Message:  # noqa: ANN401  (fields of any type)
        """Return a message with the given fields."""
        return self._types[type_name](**fields)

    @staticmethod
    def array(values: NDArray[Any]) -> NDArray[Any]:
        """Return the array itself, as rosbags takes numpy arrays."""
        return values
