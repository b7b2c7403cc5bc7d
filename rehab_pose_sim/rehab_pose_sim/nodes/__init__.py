"""The node of the simulated camera."""

from rehab_pose.launching.parent_process import end_on_stop_signals_if_launched

end_on_stop_signals_if_launched()
