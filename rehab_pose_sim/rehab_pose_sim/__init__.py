"""Simulated people in front of a simulated RGB-D camera, with ground truth."""
