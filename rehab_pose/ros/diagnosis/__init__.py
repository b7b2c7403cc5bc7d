"""Checks of a camera and of a running graph, for `rehab-pose doctor`."""
