"""Ports of Fast DDS in shared memory that killed nodes left: the launcher keeps them, restarted nodes take others.

A node receives from a port, the files `fastdds_port<number>` and `fastdds_port<number>_el` in /dev/shm; it holds a lock
(flock) on the second one. A new program takes the first port that is not locked, removes the file of a dead one and
makes it again. A node that sends still has the removed file mapped. Usually it notices within a second that nothing is
read there. Where the dead node was killed between two messages it never does: the restarted node then receives nothing
from it until the sender is restarted too (eProsima/Fast-DDS pull request 4737 and issue 5053). A port with another
number is mapped by all. Fast DDS may log "Failed init_port" for a kept port.
"""

from __future__ import annotations

import os
import re
from collections import deque
from typing import TYPE_CHECKING

from rehab_pose.launching.dead_segments import lock_of_ended_program
from rehab_pose.launching.shared_memory import SHARED_MEMORY

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["DeadPorts"]

LOCK_FILE = re.compile(r"(?:fastdds|fastrtps)_port([0-9]{1,5})_el", re.ASCII)
"""Names of the lock files of Fast DDS 3 and of Fast DDS 2."""
FIRST_PORT, PORTS_PER_DOMAIN = 7400, 250
"""Numbers of the ports of a ROS domain, from the port mapping of DDSI-RTPS 2.5, section 9.6.2.4."""
MAX_KEPT = 16
"""Most ports that are kept; the oldest ones are given back. Fast DDS tries up to 100 numbers."""
DOMAIN = "ROS_DOMAIN_ID"
"""Environment variable with the number of the ROS domain; 0 where it is not set."""


class DeadPorts:
    """Locks ports whose owner has ended, until `close` or the end of this process."""

    def __init__(self, folder: Path = SHARED_MEMORY) -> None:
        """Keep no port yet.

        Args:
            folder: Where the ports are.
        """
        self._folder = folder
        self._descriptors: deque[int] = deque()

    def keep(self, environment: Mapping[str, str]) -> int:
        """Lock the ports of ended programs in the domain of the nodes; return how many are kept now.

        Args:
            environment: Environment of the nodes, with their ROS domain.
        """
        domain = environment.get(DOMAIN, "")
        first = FIRST_PORT + PORTS_PER_DOMAIN * (int(domain) if domain.isdecimal() else 0)
        names = sorted(path.name for path in self._folder.iterdir()) if self._folder.is_dir() else []
        for name in names:
            match = LOCK_FILE.fullmatch(name)
            if match is not None and first <= int(match[1]) < first + PORTS_PER_DOMAIN:
                descriptor = lock_of_ended_program(self._folder / name)
                if descriptor is not None:
                    self._descriptors.append(descriptor)
        while len(self._descriptors) > MAX_KEPT:
            os.close(self._descriptors.popleft())
        return len(self._descriptors)

    def close(self) -> None:
        """Give all ports back."""
        while self._descriptors:
            os.close(self._descriptors.popleft())
