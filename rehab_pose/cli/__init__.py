"""The `rehab-pose` command: one module a subcommand."""

from rehab_pose.launching.start_signals import end_command_on_stop_signals

end_command_on_stop_signals()
