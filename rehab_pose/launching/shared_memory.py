"""Transport of images by shared memory: selects the Fast DDS profile for programs that handle images."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.launching.shared_files import shared_file

if TYPE_CHECKING:
    from collections.abc import MutableMapping

__all__ = ["OLD_VARIABLE", "VARIABLE", "use_shared_memory"]

PROFILE = "config/fastdds_shm.xml"
VARIABLE = "FASTDDS_DEFAULT_PROFILES_FILE"
OLD_VARIABLE = "FASTRTPS_DEFAULT_PROFILES_FILE"
OLD_DISTRIBUTIONS = ("humble", "iron", "jazzy")
"""ROS distributions with Fast DDS 2, which reads OLD_VARIABLE; Fast DDS 3 warns about it."""
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  (Linux's shared memory; this code writes nothing there)
NEEDED_BYTES = 512 * 1024**2
"""Free shared memory that is required [bytes]: a segment of 32 MiB for each of a dozen processes, with a reserve."""


def use_shared_memory(environment: MutableMapping[str, str]) -> str | None:
    """Set the profile in an environment that has none; return a description of a problem, or None.

    Must be called before a program creates its first ROS context.
    """
    if VARIABLE in environment or OLD_VARIABLE in environment:
        return None
    free_bytes = shutil.disk_usage(SHARED_MEMORY).free if SHARED_MEMORY.is_dir() else 0
    if free_bytes < NEEDED_BYTES:
        return (
            f"{SHARED_MEMORY} has {free_bytes // 1024**2} MB free, less than {NEEDED_BYTES // 1024**2} MB: images take "
            "the default transport, which is slower (in a container: --shm-size=1g)"
        )
    old = environment.get("ROS_DISTRO") in OLD_DISTRIBUTIONS
    environment[OLD_VARIABLE if old else VARIABLE] = str(shared_file(PROFILE))
    return None
