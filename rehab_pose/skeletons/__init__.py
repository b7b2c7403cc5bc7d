"""Skeletons: ordered joint names and their parents, without positions."""
