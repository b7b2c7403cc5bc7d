"""The `rehab-pose` command: one module a subcommand."""
