"""The node of the simulated camera."""

import os

from rehab_pose.launching.parent_process import PARENT_PID
from rehab_pose.launching.start_signals import end_on_stop_signals

if PARENT_PID in os.environ:  # started by a launcher: before the node's modules are loaded, which takes seconds
    end_on_stop_signals()
