"""The node of the simulated camera."""

from pathlib import Path

from rehab_pose.launching.parent_process import end_on_stop_signals_if_node

end_on_stop_signals_if_node(__name__, Path(__file__).parent)
