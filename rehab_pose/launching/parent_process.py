"""A program that a launcher started ends with it, even if the launcher is killed and can stop nothing itself."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

from rehab_pose.launching.start_signals import end_on_stop_signals

__all__ = ["PARENT_PID", "end_on_stop_signals_if_launched", "end_with_parent"]

PARENT_PID = "REHAB_POSE_PARENT_PID"
"""Environment variable with the launcher's process id."""
PR_SET_PDEATHSIG = 1
"""Option of prctl (Linux) that sends the process a signal when its parent ends."""


def end_on_stop_signals_if_launched() -> None:
    """End this process at once on a stop signal, if a launcher started it.

    Packages of nodes call this before the modules of a node are loaded, which takes seconds.
    """
    if PARENT_PID in os.environ:
        end_on_stop_signals()


def end_with_parent() -> None:
    """Have the kernel send this process SIGTERM when its launcher ends; at once if that has already ended.

    Nothing changes without the launcher's process id in the environment, and on other systems than Linux.
    """
    parent = os.environ.pop(PARENT_PID, "")  # programs that this one starts have another parent
    if not parent.isdecimal() or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(parent):
        os.kill(os.getpid(), signal.SIGTERM)
