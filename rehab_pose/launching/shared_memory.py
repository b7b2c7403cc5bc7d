"""Transport between the nodes: on this machine only unless the network is opened, and images by shared memory."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.launching.shared_files import shared_file

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping

__all__ = [
    "DISCOVERY",
    "OLD_VARIABLE",
    "OPEN_PROFILE",
    "SHARED_MEMORY",
    "VARIABLE",
    "small_segment",
    "use_shared_memory",
]

PROFILE = "config/fastdds_local.xml"
"""Fast DDS profile without sockets beyond this machine."""
OPEN_PROFILE = "config/fastdds_shm.xml"
"""Fast DDS profile for all of the machine's networks."""
SMALL = {
    PROFILE: "config/fastdds_local_small.xml",
    OPEN_PROFILE: "config/fastdds_shm_small.xml",
}
"""Each profile with less shared memory, for programs that send no images."""
DISCOVERY = "ROS_AUTOMATIC_DISCOVERY_RANGE"
"""Environment variable by which ROS (since Iron) limits where nodes are looked for."""
LEFT_TO_PROFILE, THIS_MACHINE, NETWORK = "SYSTEM_DEFAULT", "LOCALHOST", "SUBNET"
"""Its values: what the profile says, this machine, and the local network."""
VARIABLE = "FASTDDS_DEFAULT_PROFILES_FILE"
OLD_VARIABLE = "FASTRTPS_DEFAULT_PROFILES_FILE"
OLD_DISTRIBUTIONS = ("humble", "iron", "jazzy")
"""ROS distributions with Fast DDS 2, which reads OLD_VARIABLE; Fast DDS 3 warns about it."""
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108  (Linux's shared memory)
NEEDED_BYTES = 512 * 1024**2
"""Free shared memory that is required [bytes]: a segment of 32 MiB for each of a dozen processes, with a reserve."""


def use_shared_memory(environment: MutableMapping[str, str], *, network: bool = False) -> str | None:
    """Set transport and discovery in an environment; return a description of a problem, or None.

    Must be called before a program creates its first ROS context. Without `network` no program of another machine finds
    the nodes, unless the environment has a profile of its own, or ROS_AUTOMATIC_DISCOVERY_RANGE=SUBNET.

    Args:
        environment: Environment variables, changed in place.
        network: Whether programs of other machines may find the nodes and read their topics.
    """
    opened = network or environment.get(DISCOVERY) == NETWORK
    if VARIABLE in environment or OLD_VARIABLE in environment:
        environment.setdefault(DISCOVERY, NETWORK if opened else THIS_MACHINE)
        return None
    free_bytes = shutil.disk_usage(SHARED_MEMORY).free if SHARED_MEMORY.is_dir() else 0
    if free_bytes < NEEDED_BYTES:
        environment[DISCOVERY] = NETWORK if opened else THIS_MACHINE
        return (
            f"{SHARED_MEMORY} has {free_bytes // 1024**2} MB free, less than {NEEDED_BYTES // 1024**2} MB: images take "
            "the default transport, which is slower (in a container: --shm-size=1g)"
        )
    old = environment.get("ROS_DISTRO") in OLD_DISTRIBUTIONS
    environment[OLD_VARIABLE if old else VARIABLE] = str(shared_file(OPEN_PROFILE if opened else PROFILE))
    environment[DISCOVERY] = NETWORK if opened else LEFT_TO_PROFILE
    return None


def small_segment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables to change for a program that sends no images; none where the profile is not ours.

    Fast DDS takes all memory of a program's segment when it makes it: 32 MiB, of which small messages need little.

    Args:
        environment: Variables as `use_shared_memory` set them.
    """
    small = {str(shared_file(profile)): str(shared_file(other)) for profile, other in SMALL.items()}
    names = (VARIABLE, OLD_VARIABLE)
    return {name: small[environment[name]] for name in names if environment.get(name) in small}
