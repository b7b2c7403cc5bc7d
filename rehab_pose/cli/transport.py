"""Images through shared memory: the Fast DDS profile that every program which handles images needs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.cli.shared_files import shared_file

if TYPE_CHECKING:
    from collections.abc import MutableMapping

__all__ = ["OLD_VARIABLE", "VARIABLE", "use_shared_memory"]

PROFILE = "config/fastdds_shm.xml"
VARIABLE = "FASTDDS_DEFAULT_PROFILES_FILE"
OLD_VARIABLE = "FASTRTPS_DEFAULT_PROFILES_FILE"
OLD_DISTRIBUTIONS = ("humble", "iron", "jazzy")
"""Their Fast DDS 2 reads the old variable; Fast DDS 3 warns about it."""
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  (where Linux keeps shared memory; nothing is written here by us)
NEEDED_BYTES = 512 * 1024**2
"""A segment of 32 MiB for each of a dozen processes, and room to spare."""


def use_shared_memory(environment: MutableMapping[str, str]) -> str | None:
    """Point Fast DDS to the profile, unless the environment names one already; return a problem, or None.

    Has to be done before a program joins ROS.
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
