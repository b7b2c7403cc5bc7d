"""The command `rehab-pose-lab`."""
