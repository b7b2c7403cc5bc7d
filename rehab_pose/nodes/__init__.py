"""One module for each node. A node converts messages, calls its stages and publishes their results."""

from rehab_pose.launching.parent_process import end_on_stop_signals_if_launched

end_on_stop_signals_if_launched()
