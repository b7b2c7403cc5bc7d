"""Locks by which a second graph of the same nodes is refused: two publishers of one topic would mix their results."""

from __future__ import annotations

import fcntl
import os
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rehab_pose.errors import SettingsError
from rehab_pose.messages.topic_names import nodes_namespace

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["lock_folder", "locked_nodes"]

RUNTIME_FOLDER = "XDG_RUNTIME_DIR"
"""Environment variable with the user's folder of sockets and locks."""


def lock_folder(environment: Mapping[str, str]) -> Path:
    """Return this user's folder of locks; it is created if it does not exist.

    Raises:
        SettingsError: It cannot be created, or belongs to another user.
    """
    given = environment.get(RUNTIME_FOLDER, "")
    folder = Path(given) / "rehab_pose" if given else Path(tempfile.gettempdir()) / f"rehab_pose-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        owner = folder.stat().st_uid
    except OSError as error:
        msg = f"run: expected a writable folder for locks at {folder}: {error}; set {RUNTIME_FOLDER}"
        raise SettingsError(msg) from error
    if owner != os.getuid():
        msg = f"run: expected a folder of this user for locks at {folder}, it belongs to user {owner}; remove it"
        raise SettingsError(msg)
    return folder


@contextmanager
def locked_nodes(names: Sequence[str], namespace: str, environment: Mapping[str, str]) -> Iterator[None]:
    """Hold the locks of nodes for a block; the kernel releases them when this process ends in any way.

    Args:
        names: Names of the nodes.
        namespace: The namespace above that of the nodes; '' = none.
        environment: Gives the ROS domain and the folder of locks.

    Raises:
        SettingsError: Another process runs one of the nodes.
    """
    domain = environment.get("ROS_DOMAIN_ID", "0")
    full = nodes_namespace(namespace)
    place = full.strip("/").replace("/", ".")
    folder = lock_folder(environment)
    with ExitStack() as held:
        for name in names:
            file = held.enter_context((folder / f"domain_{domain}_{place}_{name}.lock").open("a+", encoding="ascii"))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                file.seek(0)
                owner = file.read().strip() or "unknown"
                msg = (
                    f"run: {name} runs already in the namespace {full} of ROS domain {domain} "
                    f"(process {owner}); stop it first, or choose another --namespace or ROS_DOMAIN_ID"
                )
                raise SettingsError(msg) from error
            file.truncate(0)
            file.write(f"{os.getpid()}\n")
            file.flush()
        yield
