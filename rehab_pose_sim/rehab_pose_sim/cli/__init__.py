"""The command `rehab-pose-sim`."""
